//! `weir admin`: accounts and keys made beside a server, on the same store.

use crate::cli::NewAdmin;
use crate::config::Config;
use anyhow::{Context as _, bail};
use std::io::BufRead as _;

/// Makes an administrator.
///
/// # Errors
/// The name or mail address is taken, or the store cannot be opened.
pub(crate) fn create(_config: &Config, new: NewAdmin) -> anyhow::Result<()> {
    let _password = password(new.password)?;
    bail!("this build has no store yet")
}

/// Makes a server API key and prints it once; the store keeps its hash only.
///
/// # Errors
/// The store cannot be opened.
pub(crate) fn key(_config: &Config, _name: &str) -> anyhow::Result<()> {
    bail!("this build has no store yet")
}

/// The password given, else the first line of standard input.
fn password(given: Option<String>) -> anyhow::Result<String> {
    let password = match given {
        Some(password) => password,
        None => {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).context("reading the password")?;
            line.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    if password.is_empty() {
        bail!("the password is empty");
    }
    Ok(password)
}
