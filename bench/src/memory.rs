//! What a receiver costs a shard in memory: `weir-memory`, a program of its own because it counts all
//! allocations.

use crate::Error;
use std::process::Command;

/// A kind of receiver and how many of them.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    /// As `weir-memory` knows it.
    pub kind: &'static str,
    /// In words.
    pub what: &'static str,
    /// How many.
    pub receivers: u64,
}

/// Those that are measured.
pub const CROWDS: [Crowd; 4] = [
    Crowd { kind: "idle", what: "idle in an empty room", receivers: 200 },
    Crowd { kind: "receiving", what: "one camera and one voice", receivers: 200 },
    Crowd { kind: "receiving", what: "one camera and one voice", receivers: 1_000 },
    Crowd { kind: "tiles", what: "nine pictures and three voices", receivers: 200 },
];
/// The smaller crowd that a larger one is compared with, and for how long both receive.
const FEW: u64 = 20;
const SECONDS: u64 = 5;

/// Bytes on the heap for one receiver.
///
/// # Errors
/// When the program is missing or a receiver could not connect.
pub fn measure(crowd: Crowd) -> Result<f64, Error> {
    let program = std::env::current_exe()?.with_file_name("weir-memory");
    let numbers = [FEW, FEW + crowd.receivers, SECONDS].map(|number| number.to_string());
    let output = Command::new(&program).arg(crowd.kind).args(numbers).output();
    let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}
