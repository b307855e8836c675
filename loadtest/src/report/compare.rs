//! Reports side by side, as a table that Markdown and people can read.

use super::outcome::FORMAT;
use super::units::{bitrate, bytes, count, micros, percent, plain};
use serde_json::Value;
use std::fmt::Write as _;

/// Name of a row, where its figure is in a report, and how it is shown.
type Row = (&'static str, &'static str, fn(f64) -> String);

const ROWS: &[Row] = &[
    ("people", "/joins/succeeded", |v| count(v as u64)),
    ("failed joins", "/joins/failed", |v| count(v as u64)),
    ("packets received a second", "/media/received_packets_per_s", |v| count(v.round() as u64)),
    ("received", "/media/received_bps", bitrate),
    ("delivered", "/media/delivered_share", percent),
    ("delay p50", "/added_delay/p50_us", micros),
    ("delay p99", "/added_delay/p99_us", micros),
    ("join to first packet p50", "/joins/first_packet/p50_us", micros),
    ("join to first packet p95", "/joins/first_packet/p95_us", micros),
    ("freezes", "/media/freezes", plain),
    ("server cores", "/server/cpu_cores", |v| format!("{v:.2}")),
    ("server CPU a packet", COST, micros),
    ("packets a CPU second", CPU, plain),
    ("server memory a participant", "/server/rss_per_participant_bytes", bytes),
];

/// What the best of several runs is chosen by.
const CPU: &str = "/server/packets_per_cpu_s";

/// What is shown of all runs.
const COST: &str = "/server/cpu_us_per_packet";

/// One column: the run of a server that delivered most packets a CPU second.
struct Column {
    name: String,
    best: Value,
    runs: usize,
    /// CPU a packet of each run that has it, smallest first.
    costs: Vec<f64>,
}

/// Puts reports (name and JSON) side by side, in the order in which names come first. Several of a name: all figures are
/// of the run with the most packets a CPU second, for what disturbs only ever takes away; of those without a watched
/// server, of the first.
///
/// # Errors
/// One is no report of [`FORMAT`].
pub fn compare(reports: &[(String, String)]) -> Result<String, String> {
    let mut columns: Vec<Column> = Vec::new();
    for (name, text) in reports {
        let report: Value =
            serde_json::from_str(text).map_err(|error| format!("{name}: no report: {error}"))?;
        match report.get("format").and_then(Value::as_u64) {
            Some(format) if format == u64::from(FORMAT) => {}
            Some(format) => return Err(format!("{name}: format {format}, this reads {FORMAT}")),
            None => return Err(format!("{name}: no report: it has no \"format\"")),
        }
        let cost = figure(&report, COST);
        match columns.iter_mut().find(|column| column.name == *name) {
            Some(column) => {
                column.runs += 1;
                column.costs.extend(cost);
                if figure(&report, CPU) > figure(&column.best, CPU) {
                    column.best = report;
                }
            }
            None => columns.push(Column {
                name: name.clone(),
                best: report,
                runs: 1,
                costs: cost.into_iter().collect(),
            }),
        }
    }
    columns.iter_mut().for_each(|column| column.costs.sort_by(f64::total_cmp));
    Ok(print(&columns))
}

fn figure(report: &Value, pointer: &str) -> Option<f64> {
    report.pointer(pointer).and_then(Value::as_f64).filter(|value| value.is_finite())
}

