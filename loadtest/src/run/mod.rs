//! Makes a scenario happen: people come and go by its stages, each second is kept, and in the end there is
//! an [`Outcome`].

mod people;
mod stages;

use crate::engine::{Engine, EngineConfig};
use crate::error::LoadError;
use crate::measure::{Sample, Snapshot};
use crate::plan::Verify;
use crate::report::{Diary, Live, LiveConfig, Outcome, Processes, RunFacts};
use crate::scenario::Scenario;
use crate::target::{Rooms, Target, TargetConfig};
use people::People;
use stages::Stages;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::signal::unix::{SignalKind, signal};

/// How often people are asked to come or go.
const TICK: Duration = Duration::from_millis(20);
/// How often a sample is taken.
const SAMPLE: Duration = Duration::from_secs(1);
/// How long goodbyes may take in the end.
const GOODBYE: Duration = Duration::from_secs(5);
/// So long nobody may be there before the run ends.
const DESERTED: Duration = Duration::from_secs(3);

/// A run as the command line has it.
#[derive(Debug, Clone)]
pub struct RunConfig {
    /// The scenario's name.
    pub name: String,
    /// What happens.
    pub scenario: Scenario,
    /// Against whom.
    pub target: TargetConfig,
    /// How the clients are driven.
    pub engine: EngineConfig,
    /// How packets are looked at.
    pub verify: Verify,
    /// Processes of the server to watch.
    pub server_pids: Vec<u32>,
    /// Joins under way at a time.
    pub concurrency: usize,
    /// Nothing is shown while it runs.
    pub quiet: bool,
    /// The command line, without secrets.
    pub command: Vec<String>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Finished {
    /// All that was measured.
    pub outcome: Outcome,
    /// Why it ended before its time, or thresholds that were missed.
    pub error: Option<LoadError>,
}

/// Runs to the end, or until Ctrl-C or SIGTERM.
///
/// # Errors
/// When nobody could come in, or this machine does not let us.
pub async fn run(config: RunConfig) -> Result<Finished, LoadError> {
    let mut target = Target::new(config.target.clone())?;
    let mut server = match config.server_pids.as_slice() {
        [] => None,
        pids => Some(Processes::watch(pids).map_err(|error| {
            LoadError::Local(format!("cannot watch the server's process: {error}"))
        })?),
    };
    let own = Processes::own().map_err(|error| LoadError::Local(error.to_string()))?;
    let engine = Engine::start(config.engine.clone())?;

    let scenario = &config.scenario;
    let rooms = Rooms {
        count: scenario.rooms,
        people: scenario.roles.keys().map(|name| scenario.most(name)).sum(),
        publishers: scenario.order().into_iter().fold(0, |sum, name| {
            let publishes = scenario.roles.get(name).is_some_and(|role| !role.publish.is_empty());
            sum + if publishes { scenario.most(name) } else { 0 }
        }),
        codecs: scenario.codecs(),
    };
    if let Err(error) = target.prepare(&rooms).await {
        target.clean().await;
        engine.shutdown();
        return Err(error);
    }

    let started = OffsetDateTime::now_utc();
    let server_before = server.as_mut().and_then(|server| server.cost().ok());
    let live = Live::new(LiveConfig {
        title: config.name.clone(),
        target: target.title(),
        stages: scenario
            .stages
            .iter()
            .map(|stage| (stage.name.clone(), stage.duration.0))
            .collect(),
        quiet: config.quiet,
    });
    let target = Arc::new(target);
    let people = People::new(Arc::clone(&target), engine.clone(), config.concurrency);
    let begun = Instant::now();
    let mut runner = Runner {
        config: &config,
        engine: engine.clone(),
        people,
        live,
        diary: Diary::default(),
        server,
        server_ended: None,
        own,
        begun,
    };
    let result = runner.go().await;
    runner.live.end();

    let mut per_role = Vec::new();
    for role in scenario.order() {
        per_role.push((role.to_owned(), engine.snapshot_of(role).await));
    }
    let Runner { mut people, diary, server_ended, .. } = runner;
    people.all_leave();
    let _ = tokio::time::timeout(GOODBYE, people.empty()).await;
    let _ = tokio::time::timeout(GOODBYE, target.clean()).await;
    let facts = RunFacts {
        scenario: config.name.clone(),
        target: target.title(),
        command: config.command.clone(),
        started,
        threads: config.engine.threads,
        verify: config.verify,
        server_pids: config.server_pids.clone(),
        server_before,
        per_role,
        failures: people.failures(),
        thresholds: scenario.thresholds.clone(),
        ..RunFacts::default()
    };
    engine.shutdown();
    let ended = match result {
        Err(error) if !diary.saw_anybody() => return Err(error),
        Err(error) => Some(error),
        Ok(()) => server_ended.map(LoadError::Target),
    };
    let outcome = Outcome::of_diary(&facts, &diary);
    let error = ended.or_else(|| {
        let missed = outcome.missed();
        (!missed.is_empty()).then_some(LoadError::Thresholds(missed))
    });
    Ok(Finished { outcome, error })
}

struct Runner<'a> {
    config: &'a RunConfig,
    engine: Engine,
    people: People,
    live: Live,
    diary: Diary,
    server: Option<Processes>,
    /// One of its processes is there no more.
    server_ended: Option<String>,
    own: Processes,
    begun: Instant,
}

