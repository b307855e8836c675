//! What a process costs, read from /proc (Linux).
//!
//! CPU time is the larger of two readings: the sum of `/proc/PID/task/*/schedstat` (nanoseconds, but without the
//! threads that have ended) and user + system time of `/proc/PID/stat` (all threads ever, in steps of 10 ms). Both only
//! grow, so the larger one does too, and it is exact to the nanosecond as long as no thread ends.

use crate::measure::ProcessCost;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// Steps a second of the times in `/proc/PID/stat`: `USER_HZ`, 100 on every Linux that is run today.
const USER_HZ: u64 = 100;

/// Most processes looked at together.
pub const MAX_PROCESSES: usize = 64;

/// What `pid` has cost since its start: all its threads, not its children. `busiest_micros` is 0: that is told by
/// [`Processes`], which remembers.
///
/// # Errors
/// `NotFound`: there is no such process, or it has ended.
pub fn process_cost(pid: u32) -> Result<ProcessCost> {
    Processes::watch(&[pid])?.cost()
}

/// Processes that are measured together, as one server.
#[derive(Debug, Clone)]
pub struct Processes {
    watched: Vec<Watched>,
}

#[derive(Debug, Clone)]
struct Watched {
    pid: u32,
    /// The moment of its start, by which a number given to another process is told.
    started: u64,
    /// CPU nanoseconds of each thread when last read; empty before the first reading.
    threads: BTreeMap<u32, u64>,
}

impl Processes {
    /// Looks at them for the first time.
    ///
    /// # Errors
    /// One of them is not there, or there are more than [`MAX_PROCESSES`].
    pub fn watch(pids: &[u32]) -> Result<Self> {
        if pids.len() > MAX_PROCESSES {
            let text = format!("at most {MAX_PROCESSES} processes are watched, not {}", pids.len());
            return Err(Error::new(ErrorKind::InvalidInput, text));
        }
        let mut watched = Vec::with_capacity(pids.len());
        for &pid in pids {
            let started = read(pid)?.started;
            watched.push(Watched { pid, started, threads: BTreeMap::new() });
        }
        watched.sort_unstable_by_key(|one| one.pid);
        watched.dedup_by_key(|one| one.pid);
        Ok(Self { watched })
    }

    /// Ourselves.
    ///
    /// # Errors
    /// /proc cannot be read.
    pub fn own() -> Result<Self> {
        Self::watch(&[std::process::id()])
    }

    /// Whether there is nothing to watch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// Their costs added up; the busiest thread is that of all of them.
    ///
    /// # Errors
    /// `NotFound` with its number when one has ended, even if the number has been given to another.
    pub fn cost(&mut self) -> Result<ProcessCost> {
        let mut sum = ProcessCost::default();
        for one in &mut self.watched {
            let reading = read(one.pid)?;
            if reading.started != one.started {
                return Err(ended(one.pid));
            }
            sum.cpu_micros += reading.cost.cpu_micros;
            sum.waited_micros += reading.cost.waited_micros;
            sum.rss_bytes += reading.cost.rss_bytes;
            if !one.threads.is_empty() {
                let since = |(thread, nanos): (&u32, &u64)| {
                    nanos.saturating_sub(one.threads.get(thread).copied().unwrap_or(0))
                };
                let busiest = reading.threads.iter().map(since).max().unwrap_or(0);
                sum.busiest_micros = sum.busiest_micros.max(busiest / 1_000);
            }
            one.threads = reading.threads;
        }
        Ok(sum)
    }
}

