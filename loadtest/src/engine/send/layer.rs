//! One stream that is sent.

use super::talk::Speech;
use crate::engine::clock::Clock;
use crate::engine::lots::Lots;
use crate::media::{Encoder, Frame, Media};
use crate::plan::{Codec, Pacing, TrackPlan};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use weir_wire::rtcp::SenderInfo;

/// Packets kept for repetition.
const HISTORY: Duration = Duration::from_secs(1);
/// And at most: 1 s of 16 Mbit/s.
const MAX_HISTORY: usize = 2_048;
/// An encoder makes at most this many key frames a second on request, times ten.
const KEY_PAUSE: Duration = Duration::from_millis(100);
/// A frame that leaves later than this counts.
const LATE: Duration = Duration::from_millis(10);
/// Steps of the pacer, as libwebrtc's.
const STEP: Duration = Duration::from_millis(5);
/// Between packets in a pause of speech with DTX.
const DTX: Duration = Duration::from_millis(400);

/// A packet: enough to write it, and to write it again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) index: u64,
    pub(super) at: Instant,
    pub(super) sent_us: u64,
    pub(super) frame: Frame,
    pub(super) part: u16,
    pub(super) timestamp: u32,
    pub(super) wide: u16,
    pub(super) marker: bool,
    pub(super) introduces: bool,
    /// Silence, untransmitted.
    pub(super) pause: bool,
    /// Voice, and -dBov.
    pub(super) level: Option<(bool, u8)>,
}

#[derive(Debug)]
pub(super) struct Layer {
    pub(super) rid: Option<String>,
    pub(super) ssrc: u32,
    pub(super) rtx_ssrc: u32,
    pub(super) encoder: Encoder,
    /// The server takes this layer at all.
    pub(super) taken: bool,
    pub(super) key_wanted: bool,
    pub(super) packets: u32,
    wanted: bool,
    octets: u32,
    index: u64,
    rtx_index: u64,
    base: u32,
    began: Option<Instant>,
    next_frame: Instant,
    last_key: Option<Instant>,
    key_interval: Duration,
    last_sound: Option<Instant>,
    history: VecDeque<Kept>,
    queue: VecDeque<Kept>,
    /// Bytes a step, with pacing.
    step: Option<f64>,
    next_step: Instant,
    budget: f64,
}

impl Layer {
    pub(super) fn new(
        plan: &TrackPlan,
        at: usize,
        (ssrc, rtx_ssrc): (u32, u32),
        media: &Media,
        source: u32,
        lots: &mut Lots,
    ) -> Self {
        let of = plan.layers.get(at);
        let rate = of.map_or(0, |of| of.bitrate_bps) as f64 / 8.0;
        let now = Instant::now();
        Self {
            rid: of.and_then(|of| of.rid.clone()),
            ssrc,
            rtx_ssrc,
            encoder: Encoder::new(plan, at, media, source),
            taken: true,
            key_wanted: true,
            packets: 0,
            wanted: true,
            octets: 0,
            // Low: a receiver that comes late takes the rollover counter as 0 (RFC 3711 3.3.1).
            index: lots.next() & 0x3fff,
            rtx_index: lots.next() & 0x3fff,
            base: lots.next() as u32,
            began: None,
            next_frame: now,
            last_key: None,
            key_interval: plan.key_frame_interval,
            last_sound: None,
            history: VecDeque::new(),
            queue: VecDeque::new(),
            step: match plan.pacing {
                Pacing::Burst => None,
                Pacing::Paced(factor) => Some((rate * factor * STEP.as_secs_f64()).max(1.0)),
            },
            next_step: now,
            budget: 0.0,
        }
    }

    pub(super) fn begin(&mut self, now: Instant, share: f64) {
        self.next_frame = now + self.encoder.interval().mul_f64(share);
        self.began = Some(self.next_frame);
    }

    pub(super) fn want(&mut self, wanted: bool) {
        self.key_wanted |= wanted && !self.wanted;
        self.wanted = wanted;
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.began?;
        if !self.taken {
            return None;
        }
        let step = (!self.queue.is_empty()).then_some(self.next_step);
        Some(step.map_or(self.next_frame, |step| step.min(self.next_frame)))
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.taken && self.began.is_some() && self.next_frame <= now
    }

