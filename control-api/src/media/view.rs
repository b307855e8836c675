//! What a receiver wants to see, by people instead of peers.

use weir_sfu_api::SourceKind;

/// Tiles in one view: four pages of 25. The shard looks through them when its room changes.
pub const MAX_TILES: usize = 100;

/// Whose picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Whose {
    /// Of a user, whichever of its connections sends it.
    User(i64),
    /// Of one connection, by the public spelling of its peer.
    Peer(String),
}

/// One picture a receiver wants: [`weir_sfu_api::Tile`] before the peer is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedTile {
    /// Whose.
    pub whose: Whose,
    /// Camera or screen.
    pub source: SourceKind,
    /// Width in pixels of the screen, 0 for no limit.
    pub width: u16,
    /// Height in pixels of the screen, 0 for no limit.
    pub height: u16,
    /// Frames a second that are of use, 0 for no limit.
    pub max_fps: u8,
    /// Keeps its slot and goes before speakers.
    pub pinned: bool,
    /// Known but not shown now.
    pub paused: bool,
}

/// What a receiver wants to see: [`weir_sfu_api::View`] before the peers are known. It holds also
/// for people who come later.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WantedView {
    /// By name, most important first; at most [`MAX_TILES`].
    pub tiles: Vec<WantedTile>,
    /// How many more, in order of speaking.
    pub last_n: u16,
    /// Size of those, as in [`WantedTile`].
    pub last_n_width: u16,
    /// Height, as in [`WantedTile`].
    pub last_n_height: u16,
    /// Frames a second, as in [`WantedTile`].
    pub last_n_fps: u8,
}
