//! Instructions of a packet's whole way, counted by callgrind: parse, open, ingress, route, select,
//! rewrite, lay out, seal, train; without sockets. The same each time, however busy the machine is.

use crate::Error;
use crate::way::Scene;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Virtual time that is counted.
const COUNTED_MS: u64 = 1_000;
/// And before it, for receivers that tell nothing, and for ones whose paths must become known.
const WARM_UP_MS: u64 = 500;
const WARM_UP_BROWSERS_MS: u64 = 6_000;
/// And until the last of those who joined has had its first look.
const WARM_UP_IDLE_MS: u64 = 2_500;

/// Receivers of one publisher.
const RECEIVERS: [usize; 4] = [10, 100, 500, 2_000];
/// The same, as browsers.
const BROWSERS: [usize; 3] = [10, 100, 500];
/// Publishers among fifty people, who all receive all others.
const PUBLISHERS: [usize; 3] = [1, 10, 50];
const PEOPLE: usize = 50;
/// Idle people.
const IDLE: usize = 2_000;

/// One count.
#[derive(Debug, Clone)]
pub struct Count {
    /// What of.
    pub what: String,
    /// What it is shared out among.
    pub unit: &'static str,
    /// Instructions per unit.
    pub instructions: f64,
    /// What it may be at most.
    pub target: Option<f64>,
}

/// Instructions of one scene, and packets in and out.
struct Run {
    instructions: f64,
    sent: f64,
    delivered: f64,
}

/// How far the others of a row may lie above the first.
const FLAT: f64 = 1.05;

/// Counts everything.
///
/// # Errors
/// Says what is missing: valgrind, or the program beside this one.
pub fn measure() -> Result<Vec<Count>, Error> {
    let version = Command::new("valgrind").arg("--version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        return Err("valgrind is missing: scripts/setup.sh bench installs it".into());
    }
    let program = std::env::current_exe()?.with_file_name("weir-way");
    if !program.exists() {
        return Err(format!("no program at {}", program.display()).into());
    }
    let mut counts = Vec::new();
    let mut received = Vec::new();
    for publishers in PUBLISHERS {
        let scene = Scene { publishers, ..Scene::default() };
        received.push((publishers, run(&program, scene)?));
    }
    let rows = received.iter().map(|(publishers, run)| {
        (format!("receive from {publishers} publishers"), run.instructions / run.sent)
    });
    flat(&mut counts, "instr/packet in", rows);
    // What receiving costs is not the receivers': it is taken off.
    let base = |publishers: usize| {
        let found = received.iter().find(|(count, _)| *count == publishers);
        found.map_or(0.0, |(_, run)| run.instructions)
    };
    let mut rows = Vec::new();
    for receivers in RECEIVERS {
        let scene = Scene { publishers: 1, receivers, ..Scene::default() };
        let run = run(&program, scene)?;
        let each = (run.instructions - base(1)) / run.delivered;
        rows.push((format!("forward to {receivers} receivers"), each));
    }
    flat(&mut counts, "instr/packet out", rows.into_iter());
    let mut rows = Vec::new();
    for publishers in PUBLISHERS {
        let receivers = PEOPLE - publishers;
        let scene = Scene { publishers, receivers, mesh: true, ..Scene::default() };
        let run = run(&program, scene)?;
        let each = (run.instructions - base(publishers)) / run.delivered;
        rows.push((format!("forward, {publishers} of {PEOPLE} people publish"), each));
    }
    flat(&mut counts, "instr/packet out", rows.into_iter());
    let mut rows = Vec::new();
    for receivers in BROWSERS {
        let scene = Scene { publishers: 1, receivers, browsers: true, ..Scene::default() };
        let run = run(&program, scene)?;
        let each = (run.instructions - base(1)) / run.delivered;
        rows.push((format!("forward to {receivers} browsers, their feedback included"), each));
    }
    flat(&mut counts, "instr/packet out", rows.into_iter());
    let idle = run(&program, Scene { idle: IDLE, ..Scene::default() })?;
    let alone = run(&program, Scene { publishers: 1, receivers: PEOPLE, ..Scene::default() })?;
    let beside = Scene { publishers: 1, receivers: PEOPLE, idle: IDLE, ..Scene::default() };
    let beside = run(&program, beside)?;
    counts.push(Count {
        what: format!("{IDLE} idle people"),
        unit: "instr/person/s",
        instructions: idle.instructions / IDLE as f64 / (COUNTED_MS as f64 / 1e3),
        target: Some(100.0),
    });
    let rows = [
        (format!("forward to {PEOPLE} receivers"), alone.instructions / alone.delivered),
        (format!("the same beside {IDLE} idle people"), beside.instructions / beside.delivered),
    ];
    flat(&mut counts, "instr/packet out", rows.into_iter());
    Ok(counts)
}

/// Rows of which none may lie far above the first.
fn flat(counts: &mut Vec<Count>, unit: &'static str, rows: impl Iterator<Item = (String, f64)>) {
    let mut first = None;
    for (what, instructions) in rows {
        let target = first.map(|first: f64| first * FLAT);
        first.get_or_insert(instructions);
        counts.push(Count { what, unit, instructions, target });
    }
}

fn run(program: &Path, scene: Scene) -> Result<Run, Error> {
    let out: PathBuf = std::env::temp_dir().join(format!("weir-callgrind-{}", std::process::id()));
    let warm_up = match (scene.browsers, scene.idle) {
        (true, _) => WARM_UP_BROWSERS_MS,
        (false, 0) => WARM_UP_MS,
        (false, _) => WARM_UP_IDLE_MS,
    };
    let args = [
        scene.publishers as u64,
        scene.receivers as u64,
        scene.mesh.into(),
        scene.browsers.into(),
        scene.idle as u64,
        warm_up,
        COUNTED_MS,
    ];
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*collected_way*"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args(args.map(|arg| arg.to_string()))
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("callgrind failed: {text}").into());
    }
    let profile = std::fs::read_to_string(&out)?;
    let _ = std::fs::remove_file(&out);
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals:").or_else(|| line.strip_prefix("summary:")))
        .and_then(|rest| rest.trim().parse().ok())
        .ok_or("no total in callgrind's profile")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let mut numbers = printed.split_whitespace().map(str::parse::<f64>);
    let (Some(Ok(sent)), Some(Ok(delivered))) = (numbers.next(), numbers.next()) else {
        return Err(format!("weir-way printed {printed:?}").into());
    };
    Ok(Run { instructions: total, sent, delivered })
}