    /// Makes the frame that is due. True: it is late.
    pub(super) fn make(&mut self, now: Instant, speech: Option<Speech>) -> bool {
        let due = self.next_frame;
        let late = now.saturating_duration_since(due) > LATE;
        self.next_frame = due + self.encoder.interval();
        if self.next_frame <= now {
            // Those between are left out, as an encoder does that has no time.
            self.next_frame = now + self.encoder.interval();
        }
        if !self.wanted {
            return false;
        }
        let sound = self.encoder.codec() == Codec::Opus;
        let speech = speech.unwrap_or(Speech { voice: true, level: 30, dtx: false });
        let pause = sound && speech.dtx && !speech.voice;
        if pause && self.last_sound.is_some_and(|last| now - last < DTX) {
            return false;
        }
        let after_pause =
            self.last_sound.is_none_or(|last| now - last > 3 * self.encoder.interval());
        self.last_sound = Some(now);
        let may = self.last_key.is_none_or(|last| now - last >= KEY_PAUSE);
        let old = !self.key_interval.is_zero()
            && self.last_key.is_some_and(|last| now - last >= self.key_interval);
        let key = self.encoder.obeys() && (self.key_wanted && may || old);
        let frame = self.encoder.frame(key);
        if frame.key {
            self.key_wanted = false;
            self.last_key = Some(now);
        }
        if self.queue.is_empty() && self.next_step < now {
            // The line was idle, which is not saved up.
            self.next_step = now;
            self.budget = self.budget.min(0.0);
        }
        let began = self.began.unwrap_or(due);
        let ticks =
            (due - began).as_micros() * u128::from(self.encoder.codec().clock_rate()) / 1_000_000;
        for part in 0..frame.parts {
            let index = self.index;
            self.index += 1;
            let last = part + 1 == frame.parts;
            self.queue.push_back(Kept {
                index,
                at: now,
                sent_us: 0,
                frame,
                part,
                timestamp: self.base.wrapping_add(ticks as u32),
                wide: 0,
                marker: if sound { after_pause } else { last },
                introduces: false,
                pause,
                level: sound.then_some((speech.voice, speech.level)),
            });
        }
        late
    }

    /// The next packet that leaves now.
    pub(super) fn leaving(&mut self, now: Instant) -> Option<Kept> {
        let Some(step) = self.step else { return self.queue.pop_front() };
        let next = self.queue.front()?;
        if self.next_step <= now {
            let steps = (now - self.next_step).as_micros() / STEP.as_micros() + 1;
            self.next_step += STEP * steps.min(u128::from(u32::MAX)) as u32;
            self.budget = (self.budget + step * steps as f64).min(step * steps.min(4) as f64);
        }
        if self.budget <= 0.0 {
            return None;
        }
        self.budget -= f64::from(next.frame.bytes) / f64::from(next.frame.parts.max(1));
        self.queue.pop_front()
    }

