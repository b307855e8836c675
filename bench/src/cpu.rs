//! CPU time of threads, as the scheduler accounts it, and what machine this is.

use crate::Error;
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::time::Duration;

/// CPU time of the calling thread so far.
///
/// # Errors
/// When the kernel says something that is no time.
pub fn own() -> Result<Duration, Error> {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Ok(Duration::new(time.tv_sec.try_into()?, time.tv_nsec.try_into()?))
}

/// CPU time so far of all threads of this process whose name begins with one of `names`; those of
/// threads that sleep are exact, others up to a timer tick old.
///
/// # Errors
/// When the kernel has no `schedstat` (`CONFIG_SCHED_INFO`).
pub fn of_threads(names: &[&str]) -> Result<Duration, Error> {
    let mut sum = Duration::ZERO;
    for entry in fs::read_dir("/proc/self/task")? {
        let path = entry?.path();
        let Ok(name) = fs::read_to_string(path.join("comm")) else { continue };
        if names.iter().any(|wanted| name.starts_with(wanted)) {
            sum += read(path.join("schedstat"))?;
        }
    }
    Ok(sum)
}

/// The first number: nanoseconds on a CPU.
fn read(path: impl AsRef<std::path::Path>) -> Result<Duration, Error> {
    let text = fs::read_to_string(path)?;
    let nanos = text.split_whitespace().next().ok_or("empty schedstat")?.parse()?;
    Ok(Duration::from_nanos(nanos))
}

/// Adds up the calling thread's CPU time over many short pieces of work, less what asking costs.
pub struct Stopwatch {
    spent: Duration,
    pieces: u32,
    cost: Duration,
}

impl Stopwatch {
    /// Finds out what asking costs.
    ///
    /// # Errors
    /// As [`own`].
    pub fn new() -> Result<Self, Error> {
        const ASKED: u32 = 200;
        let mut watch = Self { spent: Duration::ZERO, pieces: 0, cost: Duration::ZERO };
        for _ in 0..ASKED {
            watch.time(|| ())?;
        }
        watch.cost = watch.spent / ASKED;
        watch.reset();
        Ok(watch)
    }

    /// Forgets what was timed.
    pub fn reset(&mut self) {
        self.spent = Duration::ZERO;
        self.pieces = 0;
    }

    /// Times one piece.
    ///
    /// # Errors
    /// As [`own`].
    pub fn time(&mut self, work: impl FnOnce()) -> Result<(), Error> {
        let before = own()?;
        work();
        self.spent += own()?.saturating_sub(before);
        self.pieces += 1;
        Ok(())
    }

    /// The sum so far.
    #[must_use]
    pub fn spent(&self) -> Duration {
        self.spent.saturating_sub(self.cost * self.pieces)
    }

    /// The sum so far in microseconds.
    #[must_use]
    pub fn micros(&self) -> f64 {
        self.spent().as_secs_f64() * 1e6
    }
}

/// The machine's CPU, as it calls itself, and how many.
#[must_use]
pub fn model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown", |(_, name)| name.trim());
    let count = text.lines().filter(|line| line.starts_with("processor")).count();
    format!("{count} x {name}")
}

/// The kernel's release.
#[must_use]
pub fn kernel() -> String {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    text.trim().to_owned()
}

/// Runnable threads on average over the last minute: what else the machine does.
#[must_use]
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(f64::NAN)
}
