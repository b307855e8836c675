//! Identifiers. All are plain numbers inside; the control plane gives them their public spelling.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $inner:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $inner);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id!(
    /// One participant's connection (one PeerConnection). Chosen by the control plane, unique for
    /// the life of the process.
    PeerId, u64
);
id!(
    /// A room: the media side of one meeting. Equal to the meeting's id.
    RoomId, u64
);
id!(
    /// A published track, unique within the process: shard number in the upper 16 bits.
    TrackId, u64
);
id!(
    /// A shard: one thread with one socket. Counted from 0.
    ShardId, u16
);
id!(
    /// Ties a [`crate::Reply`] to the [`crate::Command`] that asked for it.
    RequestId, u64
);
