//! One table for people, one line of JSON for each of its rows.

use crate::{Error, cpu};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A measured figure.
struct Row {
    what: String,
    unit: &'static str,
    ours: Option<f64>,
    floor: Option<f64>,
    target: Option<Target>,
    note: String,
    more: Map<String, Value>,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// Ours over the floor.
    RatioAtMost(f64),
    /// Ours.
    AtMost(f64),
    /// Ours.
    AtLeast(f64),
}

/// What was measured, and where and when.
pub struct Report {
    date: String,
    commit: String,
    cpu: String,
    kernel: String,
    load: f64,
    rows: Vec<Row>,
}

impl Default for Report {
    fn default() -> Self {
        let now = OffsetDateTime::now_utc();
        let now = now.replace_nanosecond(0).unwrap_or(now);
        Self {
            date: now.format(&Rfc3339).unwrap_or_default(),
            commit: commit(),
            cpu: cpu::model(),
            kernel: cpu::kernel(),
            load: cpu::load(),
            rows: Vec::new(),
        }
    }
}

impl Report {
    /// Says what the row added last should show.
    pub fn target(&mut self, target: Option<Target>) {
        if let Some(row) = self.rows.last_mut() {
            row.target = target;
        }
    }

    /// Adds a row; `more` is for machines only.
    pub fn add(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        ours: Option<f64>,
        floor: Option<f64>,
        note: impl Into<String>,
        more: Value,
    ) {
        let more = if let Value::Object(more) = more { more } else { Map::new() };
        let (what, note) = (what.into(), note.into());
        self.rows.push(Row { what, unit, ours, floor, target: None, note, more });
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = format!(
            "{}; Linux {}; commit {}; {}; load {:.1}; smallest of {} runs\n\n",
            self.cpu,
            self.kernel,
            self.commit,
            self.date,
            self.load,
            crate::ROUNDS
        );
        out += "| what | unit | ours | floor | ratio | target | met | note |\n";
        out += "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |\n";
        for row in &self.rows {
            let cells = [row.ours, row.floor, row.ratio()].map(figure);
            let [ours, floor, ratio] = cells;
            out += &format!(
                "| {} | {} | {ours} | {floor} | {ratio} | {} | {} | {} |\n",
                row.what,
                row.unit,
                row.target.map_or_else(String::new, Target::text),
                row.met().map_or("", |met| if met { "yes" } else { "no" }),
                row.note
            );
        }
        out
    }

    /// Appends a line for each row to `path`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&self, path: &Path) -> Result<(), Error> {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
        for row in &self.rows {
            let mut line = json!({
                "date": self.date,
                "commit": self.commit,
                "cpu": self.cpu,
                "kernel": self.kernel,
                "load": self.load,
                "what": row.what,
                "unit": row.unit,
                "ours": row.ours,
                "floor": row.floor,
                "ratio": row.ratio(),
                "target": row.target.map(Target::text),
                "met": row.met(),
            });
            if let Value::Object(line) = &mut line {
                line.extend(row.more.clone());
            }
            writeln!(file, "{line}")?;
        }
        Ok(())
    }
}

impl Row {
    fn ratio(&self) -> Option<f64> {
        Some(self.ours? / self.floor?)
    }

    fn met(&self) -> Option<bool> {
        Some(match self.target? {
            Target::RatioAtMost(most) => self.ratio()? <= most,
            Target::AtMost(most) => self.ours? <= most,
            Target::AtLeast(least) => self.ours? >= least,
        })
    }
}

impl Target {
    fn text(self) -> String {
        match self {
            Self::RatioAtMost(most) => format!("{} x", figure(Some(most))),
            Self::AtMost(most) => format!("<= {}", figure(Some(most))),
            Self::AtLeast(least) => format!(">= {}", figure(Some(least))),
        }
    }
}

/// Three significant digits; nothing for what was not measured.
fn figure(value: Option<f64>) -> String {
    match value {
        None => String::new(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// The commit that was measured; with a plus when the checkout differs from it.
fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(hash) = git(&["rev-parse", "--short", "HEAD"]) else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
    let changed = changed.is_some_and(|text| !text.is_empty());
    format!("{hash}{}", if changed { "+" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_its_ratio_and_leaves_out_what_was_not_measured() {
        let mut report = Report::default();
        report.add("a", "us", Some(3.0), Some(2.0), "n", json!({ "train": 4 }));
        report.target(Some(Target::RatioAtMost(1.4)));
        report.add("b", "ns", Some(123.4), None, "", Value::Null);
        report.add("c", "1/s", Some(10.0), None, "", Value::Null);
        report.target(Some(Target::AtLeast(9.0)));
        let table = report.table();
        assert!(table.contains("| a | us | 3.00 | 2.00 | 1.50 | 1.40 x | no | n |"), "{table}");
        assert!(table.contains("| b | ns | 123 |  |  |  |  |  |"), "{table}");
        assert!(table.contains("| c | 1/s | 10.0 |  |  | >= 9.00 | yes |  |"), "{table}");
    }
}
