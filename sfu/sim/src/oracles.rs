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
    let numbers: BTreeSet<u32> = slot
        .frames
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
