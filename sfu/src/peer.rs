//! One participant's connection: a table of contents of its parts.

use crate::egress::leg::Leg;
use crate::egress::queue::Queue;
use crate::egress::resends::Resends;
use crate::ingress::arrivals::Arrivals;
use crate::ingress::publication::{Binding, Publication};
use crate::ingress::remb::Remb;
use crate::limits;
use crate::slot::Slot;
use std::time::{Duration, Instant};
use weir_session::PeerTransport;
use weir_sfu_api::{
    MediaKind, PeerId, Rights, ShardId, SlotPolicy, SourceKind, TransportDescription, View,
};

/// Numbers of one peer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PeerCounters {
    pub(crate) packets_sent: u64,
    pub(crate) packets_received: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) retransmitted: u64,
    /// Bytes of padding that evened out trains.
    pub(crate) padded: u64,
    /// Bytes of padding that probed the path.
    pub(crate) probed: u64,
    /// Received packets lost for good, of layers that are gone.
    pub(crate) lost: u64,
}

/// When a peer wants to be looked at, by purpose.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timers {
    /// Sender and receiver reports.
    pub(crate) report: Option<Instant>,
    /// Transport-wide feedback.
    pub(crate) feedback: Option<Instant>,
    /// Missing packets.
    pub(crate) nack: Option<Instant>,
    /// A key frame is wanted but was asked for too recently.
    pub(crate) key_frame: Option<Instant>,
    /// Something waits for the pacer, or a probe goes on.
    pub(crate) pacer: Option<Instant>,
    /// Congestion control looks at the path.
    pub(crate) leg: Option<Instant>,
    /// The estimate is to be shared anew.
    pub(crate) share: Option<Instant>,
    /// Layers that nobody wants may be asked off.
    pub(crate) demand: Option<Instant>,
}

/// One participant's connection.
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    /// Index in the shard's rooms.
    pub(crate) room: u32,
    pub(crate) rights: Rights,
    pub(crate) policy: SlotPolicy,
    /// What it wants to see, for [`SlotPolicy::Speakers`].
    pub(crate) view: View,
    /// A ghost: its packets come from this shard.
    pub(crate) origin: Option<ShardId>,
    /// Present from the first offer on.
    pub(crate) transport: Option<PeerTransport>,
    /// The client's parameters as last applied.
    pub(crate) remote: Option<TransportDescription>,
    /// Our user name fragment before an ICE restart, valid until the first check with the new one.
    pub(crate) old_ufrag: Option<String>,
    pub(crate) first_offer: Option<Instant>,
    pub(crate) connected: bool,
    pub(crate) publications: Vec<Publication>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) slots_changed: bool,
    /// Sources that are off by the publisher's own word; each at most once.
    pub(crate) muted: Vec<SourceKind>,
    /// Slots it had when it was last asked for more.
    pub(crate) asked_at: Option<usize>,
    /// How many cameras in the order of speaking it shows, as noted in its room.
    pub(crate) reach: u16,
    pub(crate) arrivals: Arrivals,
    pub(crate) remb: Option<Remb>,
    /// SSRC of our own RTCP where no slot's serves.
    pub(crate) feedback_ssrc: u32,
    /// Publisher's NTP to ours: smallest seen, so least delayed.
    pub(crate) ntp_offset: Option<i64>,
    pub(crate) rtt_us: u64,
    pub(crate) queue: Queue,
    /// Its path to us and what may be sent on it.
    pub(crate) leg: Leg,
    /// How much it may ask for again.
    pub(crate) resends: Resends,
    /// Listed in the shard as having something to send.
    pub(crate) dirty: bool,
    pub(crate) timers: Timers,
    /// When it had its first turn to report; others follow at equal distances.
    pub(crate) first_report: Option<Instant>,
    /// The entry in the shard's timer heap that counts.
    pub(crate) scheduled: Option<Instant>,
    pub(crate) counters: PeerCounters,
}

impl Peer {
    pub(crate) fn new(
        id: PeerId,
        room: u32,
        rights: Rights,
        policy: SlotPolicy,
        feedback_ssrc: u32,
    ) -> Self {
        Self {
            id,
            room,
            rights,
            policy,
            view: View::default(),
            origin: None,
            transport: None,
            remote: None,
            old_ufrag: None,
            first_offer: None,
            connected: false,
            publications: Vec::new(),
            bindings: Vec::new(),
            slots: Vec::new(),
            slots_changed: false,
            muted: Vec::new(),
            asked_at: None,
            reach: 0,
            arrivals: Arrivals::default(),
            remb: None,
            feedback_ssrc,
            ntp_offset: None,
            rtt_us: 0,
            queue: Queue::default(),
            leg: Leg::default(),
            resends: Resends::default(),
            dirty: false,
            timers: Timers::default(),
            first_report: None,
            scheduled: None,
            counters: PeerCounters::default(),
        }
    }

