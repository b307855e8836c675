//! Where a run stands in its stages.

use crate::scenario::{Crowd, Scenario, Stage};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The stage that is now, and what it wants.
#[derive(Debug)]
pub(super) struct Stages<'a> {
    scenario: &'a Scenario,
    current: usize,
    began: Instant,
    /// Into the stage, at the last step.
    within: Duration,
    stepped: Duration,
    before: Crowd,
    after: Crowd,
    /// Parts of people who are to be replaced.
    owed: BTreeMap<String, f64>,
}

impl<'a> Stages<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let mut stages = Self {
            scenario,
            current: 0,
            began: Instant::now(),
            within: Duration::ZERO,
            stepped: Duration::ZERO,
            before: Crowd::new(),
            after: Crowd::new(),
            owed: BTreeMap::new(),
        };
        stages.enter(0, Crowd::new());
        stages
    }

    fn stage(&self) -> Option<&'a Stage> {
        self.scenario.stages.get(self.current)
    }

    fn enter(&mut self, index: usize, before: Crowd) {
        self.current = index;
        self.within = Duration::ZERO;
        self.stepped = Duration::ZERO;
        self.after = self.stage().map(|stage| self.scenario.crowd(stage)).unwrap_or_default();
        self.before = before;
    }

    /// The role of the first person to come, if anybody does in the first stage.
    pub(super) fn first(&self) -> Option<&'a str> {
        self.scenario.order().into_iter().find(|role| self.after.get(*role).is_some_and(|n| *n > 0))
    }

    /// The first stage begins now.
    pub(super) fn begin(&mut self, now: Instant) {
        self.began = now;
    }

    /// Goes on to this moment; `false` when the last stage is over.
    pub(super) fn step(&mut self, now: Instant) -> bool {
        while let Some(stage) = self.stage() {
            let within = now.saturating_duration_since(self.began);
            if within < stage.duration.0 {
                self.churn_until(stage, within);
                self.within = within;
                return true;
            }
            self.churn_until(stage, stage.duration.0);
            if self.current + 1 == self.scenario.stages.len() {
                self.within = stage.duration.0;
                return false;
            }
            self.began += stage.duration.0;
            let after = std::mem::take(&mut self.after);
            self.enter(self.current + 1, after);
        }
        false
    }

    fn churn_until(&mut self, stage: &Stage, within: Duration) {
        let passed = within.saturating_sub(self.stepped).as_secs_f64();
        self.stepped = within;
        for (role, rate) in &stage.churn {
            *self.owed.entry(role.clone()).or_default() += rate * passed;
        }
    }

    /// How many of a role are to be there now.
    pub(super) fn wanted(&self, role: &str) -> u32 {
        let of = |crowd: &Crowd| f64::from(crowd.get(role).copied().unwrap_or(0));
        let (from, to) = (of(&self.before), of(&self.after));
        let duration = self.stage().map_or(0.0, |stage| stage.duration.0.as_secs_f64());
        let part = if duration > 0.0 { self.within.as_secs_f64() / duration } else { 1.0 };
        // The first comes at once when it grows, the last goes at the end when it shrinks.
        let now = (from + (to - from) * part).ceil();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between two u32"
        )]
        let now = now as u32;
        now
    }

    /// How many of a role are to be replaced since the last time.
    pub(super) fn churn(&mut self, role: &str) -> u32 {
        let Some(owed) = self.owed.get_mut(role) else { return 0 };
        let whole = owed.floor();
        *owed -= whole;
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "casts saturate"
        )]
        let whole = whole as u32;
        whole
    }

    pub(super) fn has_churn(&self) -> bool {
        self.stage().is_some_and(|stage| stage.churn.values().any(|rate| *rate > 0.0))
    }

    pub(super) fn name(&self) -> &'a str {
        self.stage().map_or("", |stage| stage.name.as_str())
    }

    /// Whether the time since `ago` counts: all of it in a stage in which nobody comes or goes (but for churn),
    /// after the warm-up.
    pub(super) fn is_steady(&self, now: Instant, ago: Duration) -> bool {
        let Some(stage) = self.stage() else { return false };
        let within = now.saturating_duration_since(self.began);
        self.scenario.is_steady(&self.before, stage) && within >= self.scenario.warm_up.0 + ago
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        warm_up = "2s"
        [roles.a]
        count = 10
        receive = { audio = 1 }
        [[stages]]
        name = "ramp"
        duration = "10s"
        [[stages]]
        name = "hold"
        duration = "5s"
        churn = { a = 2.5 }
        [[stages]]
        name = "down"
        duration = "5s"
        factor = 0.0
    "#;

    #[test]
    fn people_come_linearly_stay_and_go() {
        let scenario = Scenario::parse("test", TEXT, &[]).unwrap();
        let mut stages = Stages::new(&scenario);
        assert_eq!(stages.first(), Some("a"));
        let begin = Instant::now();
        stages.begin(begin);
        let mut at = |ms: u64| {
            let now = begin + Duration::from_millis(ms);
            let more = stages.step(now);
            let steady = stages.is_steady(now, Duration::from_secs(1));
            (stages.name(), stages.wanted("a"), stages.churn("a"), steady, more)
        };
        assert_eq!(at(0), ("ramp", 0, 0, false, true));
        assert_eq!(at(1), ("ramp", 1, 0, false, true));
        assert_eq!(at(5000), ("ramp", 5, 0, false, true));
        assert_eq!(at(10_000), ("hold", 10, 0, false, true));
        assert_eq!(at(12_000), ("hold", 10, 5, false, true));
        assert_eq!(at(13_000), ("hold", 10, 2, true, true));
        assert_eq!(at(17_500), ("down", 5, 5, false, true));
        assert_eq!(at(20_000), ("down", 0, 0, false, false));
    }
}