    pub(super) fn count(&mut self, payload: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload as u32);
    }

    pub(super) fn keep(&mut self, kept: Kept) {
        while let Some(first) = self.history.front()
            && (kept.at.saturating_duration_since(first.at) > HISTORY
                || self.history.len() >= MAX_HISTORY)
        {
            self.history.pop_front();
        }
        self.history.push_back(kept);
    }

    /// The packet with this number, as long as it is kept.
    pub(super) fn kept(&self, number: u16) -> Option<Kept> {
        let first = self.history.front()?;
        let at = usize::from(number.wrapping_sub(first.index as u16));
        self.history.get(at).copied().filter(|kept| kept.index as u16 == number)
    }

    pub(super) fn next_rtx(&mut self) -> u64 {
        self.rtx_index += 1;
        self.rtx_index
    }

    /// `None` as long as nothing was sent.
    pub(super) fn sender_info(&self, now: Instant, clock: &Clock) -> Option<SenderInfo> {
        let began = self.began.filter(|_| self.packets > 0)?;
        let rate = u128::from(self.encoder.codec().clock_rate());
        let ticks = now.saturating_duration_since(began).as_micros() * rate / 1_000_000;
        Some(SenderInfo {
            ntp: clock.ntp(now),
            rtp_timestamp: self.base.wrapping_add(ticks as u32),
            packet_count: self.packets,
            octet_count: self.octets,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{LayerPlan, SourceKind};

    fn plan(codec: Codec, pacing: Pacing) -> TrackPlan {
        TrackPlan {
            source: SourceKind::Camera,
            codec,
            layers: vec![LayerPlan {
                rid: None,
                bitrate_bps: 1_000_000,
                fps: 25.0,
                width: 640,
                height: 360,
            }],
            temporal_layers: 1,
            key_frame_interval: Duration::from_secs(4),
            pacing,
            talk: None,
            file: None,
        }
    }

    fn layer(codec: Codec, pacing: Pacing) -> Layer {
        Layer::new(&plan(codec, pacing), 0, (1, 2), &Media::Synthetic, 9, &mut Lots::new(1))
    }

    /// Packets with their times until `end`.
    fn run(layer: &mut Layer, now: Instant, end: Duration) -> Vec<(Duration, Kept)> {
        let mut all = Vec::new();
        layer.begin(now, 0.0);
        while let Some(at) = layer.next_deadline().filter(|at| *at < now + end) {
            if layer.is_due(at) {
                assert!(!layer.make(at, None));
            }
            while let Some(mut kept) = layer.leaving(at) {
                kept.at = at;
                layer.keep(kept);
                all.push((at - now, kept));
            }
        }
        all
    }

    #[test]
    fn frames_come_in_time_with_key_frames_between() {
        let now = Instant::now();
        let mut layer = layer(Codec::Vp8, Pacing::Burst);
        let all = run(&mut layer, now, Duration::from_secs(10));
        let starts: Vec<_> = all.iter().filter(|(_, kept)| kept.part == 0).collect();
        assert_eq!(starts.len(), 250);
        let keys: Vec<u64> =
            starts.iter().filter(|(_, k)| k.frame.key).map(|(at, _)| at.as_secs()).collect();
        assert_eq!(keys, [0, 4, 8]);
        assert_eq!(starts[1].1.timestamp.wrapping_sub(starts[0].1.timestamp), 3_600);
        assert!(all.iter().all(|(_, kept)| kept.marker == (kept.part + 1 == kept.frame.parts)));
        let bits: u64 = starts.iter().map(|(_, kept)| u64::from(kept.frame.bytes) * 8).sum();
        assert!((9_500_000..10_600_000).contains(&bits), "{bits}");
    }

    #[test]
    fn a_pacer_spreads_a_frame_over_its_time() {
        let now = Instant::now();
        let mut layer = layer(Codec::Vp8, Pacing::Paced(2.5));
        let all = run(&mut layer, now, Duration::from_secs(2));
        // 5,000 bytes a frame leave in 16 ms at 2.5 times the rate.
        let of = |frame| all.iter().filter(move |(_, kept)| kept.frame.number == frame);
        let spread = of(20).next_back().unwrap().0 - of(20).next().unwrap().0;
        assert!((10..=20).contains(&spread.as_millis()), "{spread:?}");
        assert_eq!(all.iter().filter(|(_, k)| k.part == 0).count(), 50);
    }

    #[test]
    fn a_second_of_packets_is_kept() {
        let now = Instant::now();
        let mut layer = layer(Codec::Vp8, Pacing::Burst);
        let all = run(&mut layer, now, Duration::from_secs(3));
        let newest = all.last().unwrap().1.index;
        assert!(layer.kept(newest as u16).is_some() && layer.kept(newest as u16 - 90).is_some());
        assert!(
            layer.kept(all[0].1.index as u16).is_none() && layer.kept(newest as u16 + 1).is_none()
        );
        assert_eq!(layer.kept(newest as u16 - 5).unwrap().index, newest - 5);
    }

    #[test]
    fn a_layer_that_comes_back_begins_with_a_key_frame() {
        let now = Instant::now();
        let mut layer = layer(Codec::Vp8, Pacing::Burst);
        run(&mut layer, now, Duration::from_secs(1));
        layer.want(false);
        let at = layer.next_frame;
        layer.make(at, None);
        assert!(layer.leaving(at).is_none());
        layer.want(true);
        let at = layer.next_frame;
        layer.make(at, None);
        assert!(layer.leaving(at).unwrap().frame.key);
    }

    #[test]
    fn a_late_frame_is_told_and_those_missed_are_left_out() {
        let now = Instant::now();
        let mut layer = layer(Codec::Opus, Pacing::Burst);
        layer.begin(now, 0.0);
        assert!(!layer.make(now, None));
        assert!(layer.make(now + Duration::from_millis(100), None));
        assert!(!layer.is_due(now + Duration::from_millis(101)));
        let silence = Speech { voice: false, level: 127, dtx: true };
        let mut at = layer.next_frame;
        while layer.leaving(at).is_some() {}
        let mut sent = 0;
        for _ in 0..100 {
            layer.make(at, Some(silence));
            sent += u32::from(layer.leaving(at).is_some_and(|kept| kept.pause));
            at = layer.next_frame;
        }
        assert_eq!(sent, 5, "one in 400 ms for 2 s");
    }
}
