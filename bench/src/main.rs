//! `make bench`: measures, prints one table, appends to `bench/results.ndjson`.
//!
//! Without arguments it measures everything; else what is named, of [`PARTS`].
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use weir_bench::report::{Report, Target};
use weir_bench::{
    Error, big, delay, floor, forward, handshakes, instructions, join, memory, rooms, steps, veth,
};

/// `forward=TEXT`: only loads whose names contain the text.
const PARTS: [&str; 11] = [
    "instructions",
    "floor",
    "forward",
    "delay",
    "rooms",
    "veth",
    "steps",
    "memory",
    "handshakes",
    "big",
    "join",
];

fn main() -> Result<(), Error> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted.first().is_some_and(|first| first == veth::FAR_END) {
        return veth::far_end();
    }
    // `forward=1000` is part of a part.
    let name_of = |arg: &str| arg.split('=').next().unwrap_or_default().to_owned();
    let only = wanted.iter().find_map(|arg| arg.strip_prefix("forward=")).unwrap_or_default();
    if let Some(unknown) = wanted.iter().find(|arg| !PARTS.contains(&name_of(arg).as_str())) {
        return Err(format!("`{unknown}` is none of {}", PARTS.join(", ")).into());
    }
    if cfg!(debug_assertions) {
        return Err("a debug build measures nothing: take --release".into());
    }
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut report = Report::default();
    for part in PARTS {
        if !wanted.is_empty() && !wanted.iter().any(|arg| name_of(arg) == part) {
            continue;
        }
        eprintln!("measuring: {part}");
        match part {
            "instructions" => add_instructions(&mut report),
            "floor" => add_floor(&mut report)?,
            "forward" => add_forward(&mut report, only)?,
            "delay" => add_delay(&mut report)?,
            "rooms" => rooms::measure()?.iter().for_each(|rooms| rooms.add_to(&mut report)),
            "veth" => veth::add_to(&mut report)?,
            "steps" => add_steps(&mut report)?,
            "memory" => add_memory(&mut report),
            "handshakes" => add_handshakes(&mut report)?,
            "big" => add_big(&mut report)?,
            _ => add_join(&mut report, &root),
        }
    }
    println!("{}", report.table());
    report.append(&root.join("bench/results.ndjson"))
}

/// What needs callgrind is left out, with the reason, where there is none.
fn add_instructions(report: &mut Report) {
    match instructions::measure() {
        Err(reason) => {
            report.add("instructions", "", None, None, reason.to_string(), Value::Null);
        }
        Ok(counts) => {
            for count in counts {
                let ours = Some(count.instructions);
                report.add(count.what, count.unit, ours, None, "callgrind", Value::Null);
                report.target(count.target.map(Target::AtMost));
            }
        }
    }
}

fn add_delay(report: &mut Report) -> Result<(), Error> {
    for (publishers, receivers) in delay::CROWDS {
        let delay = delay::measure(publishers, receivers)?;
        let what = format!("added delay p99, {publishers} to {receivers}, 1 Mbit/s each");
        let note = format!(
            "p50 {:.2}, largest {:.1}; {:.0} packets/s, {:.0} % of a core, {:.1} % came",
            delay.p50,
            delay.max,
            delay.rate,
            delay.core * 100.0,
            delay.delivered * 100.0
        );
        let more = json!({
            "p50": delay.p50,
            "max": delay.max,
            "rate": delay.rate,
            "core": delay.core,
            "delivered": delay.delivered,
        });
        report.add(what, "ms", Some(delay.p99), None, note, more);
        report.target(Some(Target::AtMost(1.0)));
    }
    Ok(())
}

fn add_memory(report: &mut Report) {
    for crowd in memory::CROWDS {
        let what = format!("memory, {} receivers, {}", crowd.receivers, crowd.what);
        match memory::measure(crowd) {
            Err(reason) => {
                report.add(what, "KiB/receiver", None, None, reason.to_string(), Value::Null);
            }
            Ok(bytes) => {
                let more = json!({ "receivers": crowd.receivers, "kind": crowd.kind });
                let note = "heap without the C library's share: see docs/data-path.md";
                report.add(what, "KiB/receiver", Some(bytes / 1024.0), None, note, more);
                report.target(Some(Target::AtMost(100.0)));
            }
        }
    }
}

