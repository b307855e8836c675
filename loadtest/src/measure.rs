//! What was seen: the values that the engine fills and the report tells.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::time::Duration;

/// Counters of the whole run or of a role; they only grow.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Counters {
    /// RTP packets sent by our publishers, retransmissions apart.
    pub sent_packets: u64,
    /// Their bytes, with headers and tag, without UDP and IP.
    pub sent_bytes: u64,
    /// RTP packets received on media SSRCs, repeats of a number apart.
    pub received_packets: u64,
    /// All bytes of received RTP.
    pub received_bytes: u64,
    /// Received on RTX SSRCs, or a second time.
    pub received_resent: u64,
    /// Padding only.
    pub received_padding: u64,
    /// Packets due: from the first to the last sequence number of each stream, by RFC 3550 A.3.
    pub expected_packets: u64,
    /// Due and never come, retransmissions counted as come; about a second behind.
    pub lost_packets: u64,
    /// Due by the publishers' own numbers in the payload (verify all or sample), streams as sent:
    /// a server that hides loss by renumbering shows here. 0 with `count`.
    pub stamped_missing: u64,
    /// Packets opened to look at them.
    pub verified_packets: u64,
    /// Opened and not what was sent, or not authentic.
    pub corrupt_packets: u64,
    /// Whole frames of video.
    pub frames: u64,
    /// Key frames among them.
    pub key_frames: u64,
    /// Freezes by the model of W3C webrtc-stats `freezeCount`.
    pub freezes: u64,
    /// Their length.
    pub freeze_micros: u64,
    /// Sequence numbers that we asked for again.
    pub nacks_sent: u64,
    /// Key frames that we asked for.
    pub plis_sent: u64,
    /// Sequence numbers that our publishers were asked for.
    pub nacks_received: u64,
    /// Key frames that our publishers were asked for.
    pub plis_received: u64,
    /// Datagrams dropped by the built-in impairment.
    pub impaired_drops: u64,
    /// Datagrams dropped in our own sockets for want of speed (the `drops` column of /proc/net/udp).
    pub own_drops: u64,
    /// Frames that our publishers sent more than 10 ms late: this machine was busy.
    pub late_frames: u64,
    /// Changes of resolution or layer that a receiver saw.
    pub switches: u64,
}

impl Counters {
    const FIELDS: usize = 23;

    /// What was counted after `before`. Counters only grow: where packets sent or received did not, the counting has
    /// begun anew, and all of it is new.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let anew = self.sent_packets < before.sent_packets
            || self.received_packets < before.received_packets;
        if anew {
            return self.clone();
        }
        self.with(before, u64::saturating_sub)
    }

    /// Adds what was counted elsewhere, or later.
    pub fn add(&mut self, other: &Self) {
        *self = self.with(other, u64::saturating_add);
    }

    fn with(&self, other: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let (ours, theirs) = (self.fields(), other.fields());
        let mut result = Self::default();
        for (to, (a, b)) in result.fields_mut().into_iter().zip(ours.into_iter().zip(theirs)) {
            *to = f(a, b);
        }
        result
    }

    fn fields(&self) -> [u64; Self::FIELDS] {
        self.clone().fields_mut().map(|field| *field)
    }

    fn fields_mut(&mut self) -> [&mut u64; Self::FIELDS] {
        let Self {
            sent_packets,
            sent_bytes,
            received_packets,
            received_bytes,
            received_resent,
            received_padding,
            expected_packets,
            lost_packets,
            stamped_missing,
            verified_packets,
            corrupt_packets,
            frames,
            key_frames,
            freezes,
            freeze_micros,
            nacks_sent,
            plis_sent,
            nacks_received,
            plis_received,
            impaired_drops,
            own_drops,
            late_frames,
            switches,
        } = self;
        [
            sent_packets,
            sent_bytes,
            received_packets,
            received_bytes,
            received_resent,
            received_padding,
            expected_packets,
            lost_packets,
            stamped_missing,
            verified_packets,
            corrupt_packets,
            frames,
            key_frames,
            freezes,
            freeze_micros,
            nacks_sent,
            plis_sent,
            nacks_received,
            plis_received,
            impaired_drops,
            own_drops,
            late_frames,
            switches,
        ]
    }
}

/// How long things took, in microseconds up to 60 s, three digits.
#[derive(Debug, Clone)]
pub struct Delays {
    /// Send time in the payload to arrival, the same clock on both ends.
    pub added: Histogram<u64>,
    /// Start of joining (first word to the server) to the answer.
    pub signalling: Histogram<u64>,
    /// Start of joining to keys.
    pub connected: Histogram<u64>,
    /// Start of joining to the first packet of media.
    pub first_packet: Histogram<u64>,
    /// Start of joining to the first whole key frame.
    pub first_key_frame: Histogram<u64>,
}

impl Default for Delays {
    fn default() -> Self {
        let new = || Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds are constants");
        Self {
            added: new(),
            signalling: new(),
            connected: new(),
            first_packet: new(),
            first_key_frame: new(),
        }
    }
}

/// Everything at one moment, as the engine gives it.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Since the start.
    pub counters: Counters,
    /// Since the start.
    pub delays: Delays,
    /// `added` since the snapshot before.
    pub added_since: Option<Histogram<u64>>,
    /// Connections whose keys are there and which have not ended.
    pub connected: u32,
    /// Video streams received at the moment (packets in the last second).
    pub streams: u32,
    /// Received video streams by height in lines, where the tool knows it (its own synthetic media).
    pub by_height: std::collections::BTreeMap<u16, u32>,
}

/// People at one moment, as the runner gives them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct People {
    /// Asked to join so far.
    pub started: u32,
    /// In the meeting now.
    pub present: u32,
    /// Left by plan.
    pub left: u32,
    /// Could not join, or lost their connection.
    pub failed: u32,
}

/// What a process cost, from /proc.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ProcessCost {
    /// User and system time of all its threads since its start, in microseconds.
    pub cpu_micros: u64,
    /// Time in which its living threads were ready to run and had no processor, in microseconds.
    pub waited_micros: u64,
    /// CPU time of the thread that ran most since the reading before, in microseconds; 0 at the first.
    pub busiest_micros: u64,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
}

/// One line of the run's diary, each second.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Since the start of the run.
    pub at: Duration,
    /// Name of the stage.
    pub stage: String,
    /// Whether this second counts: not a ramp, not the warm-up.
    pub steady: bool,
    /// Media.
    pub media: Snapshot,
    /// Who is there.
    pub people: People,
    /// The server's processes, with `--server-pid`; `None` also when one of them has ended.
    pub server: Option<ProcessCost>,
    /// Ours.
    pub own: ProcessCost,
}
