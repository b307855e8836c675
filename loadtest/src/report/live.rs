//! What is shown while a run lasts: about twelve lines drawn anew each second on a terminal, a line every five
//! seconds elsewhere.

use super::diary::{Point, SHORTEST_S, Usage};
use super::{BUSY, units};
use crate::measure::{Counters, Sample};
use std::collections::VecDeque;
use std::io::{IsTerminal as _, Write};
use std::time::Duration;

/// Between lines where the view is not a terminal.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

/// Seconds over which we are judged to be the bottleneck.
const RECENT: usize = 5;

/// Width of the progress bar in columns.
const BAR: usize = 30;

/// What the view says of the run.
#[derive(Debug, Clone)]
pub struct LiveConfig {
    /// The scenario's name.
    pub title: String,
    /// Against what.
    pub target: String,
    /// Stages in their order, for the bar.
    pub stages: Vec<(String, Duration)>,
    /// Nothing is shown.
    pub quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Quiet,
    Plain,
    Terminal { colour: bool },
}

/// The view, on standard error.
#[derive(Debug)]
pub struct Live {
    config: LiveConfig,
    style: Style,
    last: Option<Sample>,
    /// The latest points, for the warning.
    recent: VecDeque<Point>,
    /// Lines on the terminal that the next drawing replaces.
    drawn: usize,
    /// When the last plain line was due.
    plain: Option<Duration>,
    cores: f64,
}

