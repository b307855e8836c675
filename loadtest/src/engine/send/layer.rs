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
mod tests;
