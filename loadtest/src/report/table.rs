//! The report as aligned lines of at most 100 columns.

use super::outcome::{Outcome, Own, Server, Spread};
use super::units::{bitrate, bytes, count, micros, percent, plain};
use std::fmt::Write as _;

/// Longest line.
const WIDTH: usize = 100;

/// The report.
pub(super) fn table(outcome: &Outcome) -> String {
    let mut text = String::new();
    head(&mut text, outcome);
    media(&mut text, outcome);
    delays(&mut text, outcome);
    costs(&mut text, outcome);
    stages(&mut text, outcome);
    roles(&mut text, outcome);
    verdicts(&mut text, outcome);
    text
}

fn line(text: &mut String, label: &str, value: &str) {
    let _ = writeln!(text, "{}", cut(&format!("  {label:<16}{value}")));
}

/// To [`WIDTH`] columns.
fn cut(line: &str) -> String {
    let line = line.trim_end();
    if line.chars().count() <= WIDTH {
        line.to_owned()
    } else {
        line.chars().take(WIDTH - 3).chain("...".chars()).collect()
    }
}

/// In lines of at most [`WIDTH`] columns, broken at spaces, the later ones indented.
fn wrap(text: &mut String, first: &str, words: &str) {
    let mut row = first.to_owned();
    for word in words.split(' ') {
        if row.chars().count() + 1 + word.chars().count() > WIDTH && row.trim() != first.trim() {
            let _ = writeln!(text, "{}", row.trim_end());
            row = " ".repeat(6);
        }
        if !row.ends_with(' ') {
            row.push(' ');
        }
        row.push_str(word);
    }
    let _ = writeln!(text, "{}", cut(&row));
}

fn or_dash<T>(value: Option<T>, show: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "-".to_owned(), show)
}

fn head(text: &mut String, outcome: &Outcome) {
    let facts = &outcome.facts;
    let _ = writeln!(text, "{}", cut(&format!("{} -> {}", facts.scenario, facts.target)));
    line(
        text,
        "measured",
        &format!(
            "{:.0} s of {:.0} s, {}, verify {}",
            facts.steady_seconds,
            facts.seconds,
            facts.started,
            format!("{:?}", facts.verify).to_lowercase()
        ),
    );
    line(text, "machine", &format!("{}, {} cores, Linux {}", facts.cpu, facts.cores, facts.kernel));
    if facts.steady_seconds <= 0.0 {
        line(text, "", "no steady second: nothing but joining was measured");
    }
}

