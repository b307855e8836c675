use super::super::fixture::{facts, run};
use super::*;

fn parse(text: &str) -> Threshold {
    text.parse().unwrap()
}

fn limit(text: &str) -> f64 {
    parse(text).limit
}

#[test]
fn limits_take_the_units_of_their_figure() {
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b, "{a} {b}");
    close(limit("loss < 0.5%"), 0.005);
    close(limit("loss<0.005"), 0.005);
    close(limit("  added_delay_p99 <= 20 ms "), 20_000.0);
    close(limit("server_cpu_per_packet < 5us"), 5.0);
    close(limit("join_p95 < 1.5s"), 1_500_000.0);
    close(limit("server_memory < 1 GiB"), 1_073_741_824.0);
    close(limit("server_memory_per_participant < 100KiB"), 102_400.0);
    close(limit("bitrate_in > 800 Mbit/s"), 8e8);
    close(limit("packets_in >= 100_000"), 100_000.0);
}

#[test]
fn what_is_not_understood_is_said() {
    let error = |text: &str| text.parse::<Threshold>().unwrap_err();
    assert!(error("loss").contains("NAME < LIMIT"), "{}", error("loss"));
    let unknown = error("latency < 20ms");
    assert!(unknown.contains("no figure is called latency"), "{unknown}");
    for (name, _) in Measure::all() {
        assert!(unknown.contains(name), "{name}");
    }
    assert!(error("added_delay_p99 < 20").contains("it takes us, ms, s"));
    assert!(error("loss < 5 ms").contains("it takes %, no unit"));
    assert!(error("freezes < many").contains("does not begin with a number"));
    assert!(error("freezes < -1").contains("does not begin with a number"));
    assert!(error("freezes < 1.2.3").contains("does not begin with a number"));
}

#[test]
fn every_figure_of_a_whole_run_can_be_judged() {
    let mut facts = facts();
    facts.thresholds.clear();
    let outcome = Outcome::of(&facts, &run(11, 10));
    for (index, (name, dimension, ..)) in MEASURES.iter().enumerate() {
        let value = Measure(index).read(&outcome);
        assert!(value.is_some(), "{name} ({dimension:?}) was not measured");
    }
}

#[test]
fn limits_are_in_the_units_of_the_figures() {
    let outcome = Outcome::of(&facts(), &run(11, 10));
    let met = |text: &str| parse(text).judge(&outcome).1;
    // The run: 1 % lost, delays 1 to 100 ms, 5 us a packet, 100 KiB a person.
    assert!(met("loss < 1.01%") && !met("loss < 0.99%"));
    assert!(met("loss <= 1%") && !met("loss < 1%"));
    assert!(met("delivered > 98.9%") && !met("delivered > 99.1%"));
    assert!(met("added_delay_p99 < 100ms") && !met("added_delay_p99 < 98ms"));
    assert!(met("server_cpu_per_packet < 5.01us") && !met("server_cpu_per_packet < 4.99us"));
    assert!(met("server_memory_per_participant <= 100KiB"));
    assert!(met("frames_per_second >= 30") && !met("frames_per_second > 30"));
    assert!(met("failed_joins < 1") && met("freezes < 1"));
}

#[test]
fn what_was_not_measured_is_never_met() {
    let nothing = Outcome::of(&facts(), &[]);
    for (name, dimension, ..) in MEASURES {
        let unit = match dimension {
            Dimension::Share => "%",
            Dimension::Time => "s",
            Dimension::Memory => "GiB",
            Dimension::Bitrate => "Gbit/s",
            Dimension::Number => "",
        };
        for sign in ["<", ">="] {
            let limit = if sign == "<" { "1000000" } else { "0" };
            let threshold = parse(&format!("{name} {sign} {limit}{unit}"));
            assert_eq!(threshold.judge(&nothing), (None, false), "{threshold:?}");
            assert!(nothing.check(&[threshold])[0].ends_with(": not measured"));
        }
    }
}

#[test]
fn thresholds_are_read_from_and_written_to_text() {
    let read: Vec<Threshold> = serde_json::from_str(r#"["loss < 0.5%", "freezes < 1"]"#).unwrap();
    assert_eq!(read[0].text(), "loss < 0.5%");
    assert_eq!(serde_json::to_string(&read).unwrap(), r#"["loss < 0.5%","freezes < 1"]"#);
    assert!(serde_json::from_str::<Threshold>(r#""no < 1""#).is_err());
}
