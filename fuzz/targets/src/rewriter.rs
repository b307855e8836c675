//! The rewriter of one slot under lists of operations, against a model that remembers everything.

mod model;
mod source;

use crate::bytes::Bytes;
use model::Model;
use source::Source;
use std::time::{Duration, Instant};
use weir_sfu::{OneSlot, Sample, Sent};

/// Most operations of one run.
const OPERATIONS: usize = 2_000;

/// Switches, forwards, drops, loses and asks again, as the bytes say.
///
/// # Panics
/// When the receiver would notice: numbers taken twice or left out, time or pictures that go back,
/// packets of a source after the switch away from it or of layers left out, or a number that leads
/// to another packet when it is asked for again.
pub fn rewriter(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let (first_seq, first_timestamp) = (bytes.u16(), bytes.u32());
    let mut run = Run {
        slot: OneSlot::new(90_000, first_seq, first_timestamp),
        model: Model::new(first_seq),
        sources: std::array::from_fn(Source::new),
        late: Vec::new(),
        level: None,
        now: crate::start(),
    };
    for _ in 0..OPERATIONS {
        if bytes.is_empty() {
            break;
        }
        let [operation, argument] = bytes.array();
        run.act(operation % 10, argument);
    }
    run.ask_again(u16::MAX);
}

struct Run {
    slot: OneSlot,
    model: Model,
    sources: [Source; 4],
    /// On their way for longer than others.
    late: Vec<Sample>,
    /// Wanted from the next picture on.
    level: Option<(u8, u8)>,
    now: Instant,
}

impl Run {
    fn act(&mut self, operation: u8, argument: u8) {
        let few = usize::from(argument);
        match operation {
            // Twice as likely: what mostly happens.
            0 | 1 => (0..=few % 16).for_each(|_| self.forward()),
            2 => self.hold(),
            3 if !self.late.is_empty() => {
                let packet = self.late.swap_remove(few % self.late.len());
                self.deliver(packet);
            }
            4 => self.switch(few % 4, (argument >> 2 & 3, argument >> 4 & 3), argument & 0x80 != 0),
            5 => self.level = Some((argument & 3, argument >> 2 & 3)),
            6 if argument > 0xf0 => {
                self.slot.stop();
                self.model.stop();
            }
            6 => self.ask_again(argument.into()),
            7 => self.now += Duration::from_micros(u64::from(argument) * u64::from(argument) * 50),
            8 => {
                // Lost for good.
                if let Some(source) = self.current() {
                    for _ in 0..few {
                        self.sources[source].next();
                    }
                }
            }
            _ => {
                // Another source goes on meanwhile.
                let packet = self.sources[few % 4].next();
                if Some(packet.stream) == self.model.current() {
                    self.deliver(packet);
                } else {
                    assert_eq!(self.slot.map(&packet, self.now), None, "of another source");
                }
            }
        }
    }

    fn current(&self) -> Option<usize> {
        let current = self.model.current()?;
        self.sources.iter().position(|source| source.stream() == current)
    }

    fn forward(&mut self) {
        if let Some(source) = self.current() {
            let packet = self.sources[source].next();
            self.deliver(packet);
        }
    }

    fn hold(&mut self) {
        if let Some(source) = self.current()
            && self.late.len() < 64
        {
            let packet = self.sources[source].next();
            self.late.push(packet);
        }
    }

    fn switch(&mut self, source: usize, level: (u8, u8), aligned: bool) {
        if self.current() == Some(source) {
            return;
        }
        let packet = self.sources[source].key_frame();
        let aligned = aligned.then(|| self.model.last_timestamp().wrapping_add(3_600));
        self.slot.switch(&packet, level, aligned, self.now);
        self.model.switch(&packet, level);
        self.level = None;
        self.deliver(packet);
    }

    fn deliver(&mut self, packet: Sample) {
        if let Some(level) = self.level
            && Some(packet.stream) == self.model.current()
            && self.slot.begins_picture(&packet)
        {
            self.slot.set_level(&packet, level);
            self.model.set_level(&packet, level);
            self.level = None;
        }
        let sent = self.slot.map(&packet, self.now);
        self.model.check(&packet, sent.as_ref());
    }

    /// Asks for all of the last numbers again.
    fn ask_again(&self, count: u16) {
        let Some(highest) = self.model.highest() else { return };
        for back in 0..=count.min(600) {
            let number = (highest as u16).wrapping_sub(back);
            let found = self.slot.source_of(number);
            let out = highest.checked_sub(u64::from(back));
            self.model.check_source(out, found);
            if let Some((_, _, out)) = found
                && let Some((packet, before)) = self.model.sent(out)
                && let Some(again) = self.slot.again(number, packet)
            {
                // Ids of 7 bits tell half of 128 pictures apart, which is more than caches keep.
                let picture_id = match self.model.tells_pictures(packet) {
                    true => again.picture_id,
                    false => before.picture_id,
                };
                let again = Sent { picture_id, ..again };
                assert_eq!(again, *before, "sent again as it was sent: {packet:?}");
            }
        }
    }
}
