//! The way to and from the shards.

pub mod plane;

use crate::App;
use tokio::sync::mpsc;
use weir_sfu_api::{Event, ShardId};

/// Follows the shards' events.
pub(crate) fn spawn(app: App, mut events: mpsc::Receiver<(ShardId, Event)>) {
    tokio::spawn(async move {
        while let Some((_, event)) = events.recv().await {
            match event {
                Event::Connected { profile, setup_us, .. } => {
                    app.metrics.connected(profile, setup_us);
                }
                Event::Gone { reason, .. } => app.metrics.gone(reason),
                _ => {}
            }
        }
    });
}
