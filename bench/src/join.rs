//! Real browsers against the real server: `web/e2e/bench.mjs` measures, this starts it.

use crate::Error;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

/// Where the script writes its results, in the folder for temporary files.
const RESULT: &str = "weir-bench-join";

/// Runs the script with the given server and returns what it measured.
///
/// # Errors
/// Says in words what is missing or failed.
pub fn measure(root: &Path, server: &Path) -> Result<Value, Error> {
    if !server.exists() {
        return Err(format!("no server at {}", server.display()).into());
    }
    let result = std::env::temp_dir().join(format!("{RESULT}-{}.json", std::process::id()));
    let status = Command::new("node")
        .arg(root.join("web/e2e/bench.mjs"))
        .arg("--json")
        .arg(&result)
        .env("WEIR_BIN", server)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("node: {error}"))?;
    if !status.success() {
        return Err("web/e2e/bench.mjs failed, see above".into());
    }
    let text = std::fs::read_to_string(&result)?;
    let _ = std::fs::remove_file(&result);
    Ok(serde_json::from_str(&text)?)
}
