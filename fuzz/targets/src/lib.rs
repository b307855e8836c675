//! What is fuzzed: each target takes any bytes and panics where something does not hold.
//!
//! libFuzzer calls these functions through `fuzz/fuzz_targets`; `tests/` replays the committed
//! corpus. Pure: equal bytes make equal runs.

mod bytes;
mod rewriter;
mod sdp;
mod shard;
mod wire;

pub use rewriter::rewriter;
pub use sdp::sdp;
pub use shard::shard;
pub use wire::wire;

/// The start of virtual time: any moment, as nothing depends on which.
#[expect(clippy::disallowed_methods, reason = "an Instant has no other constructor")]
fn start() -> std::time::Instant {
    std::time::Instant::now()
}
