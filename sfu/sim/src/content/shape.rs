//! Layers within one stream: which frame refers to which, as libvpx and libaom make them.

/// Most frames that one refers to here.
pub const REFS: usize = 2;

/// Layers within one stream, named as in the W3C's scalability modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scalability {
    /// No layers.
    #[default]
    L1T1,
    /// Two temporal layers.
    L1T2,
    /// Three temporal layers.
    L1T3,
    /// Three spatial layers, each built on the one below.
    L3T1,
    /// Three spatial layers with three temporal ones, each built on the one below.
    L3T3,
    /// As L3T3, but a layer builds on the one below in key pictures only.
    L3T3Key,
}

impl Scalability {
    /// 1 or 3.
    #[must_use]
    pub fn spatial(self) -> u8 {
        match self {
            Self::L1T1 | Self::L1T2 | Self::L1T3 => 1,
            Self::L3T1 | Self::L3T3 | Self::L3T3Key => 3,
        }
    }

    /// 1 to 3.
    #[must_use]
    pub fn temporal(self) -> u8 {
        match self {
            Self::L1T1 | Self::L3T1 => 1,
            Self::L1T2 => 2,
            Self::L1T3 | Self::L3T3 | Self::L3T3Key => 3,
        }
    }

    /// A layer builds on the one below in every picture.
    #[must_use]
    pub fn inter_layer(self) -> bool {
        matches!(self, Self::L3T1 | Self::L3T3)
    }

    /// Pictures until the pattern begins again.
    #[must_use]
    pub fn period(self) -> u8 {
        1 << (self.temporal() - 1)
    }

    /// Temporal layer of a picture at this place of the pattern.
    #[must_use]
    pub fn temporal_id(self, phase: u8) -> u8 {
        match (self.temporal(), phase) {
            (_, 0) => 0,
            (2, _) | (3, 2) => 1,
            _ => 2,
        }
    }

    /// How many pictures back the picture is that a picture at this place refers to.
    #[must_use]
    pub fn back(self, phase: u8) -> u8 {
        match (self.temporal(), phase) {
            (_, 0) => self.period(),
            (3, 2) => 2,
            _ => 1,
        }
    }

    /// A receiver of lower temporal layers may begin with this picture's layer here.
    #[must_use]
    pub fn sync(self, phase: u8) -> bool {
        phase != 0 && !(self.temporal() == 3 && phase == 3)
    }

    /// No picture refers to one at this place.
    #[must_use]
    pub fn unreferenced(self, phase: u8) -> bool {
        self.temporal() > 1 && self.temporal_id(phase) == self.temporal() - 1
    }

    /// Share of a stream's bits that a picture at this place takes, of 100 per pattern: T0 has 40 %
    /// of three layers and 60 % of two.
    #[must_use]
    pub fn share(self, phase: u8) -> u64 {
        match (self.temporal(), phase) {
            (1, _) => 100,
            (2, 0) => 60,
            (2, _) | (3, 0) => 40,
            _ => 20,
        }
    }

    /// Share of a stream's bits that a spatial layer takes, in percent.
    #[must_use]
    pub fn spatial_share(self, spatial: u8) -> u64 {
        match (self.spatial(), spatial) {
            (1, _) => 100,
            (_, 0) => 8,
            (_, 1) => 22,
            _ => 70,
        }
    }
}

/// Where a frame stands in its stream's pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// The pattern.
    pub shape: Scalability,
    /// Spatial layer.
    pub spatial: u8,
    /// Picture within the pattern.
    pub phase: u8,
    /// Belongs to a key picture.
    pub key: bool,
}

impl Place {
    /// Temporal layer.
    #[must_use]
    pub fn temporal(self) -> u8 {
        self.shape.temporal_id(self.phase)
    }

    /// Refers to the spatial layer below in the same picture.
    #[must_use]
    pub fn on_below(self) -> bool {
        self.spatial > 0 && (self.key || self.shape.inter_layer())
    }

    /// The spatial layer above in the same picture refers to it.
    #[must_use]
    pub fn below_another(self) -> bool {
        self.spatial + 1 < self.shape.spatial() && (self.key || self.shape.inter_layer())
    }
}
