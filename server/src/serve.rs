//! `weir serve`: everything is put together here.

use crate::config::Config;
use crate::{listen, logging, shutdown};
use anyhow::Context as _;
use std::os::unix::fs::DirBuilderExt as _;

/// Runs the server until a signal ends it.
///
/// # Errors
/// Whatever keeps it from starting.
pub(crate) fn serve(config: Config) -> anyhow::Result<()> {
    logging::init(&config.log)?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data.dir)
        .with_context(|| format!("data.dir: cannot make {}", config.data.dir.display()))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("control")
        .build()
        .context("starting the control plane's threads")?;
    let result = runtime.block_on(run(config));
    // Tasks that did not end by themselves are dropped: the deadline holds in any case.
    runtime.shutdown_background();
    result
}

async fn run(config: Config) -> anyhow::Result<()> {
    let _signals = shutdown::Signals::install().context("installing signal handlers")?;
    let listeners = listen::open(&config.http).await?;
    let _ = listen::url(&config.http, listeners.addrs[0]);
    anyhow::bail!("this build has no control plane and no shards yet")
}
