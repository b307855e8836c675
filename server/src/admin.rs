//! `weir admin`: accounts and keys made beside a server, on the same store.

use crate::api;
use crate::cli::NewAdmin;
use crate::config::Config;
use anyhow::{Context as _, bail};
use std::future::Future;
use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use weir_control_api::domain::{access, accounts};
use weir_control_api::{App, MediaPlane};
use weir_sfu_api::{Command, ShardId};

/// Makes an administrator.
///
/// # Errors
/// The name or mail address is taken, or the store cannot be opened.
pub(crate) fn create(config: &Config, new: NewAdmin) -> anyhow::Result<()> {
    let password = password(new.password)?;
    on_store(config, async move |app| {
        accounts::create_admin(&app, &new.username, &new.email, &password).await?;
        Ok(writeln!(std::io::stdout(), "administrator {} made", new.username)?)
    })
}

/// Makes a server API key and prints it once; the store keeps its hash only.
///
/// # Errors
/// The store cannot be opened.
pub(crate) fn key(config: &Config, name: &str) -> anyhow::Result<()> {
    let name = name.to_owned();
    on_store(config, async move |app| {
        let key = access::create_api_key(&app, &name).await?;
        Ok(writeln!(std::io::stdout(), "{key}")?)
    })
}

/// Opens the store without serving anything and runs `work` on it.
fn on_store<F: Future<Output = anyhow::Result<()>>>(
    config: &Config,
    work: impl FnOnce(App) -> F,
) -> anyhow::Result<()> {
    api::make_data_dir(config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut api = api::api_config(config);
        // The first administrator of the configuration is the server's affair.
        api.admin = None;
        work(weir_control_api::open(api, Arc::new(NoMedia)).await?).await
    })
}

/// These commands move no media.
struct NoMedia;

impl MediaPlane for NoMedia {
    fn shard_count(&self) -> u16 {
        0
    }

    fn send(&self, _: ShardId, _: Command) {}
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