impl Runner<'_> {
    async fn go(&mut self) -> Result<(), LoadError> {
        let mut stop = Stop::new()?;
        let mut stages = Stages::new(&self.config.scenario);
        self.sample(&stages, false).await;
        // One alone first: what is wrong for all is told at once, and once.
        if let Some(first) = stages.first() {
            let plan = self.config.scenario.person(first, 0, self.config.verify);
            let scout = self.people.scout(first, plan);
            tokio::select! {
                joined = scout => joined?,
                () = stop.wait() => return Ok(()),
            }
        }
        stages.begin(Instant::now());
        let mut tick = tokio::time::interval(TICK);
        let mut sampling = tokio::time::interval_at(tokio::time::Instant::now() + SAMPLE, SAMPLE);
        sampling.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut deserted = Duration::ZERO;
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    let more = stages.step(Instant::now());
                    self.move_people(&mut stages);
                    if !more {
                        self.sample(&stages, true).await;
                        return Ok(());
                    }
                }
                _ = sampling.tick() => {
                    self.sample(&stages, true).await;
                    deserted = if self.people.is_deserted() { deserted + SAMPLE } else { Duration::ZERO };
                    if deserted >= DESERTED {
                        let why = self.people.failures().into_iter().next();
                        let why = why.map_or_else(String::new, |(why, _)| format!(": {why}"));
                        return Err(LoadError::Target(format!("nobody is left in the rooms{why}")));
                    }
                }
                () = self.people.event() => {
                    while let Some(line) = self.people.news() {
                        self.live.say(&line);
                    }
                }
                () = stop.wait() => {
                    self.live.say("stopped early");
                    self.sample(&stages, true).await;
                    return Ok(());
                }
            }
        }
    }

    /// Asks people to come and go until there are as many as the stage wants.
    fn move_people(&mut self, stages: &mut Stages<'_>) {
        let scenario = &self.config.scenario;
        for role in scenario.order() {
            let wanted = stages.wanted(role);
            for _ in 0..stages.churn(role) {
                if self.people.leave_oldest(role) {
                    self.people.come(role, scenario, self.config.verify);
                }
            }
            while self.people.asked(role) < wanted {
                self.people.come(role, scenario, self.config.verify);
            }
            while self.people.asked(role) > wanted {
                self.people.leave_newest(role);
            }
        }
    }

    async fn sample(&mut self, stages: &Stages<'_>, begun: bool) {
        let media = if begun { self.engine.snapshot().await } else { Snapshot::default() };
        let counts = self.people.counts();
        let pending = counts.started.saturating_sub(counts.present + counts.left + counts.failed);
        let settled = pending == 0 || stages.has_churn();
        let server = self.server.as_mut().map(Processes::cost);
        if let Some(Err(error)) = &server {
            self.live.say(&format!("the server's {error}"));
            self.server_ended = Some(format!("the server's {error}"));
            self.server = None;
        }
        let sample = Sample {
            at: self.begun.elapsed(),
            stage: stages.name().to_owned(),
            steady: begun && settled && stages.is_steady(Instant::now(), SAMPLE),
            media,
            people: counts,
            server: server.and_then(Result::ok),
            own: self.own.cost().unwrap_or_default(),
        };
        self.live.update(&sample);
        self.diary.add(&sample);
    }
}

/// Ctrl-C and SIGTERM.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn new() -> Result<Self, LoadError> {
        let on =
            |kind| signal(kind).map_err(|error| LoadError::Local(format!("no signals: {error}")));
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
