//! The way out: trains become messages, refused trains become single datagrams.

use weir_wire::train::{Train, TrainBuf};

use crate::api::SendReport;

/// Messages given to the kernel in one call.
pub(crate) const BATCH: usize = 64;

/// Trains in a row that the kernel refuses, while it takes their datagrams one by one, before
/// trains are given up for good.
const GSO_STRIKES: u8 = 3;

/// Hands messages to the kernel.
pub(crate) trait Transmit {
    /// Sends `batch`, whose bytes are in `trains`, and writes for each message the bytes sent or
    /// a negative `errno`. `results` is as long as `batch`. Trains of more than one datagram
    /// leave with `UDP_SEGMENT`.
    fn transmit(&mut self, trains: &mut TrainBuf, batch: &[Train], results: &mut [i32]);
}

/// Sends buffers of trains; keeps its memory between calls.
pub(crate) struct Sender {
    batch: Vec<Train>,
    results: Vec<i32>,
    refused: Vec<(Train, i32)>,
    gso_strikes: u8,
    pub(crate) gso_off: bool,
}

impl Sender {
    pub(crate) fn new() -> Self {
        Self {
            batch: Vec::with_capacity(BATCH),
            results: Vec::with_capacity(BATCH),
            refused: Vec::with_capacity(BATCH),
            gso_strikes: 0,
            gso_off: false,
        }
    }

    /// Sends everything and clears the buffer.
    pub(crate) fn send(&mut self, trains: &mut TrainBuf, tx: &mut dyn Transmit) -> SendReport {
        let mut report = SendReport { trains: trains.trains().len(), ..SendReport::default() };
        let mut next = 0;
        // The datagram of train `next` to go on with, when trains leave one by one.
        let mut datagram = 0;
        while next < trains.trains().len() {
            self.batch.clear();
            while let (Some(train), true) = (trains.trains().get(next), self.batch.len() < BATCH) {
                if !self.gso_off {
                    self.batch.push(*train);
                    next += 1;
                } else if let Some(single) = single(train, datagram) {
                    self.batch.push(single);
                    datagram += 1;
                } else {
                    (next, datagram) = (next + 1, 0);
                }
            }
            self.transmit(trains, tx, &mut report);
            self.send_refused(trains, tx, &mut report);
            if !self.gso_off {
                datagram = 0;
            }
        }
        trains.clear();
        report
    }

    fn transmit(&mut self, trains: &mut TrainBuf, tx: &mut dyn Transmit, report: &mut SendReport) {
        if self.batch.is_empty() {
            return;
        }
        self.results.clear();
        self.results.resize(self.batch.len(), -libc::EIO);
        tx.transmit(trains, &self.batch, &mut self.results);
        for (train, result) in self.batch.iter().zip(&self.results) {
            let count = usize::from(train.count);
            match -result {
                ..=0 => {
                    report.datagrams += count;
                    report.bytes += train.len as usize;
                    if count > 1 {
                        self.gso_strikes = 0;
                    }
                }
                libc::EAGAIN | libc::ENOBUFS => report.dropped_would_block += count,
                // The device cannot checksum segments (EIO), or a segment exceeds its MTU.
                errno @ (libc::EIO | libc::EINVAL | libc::EMSGSIZE) if count > 1 => {
                    self.refused.push((*train, errno));
                }
                _ => report.errors += count,
            }
        }
    }

    /// Sends refused trains as single datagrams.
    fn send_refused(
        &mut self,
        trains: &mut TrainBuf,
        tx: &mut dyn Transmit,
        report: &mut SendReport,
    ) {
        while let Some((train, errno)) = self.refused.pop() {
            report.gso_fallbacks += 1;
            let before = report.datagrams;
            let mut datagram = 0;
            loop {
                self.batch.clear();
                while let (Some(single), true) =
                    (single(&train, datagram), self.batch.len() < BATCH)
                {
                    self.batch.push(single);
                    datagram += 1;
                }
                if self.batch.is_empty() {
                    break;
                }
                self.transmit(trains, tx, report);
            }
            // EINVAL has causes that are not the train's (port 0, a source that is not ours):
            // then the single datagrams fail likewise and trains stay allowed.
            if report.datagrams > before {
                self.gso_strikes = self.gso_strikes.saturating_add(1);
                if !self.gso_off && (errno == libc::EIO || self.gso_strikes >= GSO_STRIKES) {
                    self.gso_off = true;
                    tracing::warn!(errno, "UDP_SEGMENT is refused, sending datagrams one by one");
                }
            }
        }
    }
}

/// Datagram `index` of `train` as a train of its own.
fn single(train: &Train, index: u16) -> Option<Train> {
    let offset = u32::from(train.segment).checked_mul(u32::from(index))?;
    let len = train.len.checked_sub(offset)?.min(u32::from(train.segment));
    let segment = u16::try_from(len).ok().filter(|len| *len > 0)?;
    Some(Train { start: train.start.checked_add(offset)?, len, segment, count: 1, ..*train })
}

#[cfg(test)]
mod tests;
