use super::super::fixture::{run, sample};
use super::*;

fn live(style: Style) -> Live {
    let stages = [("join", 4), ("hold", 6)];
    let stages = stages.map(|(name, seconds)| (name.to_owned(), Duration::from_secs(seconds)));
    let config = LiveConfig {
        title: "one_to_many".to_owned(),
        target: "weir ws://127.0.0.1:8080/ws".to_owned(),
        stages: stages.to_vec(),
        quiet: false,
    };
    Live::with_style(config, style, 4.0)
}

#[test]
fn the_view_shows_the_last_second() {
    let mut live = live(Style::Terminal { colour: false });
    for sample in run(11, 6) {
        live.frame(&sample);
    }
    let sample = live.last.clone().unwrap();
    let view = live.lines(&sample, false).join("\n");
    let expected = "\
weir-load one_to_many -> weir ws://127.0.0.1:8080/ws
[##############################] 00:10 of 00:10  hold (2 of 2)
people    11 in the meeting, 0 joining, 0 failed, 0 left
received        990 packets/s    7.9 Mbit/s
sent            100 packets/s    800 kbit/s
loss      1.00 % now, 1.00 % in all
delay     p50 50.0 ms, p99 99.0 ms (last second)
join      p50 7.50 ms, p95 9.01 ms (to the first packet)
video     10 streams, 300 frames/s, 0 freezes: 10 x 720p
server    0.00 cores, busiest thread 0 %, 21.1 MiB
weir-load 0.30 cores, busiest thread 20 %, 8.0 MiB of 4 cores
";
    assert_eq!(view, expected.trim_end_matches('\n').to_owned() + "\n");
}

#[test]
fn a_drawing_replaces_the_one_before() {
    let mut live = live(Style::Terminal { colour: true });
    let samples = run(3, 2);
    let first = live.frame(&samples[0]);
    assert!(first.starts_with("\x1b[?7l") && first.ends_with("\x1b[?7h"), "{first:?}");
    let lines = first.matches('\n').count();
    let second = live.frame(&samples[1]);
    assert!(second.starts_with(&format!("\x1b[{lines}A\r\x1b[J")), "{second:?}");
    live.end();
    assert!(!live.frame(&samples[2]).starts_with("\x1b[1"));
}

#[test]
fn elsewhere_there_is_a_line_every_five_seconds() {
    let mut live = live(Style::Plain);
    let text: String = run(11, 8).iter().map(|sample| live.frame(sample)).collect();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("00:00 join: 0 in, 0 failed"), "{}", lines[0]);
    assert_eq!(
        lines[2],
        "00:10 hold: 11 in, 0 failed, 990 packets/s 7.9 Mbit/s, loss 1.00 %, delay p99 99.0 ms, \
         server 0.00 cores 21.1 MiB"
    );
}

#[test]
fn quiet_says_nothing() {
    let mut live = live(Style::Quiet);
    assert!(run(3, 2).iter().all(|sample| live.frame(sample).is_empty()));
}

#[test]
fn the_view_warns_when_we_are_too_slow() {
    let warning = |change: fn(u64, &mut Sample)| {
        let mut live = live(Style::Plain);
        for at in 1..=4 {
            let mut sample = sample(at, "hold", true);
            change(at, &mut sample);
            live.frame(&sample);
        }
        live.warning()
    };
    assert_eq!(warning(|_, _| ()), None);
    let drops = warning(|at, sample| sample.media.counters.own_drops = at);
    let text = "weir-load itself is the bottleneck: its sockets dropped 4 packets";
    assert_eq!(drops.as_deref(), Some(text));
    let busy = warning(|_, sample| sample.own.busiest_micros = 990_000);
    assert_eq!(busy.as_deref(), Some("weir-load itself is the bottleneck: it has no more CPU"));
    let late = warning(|at, sample| sample.media.counters.late_frames = at);
    assert_eq!(late.as_deref(), Some("weir-load itself is the bottleneck: its frames leave late"));
}

#[test]
fn hours_are_shown_when_there_are_any() {
    assert_eq!(clock(Duration::from_secs(59)), "00:59");
    assert_eq!(clock(Duration::from_secs(3_725)), "1:02:05");
}
