//! The way to and from the shards.
//!
//! [`MediaHub`] holds everything the control plane knows about media: which room lives on which
//! shard, whose peer is whose, and which commands wait for their answer. Commands go out through
//! a [`plane::MediaPlane`]; events come in through [`MediaHub::run`], which
//! [`crate::signaling::Signaling::start`] starts.

mod error;
mod events;
mod hub;
mod metrics;
pub mod plane;
mod spread;
mod state;
mod view;
mod vitals;
mod watching;

pub use error::MediaError;
pub use events::{PeerEvent, SlotContent, SlotView, SpeakerList, SpeakerView};
pub use hub::{Answer, MediaHub, PEER_EVENT_QUEUE, PeerHandle, REPLY_TIMEOUT};
pub use metrics::MetricsObserver;
pub use state::{NewPeer, PeerView};
pub use view::{MAX_TILES, WantedTile, WantedView, Whose};
pub use vitals::{Condition, Vitals};

use weir_sfu_api::{GoneReason, ShardId, ShardStats, SrtpProfile};

/// What happens to media, for metrics. Called on the control plane's threads; must not block.
pub trait MediaObserver: Send + Sync {
    /// A peer's DTLS completed, so many microseconds after its first offer.
    fn connected(&self, profile: SrtpProfile, setup_us: u64);
    /// A peer is gone.
    fn gone(&self, reason: GoneReason);
    /// A shard's numbers, once a second.
    fn shard(&self, shard: ShardId, stats: &ShardStats);
}
