//! Commands, events and ids of the forwarding core: all that other crates see of it.
//!
//! The control plane sends [`Command`] values to a shard and receives [`Event`] values. Nothing
//! here knows SDP, sockets or clocks: `weir-sdp` turns an offer into a [`MediaDescription`] and a
//! [`TransportAnswer`] plus [`MediaAnswer`] back into an answer.

mod codec;
mod command;
mod event;
mod id;
mod media;
mod transport;
mod view;

pub use codec::{Codec, CodecKind, FeedbackSet, PayloadType};
pub use command::{Command, Rights, SlotPolicy};
pub use event::{
    ApiError, Event, GoneReason, PausedBy, PeerStats, Reply, ReplyBody, RoomStats, ShardStats,
    SlotState, SpeakerState, TrackStats,
};
pub use id::{PeerId, RequestId, RoomId, ShardId, TrackId};
pub use media::{
    Direction, ExtensionKind, ExtensionMap, MediaAnswer, MediaDescription, MediaKind, MediaSection,
    Mid, Rid, SectionAnswer, SimulcastLayer, SourceKind, SsrcGroup, TrackInfo,
};
pub use transport::{
    Candidate, DtlsSetup, Fingerprint, HashAlgorithm, IceCredentials, SrtpProfile, TransportAnswer,
    TransportDescription,
};
pub use view::{LayerDemand, Tile, View};