fn media(text: &mut String, outcome: &Outcome) {
    let (media, joins, counted) = (&outcome.media, &outcome.joins, &outcome.media.counted);
    let mut people = format!("{} joined, {} failed", joins.succeeded, joins.failed);
    if joins.unfinished() > 0 {
        let _ = write!(people, ", {} still joining at the end", joins.unfinished());
    }
    let _ = write!(people, ", at most {} at once", joins.present_max);
    line(text, "people", &people);
    let both = |packets: Option<f64>, bits: Option<f64>| {
        let packets = or_dash(packets, |rate| count(rate.round() as u64));
        format!("{packets:>10} packets/s  {:>12}", or_dash(bits, bitrate))
    };
    line(text, "received", &both(media.received_packets_per_s, media.received_bps));
    line(text, "sent", &both(media.sent_packets_per_s, media.sent_bps));
    let delivered = or_dash(media.delivered_share, percent);
    let of = format!(
        "{} of {} packets",
        count(media.delivered_packets),
        count(counted.expected_packets)
    );
    line(text, "delivered", &format!("{delivered:>10}  {of}"));
    let mut lost = format!("{} lost", count(counted.lost_packets));
    if let Some(stamped) = media.stamped_loss {
        let _ = write!(lost, ", {} by the payload's numbers", percent(stamped));
    }
    line(text, "loss", &format!("{:>10}  {lost}", or_dash(media.loss, percent)));
    if counted.received_resent + counted.impaired_drops > 0 {
        let resent = count(counted.received_resent);
        let mut resent = format!("{resent:>10}  packets came again");
        if counted.impaired_drops > 0 {
            let _ = write!(resent, ", {} were dropped by plan", count(counted.impaired_drops));
        }
        line(text, "resent", &resent);
    }
    if counted.corrupt_packets > 0 {
        let of = count(counted.verified_packets);
        let corrupt = count(counted.corrupt_packets);
        line(text, "corrupt", &format!("{corrupt:>10}  of {of} packets that were opened"));
    }
    let frames = or_dash(media.frames_per_stream_s, plain);
    let frozen = micros(counted.freeze_micros as f64);
    let mut video = format!("{frames:>10} frames/s a stream, {} freezes", count(media.freezes));
    if media.freezes > 0 {
        let _ = write!(video, " ({frozen})");
    }
    if media.switches > 0 {
        let _ = write!(video, ", {} switches", count(media.switches));
    }
    line(text, "video", &video);
    let heights = outcome.by_height.iter().rev();
    let heights: Vec<String> = heights.map(|(height, n)| format!("{n} x {height}p")).collect();
    if !heights.is_empty() {
        line(text, "resolutions", &heights.join(", "));
    }
    let asked = format!(
        "{} packets and {} key frames by receivers, {} and {} of publishers",
        count(counted.nacks_sent),
        count(counted.plis_sent),
        count(counted.nacks_received),
        count(counted.plis_received)
    );
    line(text, "asked again", &asked);
}

fn delays(text: &mut String, outcome: &Outcome) {
    let _ = writeln!(
        text,
        "\n  {:<22}{:>11}{:>11}{:>11}{:>11}{:>11}",
        "delays", "p50", "p95", "p99", "max", "count"
    );
    let joins = &outcome.joins;
    for (name, spread) in [
        ("send to arrival", outcome.added_delay),
        ("join to answer", joins.signalling),
        ("join to keys", joins.connected),
        ("join to first packet", joins.first_packet),
        ("join to key frame", joins.first_key_frame),
    ] {
        let of = |pick: fn(&Spread) -> u64| or_dash(spread, |spread| micros(pick(&spread) as f64));
        let _ = writeln!(
            text,
            "  {name:<22}{:>11}{:>11}{:>11}{:>11}{:>11}",
            of(|spread| spread.p50_us),
            of(|spread| spread.p95_us),
            of(|spread| spread.p99_us),
            of(|spread| spread.max_us),
            or_dash(spread, |spread| count(spread.count)),
        );
    }
}

fn costs(text: &mut String, outcome: &Outcome) {
    text.push('\n');
    if let Some(Server {
        cpu_cores,
        busiest_thread_max,
        cpu_us_per_packet,
        packets_per_cpu_s,
        rss_max_bytes,
        rss_before_bytes,
        rss_per_participant_bytes,
        ..
    }) = &outcome.server
    {
        let cores = or_dash(*cpu_cores, |cores| format!("{cores:.2} cores"));
        let busiest = or_dash(*busiest_thread_max, percent);
        let mut cpu = format!("{cores}, busiest thread {busiest} in its busiest second");
        let processes = outcome.facts.server_pids.len();
        if processes > 1 {
            let _ = write!(cpu, "; {processes} processes");
        }
        line(text, "server CPU", &cpu);
        let each = or_dash(*cpu_us_per_packet, micros);
        let many = or_dash(*packets_per_cpu_s, plain);
        line(text, "", &format!("{each} a received packet, {many} packets a CPU second"));
        let mut memory = format!("{} at most", bytes(*rss_max_bytes as f64));
        if let Some(each) = rss_per_participant_bytes {
            let _ = write!(memory, ", {} a participant", bytes(*each));
        }
        if let Some(before) = rss_before_bytes {
            let _ = write!(memory, ", {} before the first", bytes(*before as f64));
        }
        line(text, "server memory", &memory);
    }
    let Own { cpu_cores, cpu_share, waited_cores, rss_max_bytes, bottleneck, .. } = &outcome.own;
    let cores = or_dash(*cpu_cores, |cores| format!("{cores:.2} cores"));
    let share = or_dash(*cpu_share, percent);
    let waited = or_dash(*waited_cores, |cores| format!("{cores:.2} cores waited for"));
    let memory = bytes(*rss_max_bytes as f64);
    line(text, "weir-load", &format!("{cores}, {share} of what it can have, {waited}, {memory}"));
    if !bottleneck.is_empty() {
        let because = bottleneck.join("; ");
        wrap(text, "  WARNING", &format!("weir-load itself is the bottleneck: {because}"));
    }
}

