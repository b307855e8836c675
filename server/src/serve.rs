//! `weir serve`: everything is put together here.

use crate::config::Config;
use crate::shards::{self, ShardsHandle};
use crate::shutdown::{DEADLINE, DRAIN, Signals};
use crate::{api, listen, logging};
use anyhow::Context as _;
use std::io::Write as _;
use std::time::Duration;
use tokio::sync::oneshot;

/// After the orderly end, how long the runtime's tasks, and then the shards, may take.
const LAST_TASKS: Duration = Duration::from_millis(250);

/// Runs the server until a signal ends it.
///
/// # Errors
/// Whatever keeps it from starting.
pub(crate) fn serve(config: Config) -> anyhow::Result<()> {
    logging::init(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("control")
        .build()
        .context("starting the control plane's threads")?;
    let (stopped, wait) = std::sync::mpsc::channel();
    runtime.block_on(run(config)).map(|shards| {
        // Nobody but tasks of the runtime holds the way to the shards: they end with it.
        runtime.shutdown_timeout(LAST_TASKS);
        std::thread::spawn(move || {
            shards.join();
            let _ = stopped.send(());
        });
        if wait.recv_timeout(LAST_TASKS).is_err() {
            tracing::warn!("a shard did not end in time");
        }
    })
}

/// Serves until a signal comes, then ends everything that is said to somebody; gives the shards,
/// which end when the runtime does.
async fn run(config: Config) -> anyhow::Result<ShardsHandle> {
    let mut signals = Signals::install().context("installing signal handlers")?;
    api::make_data_dir(&config)?;
    let listeners = listen::open(&config.http).await?;
    let url = listeners.addrs.first().map(|addr| listen::url(&config.http, *addr));
    let (plane, events, shards) = shards::start(&config)?;
    let (app, endpoint) = weir_control_api::build(api::api_config(&config), plane, events).await?;

    let (stop, stopped) = oneshot::channel::<()>();
    let server = poem::Server::new_with_acceptor(listeners.acceptor);
    let mut server = tokio::spawn(server.run_with_graceful_shutdown(
        endpoint,
        async move { stopped.await.unwrap_or_default() },
        Some(DRAIN),
    ));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), addrs = ?listeners.addrs, "ready");
    writeln!(std::io::stdout(), "Weir is ready: {}", url.unwrap_or_default())?;

    tokio::select! {
        signal = signals.next() => tracing::info!(signal, "stopping"),
        ended = &mut server => {
            ended.context("the HTTP server panicked")?.context("the HTTP server ended")?;
            anyhow::bail!("the HTTP server ended without being asked to");
        }
    }

    let orderly = async {
        // No new connection, then tell those who are there, then let requests end.
        let _ = stop.send(());
        app.shutdown(DRAIN).await;
        if let Ok(Err(error)) = server.await {
            tracing::warn!(%error, "the HTTP server ended with an error");
        }
    };
    tokio::select! {
        done = tokio::time::timeout(DEADLINE, orderly) => match done {
            Ok(()) => tracing::info!("stopped"),
            Err(_) => tracing::warn!("stopped at the deadline, not everything had ended"),
        },
        signal = signals.next() => tracing::warn!(signal, "stopped at once, asked a second time"),
    }
    Ok(shards)
}
