//! A limit on everything. What exceeds one is refused or dropped, and counted.

use std::time::Duration;

/// Bytes of one packet in the pool: an Ethernet MTU of 1500 less IP and UDP, rounded up.
/// A larger datagram cannot be forwarded without fragmentation and is dropped.
pub const PACKET_BYTES: usize = 1_536;
/// Packets in one shard's pool: 65,536 x 1.5 kB = 100 MB at most; grown in steps as needed.
pub const POOL_PACKETS: usize = 65_536;
/// Packets by which the pool grows: 1,024 x 1.5 kB = 1.5 MB.
pub const POOL_STEP: usize = 1_024;

/// Peers on one shard: 4,096 peers of about 100 kB are 400 MB; a core is busy long before.
pub const PEERS: usize = 4_096;
/// Rooms on one shard: no more than peers.
pub const ROOMS: usize = PEERS;
/// Media sections of one peer: 3 sent, 50 audio and 50 video slots, and room to spare.
pub const SECTIONS: usize = 128;
/// Tracks one peer publishes: camera, microphone, screen, its audio; twice that.
pub const TRACKS_PER_PEER: usize = 8;
/// Layers of one track: three rids by convention, four allowed.
pub const LAYERS: usize = 4;
/// SSRCs remembered for one peer: layers with their RTX for all tracks.
pub const SSRCS_PER_PEER: usize = TRACKS_PER_PEER * LAYERS * 2;

/// Packets of one video layer kept for NACK. 1 s at 2.5 Mbit/s and 1,200 bytes is 260.
pub const CACHE_VIDEO: usize = 512;
/// How long a packet is kept for NACK while others follow: a receiver that asks later has given up.
pub const CACHE_AGE: Duration = Duration::from_millis(1_000);
/// Packets of one audio stream kept for NACK: 1 s at 20 ms is 50.
pub const CACHE_AUDIO: usize = 64;
/// Missing packets tracked per incoming stream; more than this is a break, not loss.
pub const MISSING: usize = 256;
/// Tries to get one missing packet.
pub const NACK_TRIES: u8 = 10;
/// Age at which a missing packet is given up.
pub const NACK_AGE: Duration = Duration::from_millis(1_000);
/// Time between looks at what is missing.
pub const NACK_TICK: Duration = Duration::from_millis(20);
/// Same packet is not sent again to one receiver within this time.
pub const RESEND_INTERVAL: Duration = Duration::from_millis(10);
/// Recent retransmissions remembered per slot for [`RESEND_INTERVAL`].
pub const RESENT: usize = 64;
/// Stretches of continuous source packets remembered per slot, for NACK after a switch.
pub const SEGMENTS: usize = 16;

/// Words of 64 packets in which a slot knows what it left out of a source, for late packets and NACK:
/// 2,048 packets are 4 s at 5 Mbit/s; a source's caches hold fewer.
pub const LEFT_OUT_PACKETS: usize = 32;
/// The same for pictures of VP8: 512 are 17 s at 30 frames per second.
pub const LEFT_OUT_PICTURES: usize = 8;
/// Changes of layers within one source stream that a slot knows, for late packets.
pub const LEVEL_CHANGES: usize = 8;
/// Pictures (3 s at 30 per second) after which a key frame is asked for where a higher temporal layer
/// offers no point to begin.
pub const LEVEL_PATIENCE: u8 = 90;

/// Packets that may wait for one receiver: 16 publishers with frames of 64.
pub const EGRESS_QUEUE: usize = 1_024;
/// Video that waits longer than this at the estimate gives way to newer.
pub const QUEUE_TIME: Duration = Duration::from_millis(250);
/// The same where a screen is shown, whose key frame of 180 kB is worth waiting for: libwebrtc's bound,
/// too. Other slots keep to [`QUEUE_TIME`].
pub const QUEUE_TIME_SCREEN: Duration = Duration::from_millis(2_875);
/// Bytes of video that may wait at any estimate: the key frame of a small picture.
pub const QUEUE_LEAST: usize = 32 * 1024;
/// The same while a path is still unknown: a large key frame.
pub const QUEUE_UNPROVEN: usize = 256 * 1024;
/// How long a path counts as unknown after the first video: two probes and their answers.
pub const UNPROVEN: Duration = Duration::from_millis(2_000);
/// The pacer's tick: what waits together leaves together.
pub const PACER_TICK: Duration = Duration::from_millis(5);
/// Resent packets a receiver may ask for at once: bursts of 200 ms at 2.5 Mbit/s are 52 packets, of
/// four streams.
pub const RESEND_BURST: f64 = 200.0;
/// And in the long run: 20 % of 25 Mbit/s in packets of 1,200 bytes is 520.
pub const RESENDS_A_SECOND: f64 = 500.0;
/// Bytes likewise, where there is an estimate: 200 ms at 1.6 Mbit/s.
pub const RESEND_BURST_BYTES: f64 = 40_000.0;
/// And in the long run: share of the estimate.
pub const RESEND_SHARE: f64 = 1.0 / 3.0;
/// How long after an estimate fell what was sent before a switch is not sent again.
pub const SQUEEZED: Duration = Duration::from_secs(2);
/// Shared anew at most this often, unless an estimate falls much.
pub const SHARE_INTERVAL: Duration = Duration::from_millis(100);
/// Shared anew at least this often while video is received: rates of layers change.
pub const SHARE_AGAIN: Duration = Duration::from_millis(500);
/// A layer that nobody wants at two looks this far apart is asked off.
pub const LAYER_LOOK: Duration = Duration::from_secs(1);
/// Padding that evens out the segments of a train, per packet.
pub const PAD_BYTES: usize = 32;
/// Share of a receiver's bytes that may be such padding: 1/32, about 3 %.
pub const PAD_SHARE: u64 = 32;

