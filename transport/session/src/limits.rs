//! Bounds on what one peer may make us keep or do, each with its arithmetic.

use std::time::Duration;

/// Addresses with an authenticated check per peer. A client has a few interfaces, each seen
/// through one NAT mapping per local candidate it checks from.
pub const MAX_ADDRESSES_PER_PEER: usize = 8;

/// SSRCs per peer whose replay windows are kept (about 170 bytes each, 11 kB together). A browser
/// with camera in three layers, screen and audio sends about 10, RTX included.
pub const MAX_SRTP_SSRCS: usize = 64;

/// Bytes of a ClientHello, which is kept so that it can be replayed with another SRTP profile.
/// Browsers' are 1.4 kB with a post-quantum key share.
pub const MAX_CLIENT_HELLO_BYTES: usize = 8 * 1024;

/// DTLS bytes a peer may send before its handshake is complete. A whole client side is about
/// 3 kB (RSA chains 6 kB); this leaves five repetitions.
pub const MAX_HANDSHAKE_BYTES: usize = 32 * 1024;

/// Unencrypted handshake bytes taken after completion, for repeated last flights.
pub const MAX_LATE_HANDSHAKE_BYTES: usize = 16 * 1024;

/// From the first validated address to a complete handshake.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits before each repetition of our last flight while the peer does not answer it, the last one
/// again and again: doubling (RFC 6347 4.2.4.1), but not beyond 1.6 s, because after 10 s all is
/// over. Eight repetitions, 0.2 to 9.4 s after the flight.
pub const FLIGHT_REPEATS: [Duration; 4] = [
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
];

/// Bytes kept of our last flight for that. With an ECDSA certificate it is 1 kB.
pub const MAX_FLIGHT_BYTES: usize = 16 * 1024;

/// Repetitions of one flight because the peer repeated its own. Browsers ask 6 times in 3 s; with
/// the timer's eight, a flight of 1 kB costs 16 kB at most, sent to an authenticated address.
pub const MAX_ASKED_REPEATS: usize = 7;

/// Repetitions of one flight that rtc-dtls makes anew: after 7 it would give up. Later ones repeat
/// the same bytes.
pub const MAX_FRESH_REPEATS: usize = 7;

/// What rtc-dtls is told. Its timer runs out only when ours has it make a flight anew.
pub const FLIGHT_INTERVAL: Duration = Duration::from_millis(200);

/// A flight repeated by the peer is answered when our last answer is older than this: it may
/// still be under way.
pub const REPEAT_GAP: Duration = Duration::from_millis(100);

/// Consent ends when no authenticated check came for this long (RFC 7675 5.1).
pub const CONSENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Checks remembered per peer, 44 bytes each, so that they count once: 160 s of those that keep
/// consent, which browsers send every 2.5 s.
pub const RECENT_CHECKS: usize = 64;

/// Media goes back to a pair that was nominated earlier and is still being checked when the
/// selected one was not checked for this long. Consent checks come every 5 s or oftener (RFC 7675
/// 5.1).
pub const PAIR_ABANDONED_AFTER: Duration = Duration::from_secs(10);

/// A lower-priority pair takes over when the selected one was not nominated for this long: with
/// aggressive nomination the higher priority wins, a client that moved wins a second later.
pub const RENOMINATION_AFTER: Duration = Duration::from_secs(1);

/// Datagrams that wait to be sent; more are dropped. A flight is 2 to 4.
pub const MAX_QUEUED_TRANSMITS: usize = 32;
