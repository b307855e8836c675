//! What a receiver wants to see, and what publishers are asked to send.

use crate::{PeerId, Rid, SourceKind};

/// One picture a receiver wants, as large as it shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tile {
    /// Whose.
    pub peer: PeerId,
    /// Which of their pictures: camera or screen.
    pub source: SourceKind,
    /// Width of the tile in pixels of the screen, 0 for no limit.
    pub width: u16,
    /// Height of the tile in pixels of the screen, 0 for no limit.
    pub height: u16,
    /// Frames per second that are of use, 0 for no limit.
    pub max_fps: u8,
    /// Pinned by the user: keeps its slot and goes before speakers.
    pub pinned: bool,
    /// Known but not shown now: nothing is sent.
    pub paused: bool,
}

/// What a receiver wants to see. A peer that ever sent one is slot-aware: its audio slots carry the
/// loudest, its video slots the screen shares, its tiles, and then the last speakers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// Pictures asked for by name, most important first.
    pub tiles: Vec<Tile>,
    /// How many more pictures it wants, in order of speaking; `u16::MAX` fills all slots.
    pub last_n: u16,
    /// Size and rate of those: as in [`Tile`].
    pub last_n_width: u16,
    /// Height, as in [`Tile`].
    pub last_n_height: u16,
    /// Frames per second, as in [`Tile`].
    pub last_n_fps: u8,
}

/// Whether a publisher should send one layer: what nobody watches is asked off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerDemand {
    /// The layer, `None` where the track has only one.
    pub rid: Option<Rid>,
    /// Somebody wants it.
    pub active: bool,
}
