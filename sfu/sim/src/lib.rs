//! A seeded world around the forwarding core, in virtual time: a network, people, a clock that
//! jumps to whatever happens next, and measures of what the people see.
//!
//! A run depends on its seed and on nothing else: peers are keyed directly, because DTLS takes
//! randomness of its own (one test makes real handshakes, see [`peer::PeerSetup::handshake`]).

pub mod content;
pub mod net;
pub mod oracles;
pub mod peer;
pub mod world;

pub use content::shape::Scalability;
pub use net::{Link, LinkConfig, Loss, Span};
pub use peer::{Feedback, Flood, Manners, Nacks, PeerSetup, SimPeer, Source, Talk};
pub use world::World;