fn stages(text: &mut String, outcome: &Outcome) {
    if outcome.stages.len() < 2 {
        return;
    }
    let row = |cells: [&str; 9]| {
        let [name, people, seconds, packets, bits, loss, p50, p99, cpu] = cells;
        let name: String = name.chars().take(16).collect();
        let row = format!(
            "  {name:<17}{people:>7}{seconds:>8}{packets:>11}{bits:>14}{loss:>10}{p50:>10}{p99:>10}{cpu:>11}"
        );
        cut(&row) + "\n"
    };
    text.push('\n');
    text.push_str(&row([
        "stages",
        "people",
        "steady",
        "packets/s",
        "received",
        "loss",
        "p50",
        "p99",
        "CPU/packet",
    ]));
    for stage in &outcome.stages {
        text.push_str(&row([
            &stage.name,
            &stage.people.present.to_string(),
            &format!("{:.0} s", stage.steady_seconds),
            &or_dash(stage.received_packets_per_s, |rate| count(rate.round() as u64)),
            &or_dash(stage.received_bps, bitrate),
            &or_dash(stage.loss, percent),
            &or_dash(stage.added_delay, |delay| micros(delay.p50_us as f64)),
            &or_dash(stage.added_delay, |delay| micros(delay.p99_us as f64)),
            &or_dash(stage.server_cpu_us_per_packet, micros),
        ]));
    }
}

fn roles(text: &mut String, outcome: &Outcome) {
    if outcome.roles.len() < 2 {
        return;
    }
    let _ = writeln!(
        text,
        "\n  {:<17}{:>13}{:>13}{:>10}{:>10}{:>10}{:>11}{:>9}",
        "roles (whole run)", "received", "sent", "loss", "p50", "p99", "join p95", "freezes"
    );
    for role in &outcome.roles {
        let name: String = role.name.chars().take(16).collect();
        let _ = writeln!(
            text,
            "  {name:<17}{:>13}{:>13}{:>10}{:>10}{:>10}{:>11}{:>9}",
            count(role.counted.received_packets),
            count(role.counted.sent_packets),
            or_dash(role.loss, percent),
            or_dash(role.added_delay, |delay| micros(delay.p50_us as f64)),
            or_dash(role.added_delay, |delay| micros(delay.p99_us as f64)),
            or_dash(role.first_packet, |join| micros(join.p95_us as f64)),
            count(role.counted.freezes),
        );
    }
}

fn verdicts(text: &mut String, outcome: &Outcome) {
    if !outcome.failures.is_empty() {
        text.push_str("\n  failures\n");
        for failure in &outcome.failures {
            wrap(text, &format!("  {:>6}", failure.people), &failure.reason);
        }
    }
    if !outcome.thresholds.is_empty() {
        text.push_str("\n  thresholds\n");
        for one in &outcome.thresholds {
            let word = if one.met { "met" } else { "MISSED" };
            let _ = writeln!(text, "  {word:>6}  {:<40} {}", one.threshold, one.shown);
        }
    }
}

#[cfg(test)]
mod tests;
