//! A limit on everything, and the constants of the control loops. docs/congestion.md has the reasons.

use std::time::Duration;

/// Sent packets remembered for feedback: 1 s at 20 Mbit/s and 1,200 bytes is 2,083, feedback comes
/// every 50 to 250 ms. 2,048 entries of 12 bytes are 24 kB a leg, 100 MB for 4,096 legs.
pub const HISTORY: usize = 2_048;
/// Statuses of one feedback that are looked at: no more can be in the history.
pub const STATUSES: usize = HISTORY;
/// Received packets of one feedback sorted at once, on the stack: 256 of 24 bytes are 6 kB.
pub const SORTED: usize = 256;

/// Rate at which a leg starts, bit/s, unless configured otherwise.
pub const START_BPS: u64 = 600_000;
/// Least estimate, bit/s: one Opus stream at 24 kbit/s with headers.
pub const MIN_BPS: u64 = 50_000;
/// Largest estimate, bit/s, unless configured otherwise.
pub const MAX_BPS: u64 = 50_000_000;
/// What a leg without any feedback falls to, bit/s: audio and the lowest layer of one video.
pub const BLIND_BPS: u64 = 200_000;
/// Ceiling where only receiver reports tell of the path (no transport-cc, no REMB), bit/s.
pub const REPORTS_MAX_BPS: u64 = 2_500_000;

/// Silence after which a sending leg's rate falls (plus one round trip).
pub const SILENCE: Duration = Duration::from_millis(1_000);
/// Time between falls during silence.
pub const SILENCE_STEP: Duration = Duration::from_millis(500);
/// What is left of the estimate at each fall during silence.
pub const SILENCE_FACTOR: f64 = 0.7;
/// How long reports or REMB count as news of the path. Receiver reports come every 1 to 5 s.
pub const REPORT_AGE: Duration = Duration::from_secs(8);
/// Transport-wide feedback older than this makes a leg rely on reports.
pub const FEEDBACK_AGE: Duration = Duration::from_secs(3);

/// The tick of the pacer and of a probe's portions.
pub const TICK: Duration = Duration::from_millis(5);
/// Time between routine looks at a sending leg.
pub const HOUSEKEEPING: Duration = Duration::from_millis(100);