/// Transport-wide arrivals kept between two feedbacks: 50 ms at 77 Mbit/s. A full list is told at
/// once, and in less than an MTU: 2 bytes for each, and a quarter of one for each that was lost.
pub const ARRIVALS: usize = 400;
/// Runs of late packets in one feedback, each a packet of some 24 bytes.
pub const LATE_RUNS: usize = 8;
/// A compound RTCP packet with more bytes takes up nothing more. What may still be written then, a
/// report or 50 pairs of a NACK, fits below 1,200.
pub const RTCP_FULL: usize = 900;
/// Interval of transport-wide feedback.
pub const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);
/// Interval of sender and receiver reports (RFC 3550 6.2 allows less than 5 s at these rates).
pub const REPORT_INTERVAL: Duration = Duration::from_millis(1_000);
/// Two requests for a key frame of one layer are at least this far apart.
pub const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(300);
/// A layer without packets for this long is not being sent.
pub const LAYER_IDLE: Duration = Duration::from_millis(1_000);
/// Interval at which a track's ladder of layers is measured anew.
pub const LADDER_INTERVAL: Duration = Duration::from_millis(250);
/// A layer must have been sent for this long before receivers move up to it.
pub const LAYER_STEADY: Duration = Duration::from_millis(500);

/// DTLS datagrams handled per batch; further ones wait for the next, so media does not.
pub const HANDSHAKES_PER_BATCH: usize = 8;
/// DTLS datagrams that may wait; more are dropped and retransmitted by the peer.
pub const HANDSHAKES_WAITING: usize = 512;
/// How long datagrams of a peer that left count as late rather than as drops.
pub const DEPARTED_FOR: Duration = Duration::from_secs(5);
/// Peers remembered for [`DEPARTED_FOR`].
pub const DEPARTED: usize = 256;
/// Trains are handed to the backend when this many bytes wait, also within a batch: 250 packets, half
/// of a core's second cache, from which the kernel takes them.
pub const TRAIN_BYTES: usize = 256 * 1024;
/// Interval of [`weir_sfu_api::Event::Stats`].
pub const STATS_INTERVAL: Duration = Duration::from_secs(1);
/// Interval at which speakers are ranked, told, and brought into view: five times a second at most.
pub const SPEAKER_INTERVAL: Duration = Duration::from_millis(200);
/// Audio tracks that a slot-aware receiver hears at once, the loudest: more than three voices
/// together are not understood.
pub const LOUDEST: usize = 3;
/// Pauses in speech up to this do not end it; nobody loses a seat on the floor earlier either.
pub const SPEECH_HOLD: Duration = Duration::from_millis(1_000);
/// Speech of this length is no cough.
pub const CONFIRMED: Duration = Duration::from_millis(500);
/// The dominant speaker stays for at least this long unless silent.
pub const DOMINANT_HOLD: Duration = Duration::from_millis(2_000);
/// Who spoke unheard for this long may take a seat that was held for [`LONG_HELD`], and keeps it for
/// as long.
pub const UNHEARD: Duration = Duration::from_millis(5_000);
/// A seat on the floor held for this long is lost to who speaks unheard for [`UNHEARD`]. Three seats
/// change hands in this time at least, so where false levels hold them all and N wait with a real
/// speaker, that one is heard for 5 s of each 30 s x max(1, N / 3).
pub const LONG_HELD: Duration = Duration::from_millis(30_000);
/// Speakers in one [`weir_sfu_api::Event::Speakers`].
pub const SPEAKERS_TOLD: usize = 10;
/// Tiles of one view: two pages of 49 and what is pinned. The shard keeps 24 bytes for each, and an
/// index entry of 16: 5 kB a peer.
pub const TILES: usize = 128;
/// Shards of a server: as many as can be configured.
pub const SHARDS: usize = 256;
/// Bytes that may wait for another shard: 4 MB are 60 ms of 500 Mbit/s. Then whole frames stay behind.
pub const BORDER_BYTES: usize = 4 << 20;
/// A last packet of audio is sent to those who hear its track from now on if it is no older: three
/// packets' time, far more than the home of the room takes to answer.
pub const LAST_AUDIO: Duration = Duration::from_millis(60);
/// Slots of one kind up to which a client that knows nothing of slots is asked for more.
pub const JOIN_ORDER_SLOTS: usize = 50;

const _: () = assert!(CACHE_VIDEO.is_power_of_two() && CACHE_AUDIO.is_power_of_two());
const _: () = assert!(MISSING < CACHE_VIDEO);
const _: () = assert!(LEFT_OUT_PACKETS * 64 > 2 * CACHE_VIDEO);
const _: () = assert!(POOL_PACKETS.is_multiple_of(POOL_STEP));
