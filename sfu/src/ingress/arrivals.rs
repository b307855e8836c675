//! Arrival times of a publisher's packets, for transport-wide feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01).

use crate::limits;
use weir_wire::rtcp;

/// Arrivals since the last feedback.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    highest: Option<u64>,
    /// First number not yet covered by a feedback.
    next: Option<u64>,
    entries: Vec<(u64, u64)>,
    scratch: Vec<Option<i64>>,
    feedback_count: u8,
    media_ssrc: u32,
}

impl Arrivals {
    /// Notes one packet. Returns true when feedback should go out now because the list is full.
    pub(crate) fn note(&mut self, number: u16, ssrc: u32, arrival_us: u64) -> bool {
        let seq = match self.highest {
            None => u64::from(number).wrapping_add(1 << 16),
            Some(highest) => {
                let diff = number.wrapping_sub(highest as u16) as i16;
                highest.wrapping_add_signed(i64::from(diff))
            }
        };
        self.highest = Some(self.highest.map_or(seq, |highest| highest.max(seq)));
        self.media_ssrc = ssrc;
        if self.entries.capacity() == 0 {
            // All at once: no packet later waits for memory.
            self.entries.reserve(limits::ARRIVALS);
        }
        if self.entries.len() < limits::ARRIVALS {
            self.entries.push((seq, arrival_us));
        }
        self.entries.len() >= limits::ARRIVALS
    }

    /// Whether there is something to tell.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends one or more feedback packets to `out` and starts anew.
    pub(crate) fn write(&mut self, sender_ssrc: u32, out: &mut Vec<u8>) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable();
        entries.dedup_by_key(|entry| entry.0);
        // Late ones were told to be lost: each run of them is told again, alone, so that nothing
        // is said a second time about what lies between.
        let fresh = self.next.unwrap_or(0);
        let (mut late, on_time) =
            entries.split_at(entries.partition_point(|(seq, _)| *seq < fresh));
        let mut runs = 0;
        while let Some(&(first, _)) = late.first()
            && runs < limits::LATE_RUNS
        {
            runs = runs.saturating_add(1);
            let run = (first..).zip(late).take_while(|(seq, entry)| *seq == entry.0).count();
            let (run, rest) = late.split_at(run);
            self.write_span(first, run, sender_ssrc, out);
            late = rest;
        }
        if let (Some(&(first, _)), Some(&(last, _))) = (on_time.first(), on_time.last()) {
            // Numbers between the last feedback and the first arrival were lost: say so, within
            // reason.
            let span = limits::ARRIVALS as u64;
            let from = match self.next {
                Some(next) if first.wrapping_sub(next) < span => next,
                _ => first,
            };
            self.write_span(from, on_time, sender_ssrc, out);
            self.next = Some(last.wrapping_add(1));
        }
        entries.clear();
        // The memory is used again.
        self.entries = entries;
    }

    /// Tells about the numbers from `from` to the last of `entries`.
    fn write_span(
        &mut self,
        from: u64,
        entries: &[(u64, u64)],
        sender_ssrc: u32,
        out: &mut Vec<u8>,
    ) {
        let Some(&(last, _)) = entries.last() else { return };
        let to = last.min(from.wrapping_add((limits::ARRIVALS as u64).wrapping_mul(2)));
        self.scratch.clear();
        let mut entries = entries.iter().peekable();
        for seq in from..=to {
            let arrival = match entries.peek() {
                Some(&&(entry, at)) if entry == seq => {
                    entries.next();
                    i64::try_from(at).ok()
                }
                _ => None,
            };
            self.scratch.push(arrival);
        }
        let mut base = from as u16;
        let mut rest = self.scratch.as_slice();
        while let Some(first) = rest.iter().find_map(|arrival| *arrival) {
            let covered = rtcp::write_transport_cc(
                out,
                sender_ssrc,
                self.media_ssrc,
                base,
                rtcp::reference_time_64ms(first),
                self.feedback_count,
                rest,
            );
            if covered == 0 {
                break;
            }
            self.feedback_count = self.feedback_count.wrapping_add(1);
            base = base.wrapping_add(covered as u16);
            rest = rest.get(covered..).unwrap_or_default();
        }
    }
}
