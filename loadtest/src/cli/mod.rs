//! The command line.

mod arguments;

use crate::engine::EngineConfig;
use crate::error::LoadError;
use crate::report::pids_of;
use crate::run::{self, RunConfig};
use crate::scenario::{self, BUILT_IN, Override, Scenario};
use crate::target::TargetConfig;
use arguments::{Arguments, Command, Run};
use clap::Parser;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;
use std::time::Duration;

/// Threads for words (HTTP, WebSocket); media has threads of its own.
const WORD_THREADS: usize = 2;

/// Runs; the exit code says how it went, see [`crate::error::LoadError`].
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Run(run) => perform(&run),
        Command::Compare(compare) => side_by_side(&compare.reports).map(|table| say(&table)),
        Command::Scenarios => list(),
        Command::Show { scenario } => scenario::text_of(&scenario).map(|text| say(&text)),
        Command::Check { scenario, set } => Scenario::load(&scenario, &set).map(|read| {
            let people: u32 = read.roles.keys().map(|role| read.most(role)).sum();
            let time: Duration = read.stages.iter().map(|stage| stage.duration.0).sum();
            say(&format!(
                "{scenario} is good: {} rooms with at most {people} people each, {} s\n",
                read.rooms,
                time.as_secs()
            ));
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; the exit code says it too.
            let _ = writeln!(std::io::stderr(), "weir-load: {error}");
            error.exit_code()
        }
    }
}

fn say(text: &str) {
    // A reader that has seen enough is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn list() -> Result<(), LoadError> {
    for (name, text) in BUILT_IN {
        let scenario = Scenario::parse(name, text, &[])?;
        say(&format!("{name:<18} {}\n", scenario.about));
    }
    say("\nweir-load show NAME prints one; copy it to a file, change it, run the file.\n");
    Ok(())
}

/// Reports named `NAME=FILE`, or by the file alone.
fn side_by_side(reports: &[String]) -> Result<String, LoadError> {
    let read = |report: &String| {
        let (name, file) = report.split_once('=').unwrap_or((report, report));
        let text = std::fs::read_to_string(file)
            .map_err(|error| LoadError::Usage(format!("{file}: {error}")))?;
        Ok((name.to_owned(), text))
    };
    let reports: Vec<_> = reports.iter().map(read).collect::<Result<_, LoadError>>()?;
    crate::report::compare(&reports).map_err(LoadError::Usage)
}

fn perform(run: &Run) -> Result<(), LoadError> {
    let config = configure(run)?;
    // Found out now and not after the run.
    for file in run.json.iter().chain(&run.html) {
        let opened = std::fs::OpenOptions::new().append(true).create(true).open(file);
        opened.map_err(|error| unwritable(file, &error))?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORD_THREADS)
        .thread_name("words")
        .enable_all()
        .build()
        .map_err(|error| LoadError::Local(format!("no threads: {error}")))?;
    let finished = runtime.block_on(run::run(config))?;
    // Tasks that wait for a server that is gone need not be waited for.
    runtime.shutdown_background();
    say(&finished.outcome.table());
    for (file, text) in [(&run.json, finished.outcome.json()), (&run.html, finished.outcome.html())]
    {
        if let Some(file) = file {
            std::fs::write(file, text).map_err(|error| unwritable(file, &error))?;
        }
    }
    finished.error.map_or(Ok(()), Err)
}

fn unwritable(file: &std::path::Path, error: &std::io::Error) -> LoadError {
    LoadError::Local(format!("cannot write {}: {error}", file.display()))
}

/// From what was typed to what is run.
fn configure(run: &Run) -> Result<RunConfig, LoadError> {
    let mut overrides = shortcuts(run)?;
    overrides.extend(run.set.iter().cloned());
    let mut scenario = Scenario::load(&run.scenario, &overrides)?;
    scenario.thresholds.extend(run.threshold.iter().cloned());
    let mut server_pids = run.server_pid.clone();
    for name in &run.server_name {
        let found = pids_of(name)
            .map_err(|error| LoadError::Local(format!("cannot look into /proc: {error}")))?;
        if found.is_empty() {
            return Err(LoadError::Usage(format!("--server-name {name}: no such process here")));
        }
        server_pids.extend(found);
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let target = TargetConfig {
        kind: run.target,
        url: run.url.clone(),
        publish_url: run.publish_url.clone(),
        play_url: run.play_url.clone(),
        token: token(run.token.as_deref())?,
        rooms: run.room.clone(),
        timeout: run.timeout.0,
    };
    Ok(RunConfig {
        name: run.scenario.clone(),
        verify: run.verify.or(scenario.verify).unwrap_or(crate::plan::Verify::Sample),
        scenario,
        engine: EngineConfig {
            threads: run.threads.unwrap_or_else(|| cores.saturating_sub(1).max(1)),
            bind: run.bind.unwrap_or_else(|| any_address(&target)),
            seed: run.seed,
        },
        target,
        server_pids,
        concurrency: run.concurrency,
        quiet: run.quiet,
        command: without_secrets(std::env::args()),
    })
}

/// `--receivers`, `--rooms` and `--duration` as changes of the scenario.
fn shortcuts(run: &Run) -> Result<Vec<Override>, LoadError> {
    let plain = Scenario::load(&run.scenario, &[])?;
    let mut changes = Vec::new();
    if let Some(rooms) = run.rooms {
        changes.push(format!("rooms={rooms}"));
    }
    if let Some(receivers) = run.receivers {
        let watch: Vec<&str> = plain
            .order()
            .into_iter()
            .filter(|role| plain.roles.get(*role).is_some_and(|role| role.publish.is_empty()))
            .collect();
        let [role] = watch[..] else {
            let text = format!(
                "--receivers: {} has {} roles that only receive ({}); use --set roles.NAME.count={receivers}",
                run.scenario,
                watch.len(),
                watch.join(", ")
            );
            return Err(LoadError::Usage(text));
        };
        changes.push(format!("roles.{role}.count={receivers}"));
    }
    if let Some(duration) = run.duration {
        // The last stage in which nobody comes or goes.
        let mut before = scenario::Crowd::new();
        let mut last = None;
        for stage in &plain.stages {
            if plain.is_steady(&before, stage) {
                last = Some(&stage.name);
            }
            before = plain.crowd(stage);
        }
        let stage = last.ok_or_else(|| {
            let text = format!("--duration: all stages of {} are ramps", run.scenario);
            LoadError::Usage(text)
        })?;
        changes.push(format!("stages.{stage}.duration={}", duration.0.as_secs_f64()));
    }
    changes.iter().map(|change| change.parse().map_err(LoadError::Usage)).collect()
}

/// As it is, or from a file after `@`.
fn token(given: Option<&str>) -> Result<Option<String>, LoadError> {
    let Some(given) = given else { return Ok(None) };
    let Some(file) = given.strip_prefix('@') else { return Ok(Some(given.to_owned())) };
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) => Err(LoadError::Usage(format!("--token @{file}: {error}"))),
    }
}

/// The address family of the server's API.
fn any_address(target: &TargetConfig) -> IpAddr {
    let url = [&target.url, &target.publish_url, &target.play_url].into_iter().flatten().next();
    if url.is_some_and(|url| url.contains("://[")) {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    }
}

/// The command line without tokens.
fn without_secrets(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut hide = false;
    arguments
        .map(|argument| {
            if std::mem::replace(&mut hide, argument == "--token") {
                return "...".to_owned();
            }
            match argument.strip_prefix("--token=") {
                Some(_) => "--token=...".to_owned(),
                None => argument,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
