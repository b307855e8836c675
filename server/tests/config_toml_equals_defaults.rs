//! The shipped `config.toml` says exactly what holds without it, and names every key.

mod common;

use common::{Folder, show};
use std::path::Path;

#[test]
fn config_toml_equals_defaults() {
    let folder = Folder::new("equals-defaults");
    let defaults = show(&folder, &[], &[]);

    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.toml");
    let from_file = show(&folder, &["--config", shipped.to_str().unwrap()], &[]);
    assert_eq!(from_file, defaults, "the values of config.toml differ from the defaults");

    let text = std::fs::read_to_string(&shipped).unwrap();
    let written: toml::Table = text.parse().unwrap();
    for (section, keys) in &defaults {
        for key in keys.as_table().unwrap().keys() {
            let there = written.get(section).and_then(|section| section.get(key));
            assert!(there.is_some(), "config.toml does not name {section}.{key}");
        }
    }
}

#[test]
fn every_key_is_explained() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config.toml");
    let text = std::fs::read_to_string(shipped).unwrap();
    // A key needs a comment above it, or above the keys it stands directly below.
    let mut explained = false;
    for line in text.lines() {
        match line.trim() {
            "" => explained = false,
            line if line.starts_with('#') => explained = true,
            line if line.starts_with('[') => {}
            line => assert!(explained, "no comment above {line:?}"),
        }
    }
}
