//! Puts the built web page where the crate embeds it from; without one, a page that says so.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const PLACEHOLDER: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<title>Weir</title><h1>Weir</h1><p>The server runs, but the web page was not built into it. \
Build it with <code>make run</code>, or browse the API at <a href=\"/docs\">/docs</a>.</p></html>\n";

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("page");
    let built = root.join("web/app/dist");
    // Watching a path that is not there would rebuild the crate each time.
    let watched = [built.clone(), root.join("web/app"), root.join("web"), root.join("control-api")];
    if let Some(there) = watched.iter().find(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", there.display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=migrations");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    if built.join("index.html").exists() {
        copy(&built, &out)
    } else {
        fs::create_dir_all(&out)?;
        fs::write(out.join("index.html"), PLACEHOLDER)
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
