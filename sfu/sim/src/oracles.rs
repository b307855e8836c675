//! Measures of a run: what people see, thresholds, differences between two runs, and liveness.

use crate::peer::SimPeer;
use crate::peer::recv::{Frame, Slot};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use weir_sfu_api::MediaKind;

/// User-visible result: nothing torn, damaged, out of order, undecodable or unopenable.
///
/// # Panics
/// With the first faults.
#[track_caller]
pub fn assert_flawless(peer: &SimPeer) {
    let id = peer.id();
    assert!(peer.faults.is_empty(), "peer {id}: {:#?}", peer.faults);
    for slot in &peer.slots {
        assert!(slot.faults.is_empty(), "peer {id} slot {}: {:#?}", slot.mid, slot.faults);
    }
}

/// Frame numbers of one layer of one source that are missing between the first and the last.
#[must_use]
pub fn gaps(slot: &Slot, source: u32, layer: u8) -> Vec<u32> {
    gaps_in(&slot.frames, source, layer)
}

/// The same for some of a slot's frames.
#[must_use]
pub fn gaps_in(frames: &[Frame], source: u32, layer: u8) -> Vec<u32> {
    let numbers: BTreeSet<u32> = frames
        .iter()
        .filter(|frame| (frame.source, frame.layer) == (source, layer))
        .map(|frame| frame.number)
        .collect();
    let (Some(first), Some(last)) = (numbers.first(), numbers.last()) else { return Vec::new() };
    (*first..=*last).filter(|number| !numbers.contains(number)).collect()
}

/// Liveness: the longest time without a frame between `from` and `to`.
#[must_use]
pub fn longest_gap(slot: &Slot, from: Instant, to: Instant) -> Duration {
    let times = slot.frames.iter().map(|frame| frame.at).filter(|at| (from..=to).contains(at));
    let mut last = from;
    let mut longest = Duration::ZERO;
    for at in times.chain([to]) {
        longest = longest.max(at.saturating_duration_since(last));
        last = last.max(at);
    }
    longest
}

/// What a person sees at once: the frames of one picture's spatial layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// When its last frame could be used.
    pub at: Instant,
    /// Who made it.
    pub source: u32,
    /// Simulcast layer.
    pub layer: u8,
    /// Highest spatial layer.
    pub spatial: u8,
    /// Temporal layer.
    pub temporal: u8,
    /// Pixels.
    pub resolution: (u16, u16),
    /// Began with a key frame.
    pub key: bool,
    /// When it was made, in microseconds of virtual time.
    pub created_us: u64,
}

/// The pictures that a slot showed between two times.
#[must_use]
pub fn pictures(slot: &Slot, from: Instant, to: Instant) -> Vec<Picture> {
    let mut all: Vec<(u32, Picture)> = Vec::new();
    for frame in slot.frames.iter().filter(|frame| (from..to).contains(&frame.at)) {
        let new = Picture {
            at: frame.at,
            source: frame.source,
            layer: frame.layer,
            spatial: frame.spatial,
            temporal: frame.temporal,
            resolution: frame.resolution,
            key: frame.key,
            created_us: frame.created_us,
        };
        match all.last_mut() {
            Some((number, last))
                if (*number, last.source, last.layer)
                    == (frame.picture, frame.source, frame.layer) =>
            {
                *last = Picture { key: last.key || frame.key, ..new };
            }
            _ => all.push((frame.picture, new)),
        }
    }
    all.into_iter().map(|(_, picture)| picture).collect()
}

/// How often the picture's size changed for another one of the same source between two times.
#[must_use]
pub fn switches(slot: &Slot, from: Instant, to: Instant) -> usize {
    let all = pictures(slot, from, to);
    let size = |picture: &Picture| (picture.source, picture.layer, picture.spatial);
    all.windows(2).filter(|p| p[0].source == p[1].source && size(&p[0]) != size(&p[1])).count()
}

/// Freezes nearly as libwebrtc counts them: pictures that came more than 150 ms, and three times the
/// median interval of the 30 before, after the one before. When each began, and how long it was.
#[must_use]
pub fn freezes(slot: &Slot, from: Instant, to: Instant) -> Vec<(Instant, Duration)> {
    let all = pictures(slot, from, to);
    let intervals: Vec<Duration> = all.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    let mut found = Vec::new();
    for (index, gap) in intervals.iter().enumerate() {
        let mut before = intervals[index.saturating_sub(30)..index].to_vec();
        before.sort_unstable();
        let Some(usual) = before.get(before.len() / 2).copied() else { continue };
        if *gap > (usual * 3).max(usual + Duration::from_millis(150)) {
            found.push((all[index].at, *gap));
        }
    }
    found
}

/// Pictures a second between two times.
#[must_use]
pub fn frame_rate(slot: &Slot, from: Instant, to: Instant) -> f64 {
    pictures(slot, from, to).len() as f64 / (to - from).as_secs_f64().max(0.001)
}

/// The share of pictures between two times that were at least so high, 0 to 1.
#[must_use]
pub fn share_of_height(slot: &Slot, height: u16, from: Instant, to: Instant) -> f64 {
    let all = pictures(slot, from, to);
    let good = all.iter().filter(|picture| picture.resolution.1 >= height).count();
    good as f64 / all.len().max(1) as f64
}

/// Threshold: times from the making of a frame to its use, sorted.
#[must_use]
pub fn latencies(slot: &Slot, base: Instant) -> Vec<Duration> {
    let mut all: Vec<Duration> = slot
        .frames
        .iter()
        .map(|frame| {
            let made = base + Duration::from_micros(frame.created_us);
            frame.at.saturating_duration_since(made)
        })
        .collect();
    all.sort_unstable();
    all
}

/// How far a receiver that follows sender reports plays audio and video of one source apart, in
/// milliseconds; `None` before both have reports.
#[must_use]
pub fn skew_ms(audio: &Slot, video: &Slot, source: u32) -> Option<f64> {
    let clock = |slot: &Slot| -> Option<f64> {
        let of_source = |frame: &&Frame| frame.source == source && frame.ntp.is_some();
        let frame = slot.frames.iter().rev().find(of_source)?;
        let seconds = frame.ntp? as f64 / 2f64.powi(32);
        Some(seconds * 1_000.0 - frame.created_us as f64 / 1_000.0)
    };
    Some(clock(audio)? - clock(video)?)
}

/// Differential: by slot and source, the frames that a peer saw, for comparison with another run.
#[must_use]
pub fn seen(peer: &SimPeer) -> BTreeMap<(String, u32, u8), BTreeSet<u32>> {
    let mut all: BTreeMap<_, BTreeSet<u32>> = BTreeMap::new();
    for slot in &peer.slots {
        for frame in &slot.frames {
            let key = (slot.mid.to_string(), frame.source, frame.layer);
            all.entry(key).or_default().insert(frame.number);
        }
    }
    all
}

/// Sources that were seen in a slot, in order, without repetition.
#[must_use]
pub fn sources(slot: &Slot) -> Vec<u32> {
    let mut all: Vec<u32> = slot.frames.iter().map(|frame| frame.source).collect();
    all.dedup();
    all
}

/// All slots of one kind.
pub fn slots(peer: &SimPeer, kind: MediaKind) -> impl Iterator<Item = &Slot> {
    peer.slots.iter().filter(move |slot| slot.kind == kind)
}
