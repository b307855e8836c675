//! What a shard counted: totals, and drops by reason.

macro_rules! reasons {
    ($(#[$about:meta])* $all:ident: $($(#[$doc:meta])* $name:ident = $label:literal),+ $(,)?) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $all { $($(#[$doc])* $name),+ }

        impl $all {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The label in metrics.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$name => $label),+ }
            }
        }
    };
}

reasons! {
    /// Why something was dropped.
    DropReason:
    /// First byte fits no protocol (RFC 7983).
    Unclassified = "unclassified",
    /// RTP, RTCP or DTLS from an address without an authenticated check.
    UnknownSource = "unknown_source",
    /// STUN that is malformed, forged or for nobody here.
    Stun = "stun",
    /// DTLS out of turn, over its limits or malformed.
    Dtls = "dtls",
    /// Handshake datagrams over the limit of those that wait.
    DtlsBacklog = "dtls_backlog",
    /// RTP header not parseable.
    MalformedRtp = "malformed_rtp",
    /// RTCP not parseable.
    MalformedRtcp = "malformed_rtcp",
    /// SRTP or SRTCP authentication failed or no keys yet.
    Unauthentic = "unauthentic",
    /// Seen before (replay window).
    Replayed = "replayed",
    /// Larger than a pool slot.
    Oversized = "oversized",
    /// Belongs to no negotiated media.
    UnknownStream = "unknown_stream",
    /// Same sequence number again in another SRTP packet (RTX beside the original).
    Duplicate = "duplicate",
    /// A late packet of an SSRC that another one of the same layer has replaced.
    Superseded = "superseded",
    /// The publisher may not send this.
    NotAllowed = "not_allowed",
    /// Codec payload not parseable.
    MalformedPayload = "malformed_payload",
    /// No free packet in the pool.
    PoolExhausted = "pool_exhausted",
    /// Another shard does not keep up.
    BorderFull = "border_full",
    /// A receiver's queue is full.
    EgressFull = "egress_full",
    /// Sealing failed.
    Seal = "seal",
    /// A retransmission was asked for what is no longer kept.
    CacheMiss = "cache_miss",
    /// Video that waited for a receiver's path and gave way to newer.
    Congestion = "congestion",
    /// A receiver asked for more again than can be missing.
    NackStorm = "nack_storm",
    /// Feedback that tells of nothing that was sent.
    Feedback = "feedback",
    /// A per-peer or per-shard limit.
    Limit = "limit",
}

reasons! {
    /// Datagrams that a well-behaved peer sends, but too late to matter. No drops.
    LateReason:
    /// A DTLS flight that was answered already: the answer was lost, or is still under way.
    DtlsRepeated = "dtls_repeated",
    /// From a peer that left a moment ago, or to one: media, checks, close_notify.
    Departed = "departed",
    /// Media of a source that its publisher's last offer takes out.
    EndedStream = "ended_stream",
}

/// Totals since the shard started.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Datagrams in.
    pub datagrams_in: u64,
    /// Bytes in.
    pub bytes_in: u64,
    /// Datagrams out.
    pub datagrams_out: u64,
    /// Bytes out.
    pub bytes_out: u64,
    /// RTP packets accepted.
    pub rtp_in: u64,
    /// RTP packets sent.
    pub rtp_out: u64,
    /// Retransmissions among them.
    pub retransmitted: u64,
    /// Packets padded to even out a train, retransmissions apart.
    pub padded: u64,
    /// Retransmissions padded likewise.
    pub padded_rtx: u64,
    /// Key frames asked for.
    pub key_frame_requests: u64,
    /// Packets that went to other shards of their room, once for each.
    pub crossed: u64,
    /// Times that one receiver's slots of one kind were looked at, to see who sits there.
    pub seatings: u64,
    /// Packets of padding that probed receivers' paths.
    pub probe_packets: u64,
    /// Times a receiver's queue was too long and frames were dropped from it.
    pub queues_cut: u64,
    /// Layers that publishers were asked not to send.
    pub layers_off: u64,
    /// Handshakes completed.
    pub handshakes_completed: u64,
    /// Handshakes failed.
    pub handshakes_failed: u64,
    drops: [u64; DropReason::ALL.len()],
    late: [u64; LateReason::ALL.len()],
}

impl Counters {
    /// Counts one drop.
    pub fn dropped(&mut self, reason: DropReason) {
        if let Some(count) = self.drops.get_mut(reason as usize) {
            *count = count.wrapping_add(1);
        }
    }

    /// How often `reason` happened.
    #[must_use]
    pub fn drops(&self, reason: DropReason) -> u64 {
        self.drops.get(reason as usize).copied().unwrap_or_default()
    }

    /// Counts one late datagram.
    pub fn late(&mut self, reason: LateReason) {
        if let Some(count) = self.late.get_mut(reason as usize) {
            *count = count.wrapping_add(1);
        }
    }

    /// Kinds of late datagrams that came, with their counts.
    #[must_use]
    pub fn late_list(&self) -> Vec<(&'static str, u64)> {
        let all = LateReason::ALL.iter().zip(self.late);
        all.map(|(reason, count)| (reason.label(), count)).filter(|(_, count)| *count > 0).collect()
    }

    /// Reasons that happened, with their counts.
    #[must_use]
    pub fn drop_list(&self) -> Vec<(&'static str, u64)> {
        DropReason::ALL
            .iter()
            .map(|reason| (reason.label(), self.drops(*reason)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}

/// Adds one without overflow checks in the way.
pub(crate) fn bump(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}

/// Adds `by` without overflow checks in the way.
pub(crate) fn add(counter: &mut u64, by: usize) {
    *counter = counter.wrapping_add(by as u64);
}
