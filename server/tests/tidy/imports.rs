//! The import table of ARCHITECTURE.md against what the manifests really ask for.

use super::sources::root;
use std::collections::BTreeMap;
use std::process::Command;

/// Crates that compute and do nothing else: allowed everywhere.
const UTILITIES: &[&str] = &[
    "base64",
    "bytes",
    "foldhash",
    "futures-util",
    "rand",
    "serde",
    "serde_json",
    "thiserror",
    "time",
    "tracing",
];

/// Utilities of tests.
const TEST_UTILITIES: &[&str] =
    &["allocation-counter", "criterion", "poem", "proptest", "tokio", "toml", "tracing-subscriber"];

/// A member of the workspace.
pub(crate) struct Package {
    pub(crate) folder: String,
    pub(crate) description: String,
    name: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    only_in_tests: bool,
}

/// All members, as cargo sees them.
pub(crate) fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let root = root().canonicalize().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter().map(|package| {
        let manifest = std::path::PathBuf::from(text(&package["manifest_path"]));
        let folder = manifest.parent().unwrap().canonicalize().unwrap();
        Package {
            folder: folder.strip_prefix(&root).unwrap().to_string_lossy().into_owned(),
            description: text(&package["description"]),
            name: text(&package["name"]),
            dependencies: package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .map(|dependency| Dependency {
                    name: text(&dependency["name"]),
                    only_in_tests: text(&dependency["kind"]) == "dev",
                })
                .collect(),
        }
    });
    packages.collect()
}

/// A row of the table.
struct Row {
    ours: Vec<String>,
    others: Vec<String>,
    in_tests: Vec<String>,
}

fn table() -> BTreeMap<String, Row> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let names = |cell: &str| -> Vec<String> {
        let names = cell.split(',').map(|name| name.trim().trim_matches('`').to_owned());
        names.filter(|name| !name.is_empty() && name != "-").collect()
    };
    text.lines()
        .skip_while(|line| !line.starts_with("| crate | our crates |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [folder, ours, others, in_tests] = cells[..] else {
                panic!("a row of the import table has four cells: {line}");
            };
            let row = Row { ours: names(ours), others: names(others), in_tests: names(in_tests) };
            (folder.trim_matches('`').to_owned(), row)
        })
        .collect()
}

/// Every dependency that the table does not allow, and crates without a row.
pub(crate) fn violations() -> Vec<String> {
    let (packages, table) = (packages(), table());
    let folders: BTreeMap<&str, &str> =
        packages.iter().map(|package| (package.name.as_str(), package.folder.as_str())).collect();
    let mut found = Vec::new();
    for package in &packages {
        let Some(row) = table.get(&package.folder) else {
            found.push(format!("{}: has no row", package.folder));
            continue;
        };
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            let tests = dependency.only_in_tests;
            let listed = |list: &[String], name: &str| list.iter().any(|one| one == name);
            let good = match folders.get(name) {
                Some(&"server") => false,
                Some(folder) => {
                    listed(&row.ours, "all")
                        || listed(&row.ours, folder)
                        || tests && (listed(&row.in_tests, folder) || *folder == package.folder)
                }
                None => {
                    UTILITIES.contains(&name)
                        || listed(&row.others, name)
                        || tests && (TEST_UTILITIES.contains(&name) || listed(&row.in_tests, name))
                }
            };
            if !good {
                let place = if tests { " in its tests" } else { "" };
                found.push(format!("{} may not use {name}{place}", package.folder));
            }
        }
    }
    found
}

/// Dependencies with a version of their own instead of the workspace's.
pub(crate) fn versions_outside_the_table(folder: &str, manifest: &str) -> Vec<String> {
    let manifest: toml::Table = manifest.parse().unwrap();
    let mut found = Vec::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (name, value) in
            manifest.get(section).and_then(toml::Value::as_table).into_iter().flatten()
        {
            if value.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                found.push(format!("{folder}/Cargo.toml: {name} is not `workspace = true`"));
            }
        }
    }
    found
}
