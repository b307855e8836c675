use std::path::Path;

#[test]
fn every_scenario_of_the_rewriting_rules_is_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/rewrite.md")).unwrap();
    let mut code = std::fs::read_to_string(root.join("sfu/src/rewrite/tests.rs")).unwrap();
    let unit = code.clone();
    for file in std::fs::read_dir(root.join("sfu/sim/tests")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|end| end == "rs") {
            code.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    let scenarios: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert!(scenarios.len() > 10);
    for scenario in &scenarios {
        assert!(code.contains(&format!("#[test]\nfn {scenario}()")), "{scenario} is no test");
    }
    for test in unit.split("#[test]\nfn ").skip(1) {
        let name = test.split('(').next().unwrap();
        assert!(scenarios.contains(&name), "{name} is not told in docs/rewrite.md");
    }
}
