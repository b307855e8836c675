//! Replays what the fuzzers found worth keeping, each crasher among it.

use std::path::{Path, PathBuf};

/// The committed inputs of one target, in the order of their names.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[track_caller]
fn replay(target: &str, run: fn(&[u8])) {
    let files = corpus(target);
    assert!(files.len() >= 10, "{target}: the corpus has {} files", files.len());
    for (path, data) in files {
        eprintln!("{}", path.display());
        run(&data);
    }
}

#[test]
fn wire() {
    replay("wire", weir_fuzz_targets::wire);
}

#[test]
fn sdp() {
    replay("sdp", weir_fuzz_targets::sdp);
}

#[test]
fn rewriter() {
    replay("rewriter", weir_fuzz_targets::rewriter);
}

#[test]
fn shard() {
    replay("shard", weir_fuzz_targets::shard);
}

#[test]
fn the_corpus_is_small() {
    let files = ["wire", "sdp", "rewriter", "shard"].into_iter().flat_map(corpus);
    let bytes: usize = files.map(|(_, data)| data.len()).sum();
    assert!(bytes <= 300_000, "{bytes} bytes");
}
