//! Measurements of the packet's way: its steps, the floor below which no forwarder comes, a real
//! shard on a real socket, and real browsers. Nothing here passes or fails: it prints.

pub mod big;
pub mod cpu;
pub mod crowd;
pub mod delay;
pub mod floor;
pub mod forward;
pub mod handshakes;
pub mod instructions;
pub mod join;
pub mod media;
pub mod memory;
pub mod report;
pub mod rooms;
pub mod running;
pub mod sink;
pub mod steps;
pub mod veth;
pub mod way;
pub mod world;

/// What can go wrong while measuring.
pub type Error = Box<dyn std::error::Error>;

/// How often everything is measured. The smallest counts: whatever disturbs, adds.
pub const ROUNDS: usize = 5;

/// Bytes of a sealed packet where one size is enough.
pub const PACKET_BYTES: usize = 1_200;