impl Live {
    /// Begins; draws nothing yet.
    #[must_use]
    pub fn new(config: LiveConfig) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let style = if config.quiet {
            Style::Quiet
        } else if std::io::stderr().is_terminal() && !dumb {
            Style::Terminal { colour: std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) }
        } else {
            Style::Plain
        };
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_style(config, style, cores as f64)
    }

    fn with_style(config: LiveConfig, style: Style, cores: f64) -> Self {
        Self { config, style, last: None, recent: VecDeque::new(), drawn: 0, plain: None, cores }
    }

    /// Shows the second that this sample ends.
    pub fn update(&mut self, sample: &Sample) {
        let text = self.frame(sample);
        write(&text);
    }

    /// A line for the user, above the view; plain where there is none, nothing when quiet.
    pub fn say(&mut self, line: &str) {
        if self.style != Style::Quiet {
            let erase = self.erase();
            write(&format!("{erase}{line}\n"));
        }
    }

    /// The last view stays.
    pub fn end(&mut self) {
        self.drawn = 0;
    }

    /// What is written for a sample.
    fn frame(&mut self, sample: &Sample) -> String {
        let point = Point::between(self.last.as_ref(), sample);
        if self.last.is_some() && point.seconds < SHORTEST_S {
            return String::new();
        }
        self.recent.push_back(point);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        let text = match self.style {
            Style::Quiet => String::new(),
            Style::Plain => self.plain_line(sample),
            Style::Terminal { colour } => self.drawing(sample, colour),
        };
        self.last = Some(sample.clone());
        text
    }

    /// Moves the cursor to where the drawing began and clears from there on.
    fn erase(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\r\x1b[J"),
        }
    }

    fn drawing(&mut self, sample: &Sample, colour: bool) -> String {
        let lines = self.lines(sample, colour);
        // Lines longer than the terminal are cut by it instead of wrapped (DECAWM).
        let mut text = self.erase();
        text.push_str("\x1b[?7l");
        for line in &lines {
            text.push_str(line);
            text.push_str("\x1b[K\n");
        }
        text.push_str("\x1b[?7h");
        self.drawn = lines.len();
        text
    }

    fn plain_line(&mut self, sample: &Sample) -> String {
        let due = self.plain.is_none_or(|last| sample.at.saturating_sub(last) >= PLAIN_EVERY);
        if !due {
            return String::new();
        }
        self.plain = Some(sample.at);
        let Some(point) = self.recent.back() else { return String::new() };
        let server = point.server.map_or_else(String::new, |server| {
            format!(", server {:.2} cores {}", server.cores, units::bytes(server.rss_bytes as f64))
        });
        let delay = point
            .delay_p99_us
            .map_or_else(String::new, |p99| format!(", delay p99 {}", units::micros(p99 as f64)));
        let mut line = format!(
            "{} {}: {} in, {} failed, {} packets/s {}, loss {}{delay}{server}\n",
            clock(sample.at),
            sample.stage,
            point.people.present,
            point.people.failed,
            units::count(point.rate(point.counted.received_packets).round() as u64),
            units::bitrate(point.rate(point.counted.received_bytes) * 8.0),
            loss(&point.counted),
        );
        if let Some(warning) = self.warning() {
            line.push_str(&warning);
            line.push('\n');
        }
        line
    }

    /// The drawing's lines.
    fn lines(&self, sample: &Sample, colour: bool) -> Vec<String> {
        let Some(point) = self.recent.back() else { return Vec::new() };
        let (people, media) = (point.people, &sample.media);
        let paint = |code: &str, text: &str| {
            if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
        };
        let label = |name: &str| paint("2", &format!("{name:<10}"));
        let joining = people.started.saturating_sub(people.present + people.left + people.failed);
        let failed = format!("{} failed", people.failed);
        let failed = if people.failed > 0 { paint("31", &failed) } else { failed };
        let optional = |value: Option<u64>| {
            value.map_or_else(|| "-".to_owned(), |value| units::micros(value as f64))
        };
        let quantile = |times: &hdrhistogram::Histogram<u64>, q: f64| {
            optional((!times.is_empty()).then(|| times.value_at_quantile(q)))
        };
        let joins = &media.delays.first_packet;
        let heights: Vec<String> =
            media.by_height.iter().rev().map(|(height, n)| format!("{n} x {height}p")).collect();
        let loss_now = loss(&point.counted);
        let loss_now =
            if point.counted.lost_packets > 0 { paint("33", &loss_now) } else { loss_now };
        let rate = |count| units::count(point.rate(count).round() as u64);
        let bits = |bytes| units::bitrate(point.rate(bytes) * 8.0);
        let counted = &point.counted;
        let mut lines = vec![
            format!("{} {} -> {}", paint("1", "weir-load"), self.config.title, self.config.target),
            self.progress(sample, colour),
            format!(
                "{}{} in the meeting, {joining} joining, {failed}, {} left",
                label("people"),
                people.present,
                people.left
            ),
            format!(
                "{}{:>9} packets/s  {:>12}",
                label("received"),
                rate(counted.received_packets),
                bits(counted.received_bytes)
            ),
            format!(
                "{}{:>9} packets/s  {:>12}",
                label("sent"),
                rate(counted.sent_packets),
                bits(counted.sent_bytes)
            ),
            format!("{}{loss_now} now, {} in all", label("loss"), loss(&media.counters)),
            format!(
                "{}p50 {}, p99 {} (last second)",
                label("delay"),
                optional(point.delay_p50_us),
                optional(point.delay_p99_us)
            ),
            format!(
                "{}p50 {}, p95 {} (to the first packet)",
                label("join"),
                quantile(joins, 0.5),
                quantile(joins, 0.95)
            ),
            format!(
                "{}{} streams, {} frames/s, {} freezes{}{}",
                label("video"),
                media.streams,
                rate(counted.frames),
                media.counters.freezes,
                if heights.is_empty() { "" } else { ": " },
                heights.join(", ")
            ),
        ];
        if sample.server.is_some() {
            let text = point.server.map_or_else(|| "-".to_owned(), |usage| process(&usage));
            lines.push(format!("{}{text}", label("server")));
        }
        lines.push(format!(
            "{}{} of {} cores",
            label("weir-load"),
            process(&point.own),
            self.cores
        ));
        // Always a line, so that what is below does not jump.
        lines.push(self.warning().map_or_else(String::new, |warning| paint("33", &warning)));
        lines
    }

    fn progress(&self, sample: &Sample, colour: bool) -> String {
        let total: Duration = self.config.stages.iter().map(|(_, length)| *length).sum();
        let share = if total.is_zero() {
            1.0
        } else {
            (sample.at.as_secs_f64() / total.as_secs_f64()).clamp(0.0, 1.0)
        };
        let full = (share * BAR as f64).round() as usize;
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(BAR - full.min(BAR)));
        let bar = if colour { format!("\x1b[36m{bar}\x1b[0m") } else { bar };
        let number = self.config.stages.iter().position(|(name, _)| *name == sample.stage);
        let number = number.map_or_else(String::new, |index| {
            format!(" ({} of {})", index + 1, self.config.stages.len())
        });
        let steady = if sample.steady { "" } else { ", not measured" };
        format!(
            "[{bar}] {} of {}  {}{number}{steady}",
            clock(sample.at),
            clock(total),
            sample.stage
        )
    }

    /// By the rule of the outcome, over the last seconds.
    fn warning(&self) -> Option<String> {
        let seconds: f64 = self.recent.iter().map(|point| point.seconds).sum();
        let cores: f64 = self.recent.iter().map(|point| point.own.cores * point.seconds).sum();
        let busy = self.recent.iter().filter(|point| point.own.busiest > BUSY).count();
        let drops: u64 = self.recent.iter().map(|point| point.counted.own_drops).sum();
        let late = self.recent.iter().filter(|point| point.counted.late_frames > 0).count();
        let mut reasons = Vec::new();
        if seconds > 0.0 && cores / seconds > BUSY * self.cores || busy > 1 {
            reasons.push("it has no more CPU".to_owned());
        }
        if drops > 0 {
            reasons.push(format!("its sockets dropped {drops} packets"));
        }
        if late > 1 {
            reasons.push("its frames leave late".to_owned());
        }
        let reasons = reasons.join(", ");
        (!reasons.is_empty()).then(|| format!("weir-load itself is the bottleneck: {reasons}"))
    }
}

fn write(text: &str) {
    // Nobody is there to be told that standard error is closed.
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

fn loss(counted: &Counters) -> String {
    match counted.expected_packets {
        0 => "-".to_owned(),
        due => units::percent(counted.lost_packets.min(due) as f64 / due as f64),
    }
}

fn process(usage: &Usage) -> String {
    format!(
        "{:.2} cores, busiest thread {:.0} %, {}",
        usage.cores,
        usage.busiest * 100.0,
        units::bytes(usage.rss_bytes as f64)
    )
}

/// `MM:SS`, or `H:MM:SS`.
fn clock(at: Duration) -> String {
    let (seconds, minutes) = (at.as_secs() % 60, at.as_secs() / 60);
    if minutes < 60 {
        format!("{minutes:02}:{seconds:02}")
    } else {
        format!("{}:{:02}:{seconds:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests;