fn add_handshakes(report: &mut Report) -> Result<(), Error> {
    let us = handshakes::measure()?;
    let note = format!("{us:.0} us a join, from the command to the keys");
    report.add("DTLS handshakes", "1/s/core", Some(1e6 / us), None, note, json!({ "us": us }));
    report.target(Some(Target::AtLeast(1_000.0)));
    Ok(())
}

fn add_floor(report: &mut Report) -> Result<(), Error> {
    for (train, us) in floor::measure()? {
        let what = format!("floor, {train} a train");
        let more = json!({ "train": train, "bytes": weir_bench::PACKET_BYTES });
        report.add(what, "us/packet", None, Some(us), "seal + sendmmsg, 1200 bytes", more);
    }
    Ok(())
}

fn add_forward(report: &mut Report, only: &str) -> Result<(), Error> {
    for load in forward::loads().into_iter().filter(|load| load.name().contains(only)) {
        eprintln!("  {}", load.name());
        let measured = forward::measure(load)?;
        for shard in &measured.shards {
            let what = |name: &str| format!("forward, {name}, {}", load.name());
            match &shard.backend {
                Err(reason) => {
                    report.add(what("io_uring"), "us/packet", None, None, reason, Value::Null);
                }
                Ok(name) => {
                    let note = format!(
                        "{:.1} a train, {:.2} system calls a packet, {:.1} % came",
                        shard.train,
                        shard.syscalls,
                        shard.delivered * 100.0
                    );
                    let more = json!({
                        "receivers": load.receivers,
                        "bps": load.mix.bps,
                        "paced": load.mix.paced,
                        "browsers": load.mix.tells,
                        "backend": name,
                        "train": shard.train,
                        "syscalls": shard.syscalls,
                        "delivered": shard.delivered,
                    });
                    let (ours, floor) = (Some(shard.us), Some(measured.floor));
                    report.add(what(name), "us/packet", ours, floor, note, more);
                    // The target is for receivers that tell nothing and trains as they come.
                    let counts = !load.mix.tells && matches!(load.receivers, 200 | 500);
                    report.target(counts.then_some(Target::RatioAtMost(1.4)));
                }
            }
        }
    }
    Ok(())
}

fn add_steps(report: &mut Report) -> Result<(), Error> {
    for mut step in steps::all()? {
        let ns = steps::measure(&mut step)?;
        report.add(step.name, "ns/packet", Some(ns), None, "", Value::Null);
    }
    Ok(())
}

/// Clients and shard share the machine, so one run each.
fn add_big(report: &mut Report) -> Result<(), Error> {
    let meeting = big::meeting(400)?;
    let note = format!(
        "{:.0} packets/s, {:.1} % of what is due, {:.0} % of a core; drops: {:?}",
        meeting.rate,
        meeting.delivered * 100.0,
        meeting.core * 100.0,
        meeting.drops
    );
    let more = json!({
        "participants": meeting.participants,
        "rate": meeting.rate,
        "delivered": meeting.delivered,
        "core": meeting.core,
    });
    let what = format!("meeting of {}, 9 tiles, 3 voices", meeting.participants);
    report.add(what, "us/packet", Some(meeting.us), None, note, more);
    let storm = big::storm(200, Duration::from_secs(5))?;
    let note = format!("median; p95 {:.0}, slowest {:.0}; {} saw", storm.p95, storm.max, storm.saw);
    let more = json!({ "p95": storm.p95, "max": storm.max, "saw": storm.saw });
    let what = format!("{} joins in 5 s, to the first picture", storm.joins);
    report.add(what, "ms", Some(storm.p50), None, note, more);
    Ok(())
}

/// What needs a browser is left out, with the reason, where there is none.
fn add_join(report: &mut Report, root: &Path) {
    let server = std::env::var_os("WEIR_BIN").map_or_else(
        || {
            let me = std::env::current_exe().unwrap_or_default();
            me.with_file_name("weir")
        },
        PathBuf::from,
    );
    match join::measure(root, &server) {
        Err(reason) => {
            report.add("browsers", "", None, None, reason.to_string(), Value::Null);
        }
        Ok(result) => {
            for row in result["rows"].as_array().into_iter().flatten() {
                let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
                let unit = match row["unit"].as_str() {
                    Some("ms") => "ms",
                    Some("1/s") => "1/s",
                    _ => "",
                };
                let more = row["more"].clone();
                report.add(text("what"), unit, row["value"].as_f64(), None, text("note"), more);
            }
        }
    }
}
