//! What docs/loadtest.md says of scenarios, held against what is read.

use weir_loadtest::scenario::{BUILT_IN, Override, Scenario};

const TEXT: &str = include_str!("../../docs/loadtest.md");

/// The indented block that begins with this line.
fn block(first: &str) -> String {
    let lines = TEXT.lines().skip_while(|line| line.trim() != first);
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    lines.map(|line| format!("{}\n", line.trim_start_matches("    "))).collect()
}

#[test]
fn the_scenario_of_the_documentation_is_good() {
    let text = block("about = \"in one sentence\"");
    let scenario = Scenario::parse("docs", &text, &[]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((scenario.roles.len(), scenario.stages.len()), (2, 2));
}

#[test]
fn the_changes_of_the_documentation_are_good() {
    let changes: Vec<&str> = TEXT
        .split("--set ")
        .skip(1)
        .filter_map(|rest| rest.split(['`', '\'', ' ', '\n']).next())
        .filter(|change| !change.starts_with("KEY="))
        .collect();
    assert!(changes.len() >= 3, "{changes:?}");
    for change in changes {
        let change: Override = change.parse().unwrap();
        Scenario::load("one_to_many", std::slice::from_ref(&change))
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn every_built_in_scenario_is_listed() {
    let rows = BUILT_IN.iter().filter(|(name, _)| !TEXT.contains(&format!("| `{name}` |")));
    assert_eq!(rows.map(|(name, _)| *name).collect::<Vec<_>>(), Vec::<&str>::new());
}
