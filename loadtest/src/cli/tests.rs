use super::arguments::{Arguments, Command, Run};
use super::{configure, without_secrets};
use clap::{CommandFactory, Parser};
use std::time::Duration;

fn run(more: &[&str]) -> Box<Run> {
    let words = ["weir-load", "run", "one_to_many", "--target", "weir"];
    match Arguments::try_parse_from(words.iter().chain(more)).unwrap().command {
        Command::Run(run) => run,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_command_line_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn shortcuts_change_the_scenario_and_set_wins() {
    let config =
        configure(&run(&["--receivers", "7", "--duration", "90s", "--rooms", "2"])).unwrap();
    assert_eq!(config.scenario.rooms, 2);
    assert_eq!(config.scenario.roles["viewer"].count, 7);
    assert_eq!(config.scenario.stages[1].duration.0, Duration::from_secs(90));
    // `make load` puts its own before the user's.
    let config = configure(&run(&["--receivers", "7", "--receivers", "8"])).unwrap();
    assert_eq!(config.scenario.roles["viewer"].count, 8);
    let more = ["--receivers", "7", "--set", "roles.viewer.count=9", "--threshold", "loss < 3%"];
    let config = configure(&run(&more)).unwrap();
    assert_eq!(config.scenario.roles["viewer"].count, 9);
    assert_eq!(config.scenario.thresholds.len(), 4);
}

#[test]
fn what_nobody_can_know_is_an_error() {
    let mut two = run(&["--receivers", "7"]);
    two.scenario = "churn".to_owned();
    let error = configure(&two).unwrap_err().to_string();
    assert!(error.contains("guest, regular") && error.contains("--set roles.NAME"), "{error}");
    let error = configure(&run(&["--server-name", "no-such-process-at-all"])).unwrap_err();
    assert!(error.to_string().contains("no such process"), "{error}");
    let words = ["weir-load", "run", "x", "--target", "weir", "--duration", "long"];
    let error = Arguments::try_parse_from(words).unwrap_err().to_string();
    assert!(error.contains("write 10s"), "{error}");
}

#[test]
fn tokens_are_not_told() {
    let words = ["weir-load", "--token", "secret", "--token=secret", "x"].map(str::to_owned);
    let told = without_secrets(words.into_iter()).join(" ");
    assert_eq!(told, "weir-load --token ... --token=... x");
}