    /// After its queue was looked at: when to look again.
    pub(crate) fn arm_pacer(&mut self, now: Instant) {
        self.timers.pacer = if self.queue.is_empty() { None } else { self.leg.next_tick(now) };
        self.timers.leg = self.leg.next_timeout(now);
    }

    /// A packet came or left: there is something to report, at the peer's next turn.
    pub(crate) fn arm_reports(&mut self, now: Instant) {
        if self.timers.report.is_some() {
            return;
        }
        // Peers that join together do not report together.
        let share = Duration::from_millis(u64::from(self.feedback_ssrc) % 1_000);
        let first = *self.first_report.get_or_insert(now.checked_add(share).unwrap_or(now));
        let passed = now.saturating_duration_since(first);
        let turns = passed.as_nanos().div_ceil(limits::REPORT_INTERVAL.as_nanos().max(1));
        let turns = u32::try_from(turns).unwrap_or(u32::MAX);
        let later = limits::REPORT_INTERVAL.saturating_mul(turns);
        self.timers.report = first.checked_add(later);
    }

    /// How long a packet that comes now waits for the pacer, in microseconds.
    pub(crate) fn pacing_us(&mut self) -> u64 {
        let time = self.leg.drain_time(self.queue.video_bytes());
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
    }

    /// May this source be heard or seen by others?
    pub(crate) fn may_publish(&self, source: SourceKind) -> bool {
        match source {
            SourceKind::Microphone => self.rights.publish_audio,
            SourceKind::Camera => self.rights.publish_video,
            SourceKind::Screen | SourceKind::ScreenAudio => self.rights.publish_screen,
        }
    }

    /// Did the publisher say that this source is off?
    pub(crate) fn is_muted(&self, source: SourceKind) -> bool {
        self.muted.contains(&source)
    }

    /// Is media sent to it?
    pub(crate) fn receives(&self) -> bool {
        self.connected && self.rights.subscribe
    }

    pub(crate) fn slot_of_ssrc(&mut self, ssrc: u32) -> Option<(usize, &mut Slot)> {
        self.slots.iter_mut().enumerate().find(|(_, slot)| slot.ssrc == ssrc)
    }

    /// Slots of `kind`, open or not.
    pub(crate) fn slot_count(&self, kind: MediaKind) -> usize {
        self.slots.iter().filter(|slot| slot.section.kind == kind).count()
    }

    /// Slots of `kind` that are open.
    pub(crate) fn open_slots(&self, kind: MediaKind) -> usize {
        self.slots.iter().filter(|slot| slot.section.kind == kind && slot.open).count()
    }

    /// Tracks in open slots of `kind`.
    pub(crate) fn seated(&self, kind: MediaKind) -> impl Iterator<Item = u32> + '_ {
        let slots = self.slots.iter().filter(move |slot| slot.section.kind == kind && slot.open);
        slots.filter_map(|slot| slot.track)
    }

    /// The earliest of all deadlines: asked for with each datagram.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        let timers = &self.timers;
        let transport = self.transport.as_ref().and_then(PeerTransport::next_at);
        let first =
            earlier(earlier(timers.report, timers.feedback), earlier(timers.nack, transport));
        let second =
            earlier(earlier(timers.pacer, timers.leg), earlier(timers.share, timers.demand));
        earlier(earlier(first, second), timers.key_frame)
    }

    /// What falls due at `at`, which [`Self::next_at`] gave.
    pub(crate) fn reason(&self, at: Instant) -> &'static str {
        let own = [
            (self.timers.report, "reports"),
            (self.timers.feedback, "transport-wide feedback"),
            (self.timers.nack, "missing packets"),
            (self.timers.key_frame, "key frame request"),
            (self.timers.pacer, "pacer"),
            (self.timers.leg, "congestion control"),
            (self.timers.share, "sharing the estimate"),
            (self.timers.demand, "layers nobody wants"),
        ];
        let own = own.into_iter().find(|(due, _)| due.is_some_and(|due| due <= at));
        own.map(|(_, why)| why)
            .or_else(|| Some(self.transport.as_ref()?.poll_timeout()?.1))
            .unwrap_or("")
    }
}

fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, None) => a,
        (None, b) => b,
    }
}
