//! What is fuzzed: each target takes any bytes and panics where something does not hold.
//!
//! libFuzzer calls these functions through `fuzz/fuzz_targets`; `tests/` replays the committed
//! corpus. Pure: equal bytes make equal runs.

mod bytes;
mod sdp;
mod wire;

pub use sdp::sdp;
pub use wire::wire;