/// All processes whose program is called `name`, ourselves apart; sorted, perhaps none.
///
/// # Errors
/// /proc cannot be read.
pub fn pids_of(name: &str) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    if name.is_empty() {
        return Ok(found);
    }
    for entry in fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry.file_name().to_str().and_then(|text| text.parse().ok()) else {
            continue;
        };
        if pid != std::process::id() && is_called(&entry.path(), name) {
            found.push(pid);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// `/proc/PID/comm` holds 15 bytes of the name, the command line's first word the whole of it.
fn is_called(root: &Path, name: &str) -> bool {
    let comm = fs::read(root.join("comm")).unwrap_or_default();
    if comm.strip_suffix(b"\n").unwrap_or(&comm) == name.as_bytes() {
        return true;
    }
    let command = fs::read(root.join("cmdline")).unwrap_or_default();
    let program = command.split(|byte| *byte == 0).next().unwrap_or_default();
    program.rsplit(|byte| *byte == b'/').next() == Some(name.as_bytes())
}

struct Reading {
    cost: ProcessCost,
    /// In ticks since boot.
    started: u64,
    /// CPU nanoseconds of each living thread.
    threads: BTreeMap<u32, u64>,
}

fn read(pid: u32) -> Result<Reading> {
    let root = PathBuf::from(format!("/proc/{pid}"));
    let gone = |error: Error| match error.kind() {
        // ESRCH: it ended between opening and reading.
        ErrorKind::NotFound => ended(pid),
        _ if error.raw_os_error() == Some(3) => ended(pid),
        kind => Error::new(kind, format!("process {pid}: {error}")),
    };
    let stat = fs::read_to_string(root.join("stat")).map_err(gone)?;
    let stat = parse_stat(&stat).ok_or_else(|| {
        Error::new(ErrorKind::InvalidData, format!("/proc/{pid}/stat is not understood"))
    })?;
    if matches!(stat.state, 'Z' | 'X' | 'x') {
        return Err(ended(pid));
    }
    let status = fs::read_to_string(root.join("status")).map_err(gone)?;
    // Without memory: a kernel thread, or one that ends at this moment.
    let rss_bytes = rss(&status).ok_or_else(|| ended(pid))?;
    let (threads, waited) = threads(&root);
    let scheduled = threads.values().fold(0_u64, |sum, nanos| sum.saturating_add(*nanos)) / 1_000;
    let cost = ProcessCost {
        cpu_micros: scheduled.max(stat.cpu_micros),
        waited_micros: waited / 1_000,
        busiest_micros: 0,
        rss_bytes,
    };
    Ok(Reading { cost, started: stat.started, threads })
}

fn ended(pid: u32) -> Error {
    Error::new(ErrorKind::NotFound, format!("process {pid} has ended or never was"))
}

struct Stat {
    state: char,
    cpu_micros: u64,
    started: u64,
}

/// proc_pid_stat(5). The name in brackets may itself hold spaces and brackets.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Field 3 of the manual is the first one here.
    let number = |field: usize| fields.get(field.checked_sub(3)?)?.parse::<u64>().ok();
    let ticks = number(14)?.checked_add(number(15)?)?;
    Some(Stat {
        state: fields.first()?.chars().next()?,
        cpu_micros: ticks.checked_mul(1_000_000 / USER_HZ)?,
        started: number(22)?,
    })
}

/// `VmRSS:   123 kB`, which are KiB.
fn rss(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Of each thread's schedstat: nanoseconds on a processor, and of all together those of waiting for one.
fn threads(root: &Path) -> (BTreeMap<u32, u64>, u64) {
    let (mut ran, mut waited) = (BTreeMap::new(), 0_u64);
    for task in fs::read_dir(root.join("task")).into_iter().flatten().flatten() {
        // A thread that ends while we look is found in `stat`.
        let Ok(text) = fs::read_to_string(task.path().join("schedstat")) else { continue };
        let mut numbers = text.split_ascii_whitespace().map(str::parse::<u64>);
        let (Some(Ok(on)), Some(Ok(ready))) = (numbers.next(), numbers.next()) else { continue };
        if let Some(id) = task.file_name().to_str().and_then(|text| text.parse().ok()) {
            ran.insert(id, on);
            waited = waited.saturating_add(ready);
        }
    }
    (ran, waited)
}

/// Model name of the first processor; `unknown` where /proc does not say.
#[must_use]
pub fn cpu_model() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line =
        text.lines().find(|line| line.starts_with("model name") || line.starts_with("CPU part"));
    line.and_then(|line| line.split_once(':'))
        .map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned())
}

/// Release of the running kernel; `unknown` where /proc does not say.
#[must_use]
pub fn kernel_release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

#[cfg(test)]
mod tests;