fn print(columns: &[Column]) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let cells = |name: &str, of: &dyn Fn(&Column) -> String| {
        let cells = columns.iter().map(of);
        std::iter::once(name.to_owned()).chain(cells).collect::<Vec<_>>()
    };
    rows.push(cells("", &|column| column.name.replace('|', "/")));
    if columns.iter().any(|column| column.runs > 1) {
        rows.push(cells("best of runs", &|column| column.runs.to_string()));
    }
    for (name, pointer, show) in ROWS {
        let known = columns.iter().any(|column| figure(&column.best, pointer).is_some());
        if known {
            rows.push(cells(name, &|column| {
                figure(&column.best, pointer).map_or_else(|| "-".to_owned(), show)
            }));
        }
    }
    if columns.iter().any(|column| column.costs.len() > 1) {
        rows.push(cells("CPU a packet, worst run", &|column| {
            column.costs.last().map_or_else(|| "-".to_owned(), |cost| micros(*cost))
        }));
    }
    let first = columns.first().and_then(|column| figure(&column.best, CPU));
    if let Some(first) = first.filter(|first| *first > 0.0 && columns.len() > 1) {
        rows.push(cells("packets a CPU second, ratio", &|column| {
            let ratio = figure(&column.best, CPU).map(|value| value / first);
            ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2} x"))
        }));
    }
    let limited = |column: &Column| {
        let reasons = column.best.pointer("/own/bottleneck").and_then(Value::as_array);
        reasons.is_some_and(|reasons| !reasons.is_empty())
    };
    if columns.iter().any(limited) {
        rows.push(cells("weir-load was the bottleneck", &|column| {
            if limited(column) { "yes" } else { "no" }.to_owned()
        }));
    }
    aligned(&rows)
}

/// With bars between, the first column to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match at {
                0 => write!(text, "| {cell:<width$} |"),
                _ => write!(text, " {cell:>width$} |"),
            };
        }
        text.push('\n');
        if number == 0 {
            for (at, width) in widths.iter().enumerate() {
                let dashes = "-".repeat(width - usize::from(at > 0));
                let _ = match at {
                    0 => write!(text, "| {dashes} |"),
                    _ => write!(text, " {dashes}: |"),
                };
            }
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{facts, run};
    use super::super::{Outcome, RunFacts};
    use super::*;

    fn report(name: &str, cost: u64) -> (String, String) {
        let mut samples = run(11, 10);
        for server in samples.iter_mut().filter_map(|sample| sample.server.as_mut()) {
            server.cpu_micros *= cost;
        }
        let facts = RunFacts { scenario: name.to_owned(), ..facts() };
        (name.to_owned(), Outcome::of(&facts, &samples).json())
    }

    #[test]
    fn servers_stand_side_by_side_each_with_its_best_run() {
        let reports = [report("a", 2), report("b", 9), report("a", 1), report("b", 4)];
        let expected = "\
|                             |          a |          b |
| --------------------------- | ---------: | ---------: |
| best of runs                |          2 |          2 |
| people                      |         11 |         11 |
| failed joins                |          0 |          0 |
| packets received a second   |        990 |        990 |
| received                    | 7.9 Mbit/s | 7.9 Mbit/s |
| delivered                   |    99.00 % |    99.00 % |
| delay p50                   |    50.0 ms |    50.0 ms |
| delay p99                   |    99.0 ms |    99.0 ms |
| join to first packet p50    |    7.50 ms |    7.50 ms |
| join to first packet p95    |    9.01 ms |    9.01 ms |
| freezes                     |          0 |          0 |
| server cores                |       0.00 |       0.02 |
| server CPU a packet         |    5.00 us |      20 us |
| packets a CPU second        |    200 000 |     50 000 |
| server memory a participant |  100.0 KiB |  100.0 KiB |
| CPU a packet, worst run     |      10 us |      45 us |
| packets a CPU second, ratio |     1.00 x |     0.25 x |
";
        let table = compare(&reports).unwrap();
        assert_eq!(table, expected, "is now:\n{table}");
    }

    #[test]
    fn what_is_no_report_is_said() {
        let of = |text: &str| compare(&[("x".to_owned(), text.to_owned())]).unwrap_err();
        assert!(of("{").starts_with("x: no report: "));
        assert!(of("{}").contains("no \"format\""));
        assert_eq!(of(r#"{"format": 7}"#), "x: format 7, this reads 1");
    }
}
