//! How a run is told: [`Live`] while it lasts, [`Outcome`] when it is over (table, JSON, HTML), and
//! [`Threshold`]s that judge it. [`process`] reads what the server and we ourselves cost.
//!
//! The runner keeps a [`Diary`] of the [`crate::measure::Sample`]s: a second of it is small, whereas a sample carries
//! whole histograms.

mod compare;
mod diary;
mod html;
mod live;
mod outcome;
pub mod process;
mod table;
mod threshold;
mod units;

pub use compare::compare;
pub use diary::{Diary, Point};
pub use live::{Live, LiveConfig};
pub use outcome::{
    FORMAT, Facts, Failure, Joins, Media, Outcome, Own, RoleLine, Server, Spread, StageLine,
    Verdict,
};
pub use process::{Processes, pids_of, process_cost};
pub use threshold::{Measure, Threshold};

#[cfg(test)]
mod fixture;

use crate::measure::{ProcessCost, Snapshot};
use crate::plan::Verify;

/// Share of a core above which a thread of ours is nearly always busy, and share of the cores that we can have above
/// which all of them together are.
pub(crate) const BUSY: f64 = 0.85;

/// Share of the steady seconds in which something may go wrong here before the run is said to have measured us.
pub(crate) const TOLERATED: f64 = 0.1;

/// What is known of a run apart from its samples.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// Its name.
    pub scenario: String,
    /// As on the command line, without secrets.
    pub target: String,
    /// The command line, without secrets.
    pub command: Vec<String>,
    /// When the first person was asked to join.
    pub started: time::OffsetDateTime,
    /// Model name of this machine's processor.
    pub cpu: String,
    /// Its kernel's release.
    pub kernel: String,
    /// Its logical cores.
    pub cores: usize,
    /// Worker threads of the engine: with one core more for the runner, what we can have.
    pub threads: usize,
    /// How packets were looked at.
    pub verify: Verify,
    /// Watched processes of the server; empty without `--server-pid`.
    pub server_pids: Vec<u32>,
    /// The server before the first join, to tell what a participant costs in memory.
    pub server_before: Option<ProcessCost>,
    /// The engine's snapshot of each role at the end.
    pub per_role: Vec<(String, Snapshot)>,
    /// Why people failed, and how many of them.
    pub failures: Vec<(String, u32)>,
    /// What the run is judged by.
    pub thresholds: Vec<Threshold>,
}

impl Default for RunFacts {
    fn default() -> Self {
        Self {
            scenario: String::new(),
            target: String::new(),
            command: Vec::new(),
            started: time::OffsetDateTime::UNIX_EPOCH,
            cpu: process::cpu_model(),
            kernel: process::kernel_release(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads: 1,
            verify: Verify::Count,
            server_pids: Vec::new(),
            server_before: None,
            per_role: Vec::new(),
            failures: Vec::new(),
            thresholds: Vec::new(),
        }
    }
}
