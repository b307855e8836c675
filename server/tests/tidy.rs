//! Style rules that need nobody to police them: small files, the import table of ARCHITECTURE.md,
//! `unsafe` in one folder, lints where the core needs them, no unfinished places, no empty crates.

#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/sources.rs"]
mod sources;

use sources::{Source, root, rust, web};

/// Most lines of one file, tests apart.
const MAX_LINES: usize = 600;

/// Most lines of tests inside a file; more go to a file of their own.
const MAX_INLINE_TEST_LINES: usize = 100;

/// Crates without clock, socket, thread, file or randomness of their own.
const PURE: &[&str] = &[
    "transport/wire",
    "transport/session",
    "sfu",
    "sfu/api",
    "sfu/bwe",
    "sfu/sim",
    "control-api/sdp",
];

/// Crates that read bytes of the network.
const NO_PANIC: &[&str] = &["transport/wire", "transport/session", "sfu", "sfu/bwe"];

/// Reports every finding at once.
#[track_caller]
fn none(findings: Vec<String>, rule: &str) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}

#[test]
fn files_are_small() {
    let sources = rust().into_iter().chain(web());
    let findings = sources.filter(|source| !source.is_test()).filter_map(|source| {
        let lines = source.lines_without_tests();
        (lines > MAX_LINES).then(|| format!("{}: {lines} lines", source.path))
    });
    none(findings.collect(), "a file has at most 600 lines, its tests apart");
}

#[test]
fn long_tests_have_a_file_of_their_own() {
    let findings = rust().into_iter().filter(|source| !source.is_test()).filter_map(|source| {
        let lines = source.text.lines().count() - source.lines_without_tests();
        (lines > MAX_INLINE_TEST_LINES).then(|| format!("{}: {lines} lines of tests", source.path))
    });
    none(findings.collect(), "tests over 100 lines go to a sibling file");
}

#[test]
fn unsafe_stays_in_its_folder() {
    let findings = rust()
        .into_iter()
        .filter(|source| !source.path.starts_with("transport/net/src/sys/"))
        .flat_map(|source| source.code_lines_with(&["unsafe "]));
    none(findings.collect(), "unsafe belongs to transport/net/src/sys");
}

#[test]
fn nothing_is_left_unfinished() {
    // Written in two parts, so that this file does not find itself.
    let words = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("#[ig", "nore"),
        concat!("dbg", "!("),
        concat!("panic!(\"", "not "),
        concat!("test.", "only("),
        concat!(".sk", "ip("),
    ];
    let findings = rust()
        .into_iter()
        .chain(web())
        // Iterators skip in Rust and nothing is wrong with that.
        .flat_map(|source| {
            let words = if source.path.ends_with(".rs") { &words[..7] } else { &words[..] };
            source.lines_with(words)
        });
    none(findings.collect(), "finished code only");
}

#[test]
fn pure_crates_do_no_input_or_output() {
    let banned = [
        "std::fs",
        "std::env",
        "std::process",
        "std::thread",
        "std::io::stdin",
        "UdpSocket",
        "TcpStream",
        "TcpListener",
        "Instant::now",
        "SystemTime::now",
        "Mutex",
        "RwLock",
        "static mut",
    ];
    let findings = PURE.iter().flat_map(|folder| {
        let src = format!("{folder}/src/");
        rust()
            .into_iter()
            .filter(move |source| source.path.starts_with(&src) && !source.is_test())
            .flat_map(|source| source.without_tests().code_lines_with(&banned))
    });
    none(findings.collect(), "pure crates get time, seeds and bytes as arguments");
}

#[test]
fn the_core_denies_what_could_panic() {
    let lints = ["unwrap_used", "expect_used", "indexing_slicing", "arithmetic_side_effects"];
    let findings = NO_PANIC.iter().flat_map(|folder| {
        let lib = Source::read(&format!("{folder}/src/lib.rs"));
        let head = lib.text.split("\nmod ").next().unwrap_or_default().to_owned();
        let missing = lints.iter().filter(move |lint| {
            !head.contains("deny(") || !head.contains(&format!("clippy::{lint}"))
        });
        missing.map(move |lint| format!("{}: does not deny clippy::{lint}", lib.path))
    });
    none(findings.collect(), "what reads bytes of the network denies what could panic");
}

#[test]
fn the_order_of_hash_maps_is_never_relied_on() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let lint = &manifest["workspace"]["lints"]["clippy"]["iter_over_hash_type"];
    assert!(matches!(lint.as_str(), Some("warn" | "deny")));
}

#[test]
fn crates_have_content_and_say_what_they_are() {
    let mut findings = Vec::new();
    for package in imports::packages() {
        let folder = &package.folder;
        let entry = ["lib.rs", "main.rs"]
            .iter()
            .map(|name| format!("{folder}/src/{name}"))
            .find(|path| root().join(path).exists());
        match entry {
            None => findings.push(format!("{folder}: neither src/lib.rs nor src/main.rs")),
            Some(entry) if !Source::read(&entry).text.starts_with("//! ") => {
                findings.push(format!("{entry}: does not begin with a line of documentation"));
            }
            Some(_) => {}
        }
        if package.description.is_empty() {
            findings.push(format!("{folder}/Cargo.toml: no description"));
        }
        let src = format!("{folder}/src/");
        let code: usize = rust()
            .iter()
            .filter(|source| source.path.starts_with(&src))
            .map(Source::code_line_count)
            .sum();
        if code < 20 {
            findings.push(format!("{folder}: {code} lines of code: a crate comes with content"));
        }
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        if !manifest.contains("[lints") {
            findings.push(format!("{folder}/Cargo.toml: no [lints]"));
        }
        findings.extend(imports::versions_outside_the_table(folder, &manifest));
    }
    none(findings, "a crate has content, documentation, lints, and its versions from one table");
}

#[test]
fn imports_follow_the_table() {
    none(imports::violations(), "who may import whom is in ARCHITECTURE.md");
}
