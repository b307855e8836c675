//! How much of a stream somebody gets, as a number for the hot path.

/// Spatial layers told apart, and temporal ones: more than browsers make. Higher ones count as the
/// highest.
pub(crate) const LAYERS_EACH: u8 = 4;

/// A spatial and a temporal layer, 0 to 3 each: all up to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level(u8);

impl Level {
    /// The base layer alone.
    pub(crate) const BASE: Self = Self(0);
    /// All there is.
    pub(crate) const FULL: Self = Self(15);

    pub(crate) fn new(spatial: u8, temporal: u8) -> Self {
        let most = LAYERS_EACH.saturating_sub(1);
        Self(spatial.min(most) << 2 | temporal.min(most))
    }

    pub(crate) fn spatial(self) -> u8 {
        self.0 >> 2
    }

    pub(crate) fn temporal(self) -> u8 {
        self.0 & 3
    }

    /// What both have.
    pub(crate) fn least(self, other: Self) -> Self {
        Self::new(self.spatial().min(other.spatial()), self.temporal().min(other.temporal()))
    }

    /// Whether it has all that `other` has.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.spatial() >= other.spatial() && self.temporal() >= other.temporal()
    }

    /// 0 to 15, for tables.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Every level.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..16).map(Self)
    }
}

/// A set of levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Levels(u16);

impl Levels {
    pub(crate) const ALL: Self = Self(u16::MAX);
    pub(crate) const NONE: Self = Self(0);

    /// All that cover `level`.
    pub(crate) fn from(level: Level) -> Self {
        let row = (0x0f_u16 << level.temporal()) & 0x0f;
        let columns = row.wrapping_mul(0x1111);
        Self(columns & u16::MAX << (level.spatial() << 2))
    }

    /// All of one temporal layer, whatever the spatial one.
    pub(crate) fn of_temporal(temporal: u8) -> Self {
        Self(0x1111_u16 << temporal.min(3))
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn insert(&mut self, level: Level) {
        self.0 |= 1 << level.0;
    }

    pub(crate) fn contains(self, level: Level) -> bool {
        self.0 >> level.0 & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_needed_by_all_levels_that_cover_it() {
        for layer in Level::all() {
            let needed = Levels::from(layer);
            for level in Level::all() {
                assert_eq!(needed.contains(level), level.covers(layer), "{layer:?} {level:?}");
            }
        }
        assert!(Level::FULL.covers(Level::new(7, 7)));
        assert_eq!(Level::new(2, 1).least(Level::new(1, 3)), Level::new(1, 1));
        assert!(Levels::of_temporal(2).contains(Level::new(3, 2)));
        assert!(!Levels::of_temporal(2).contains(Level::new(2, 3)));
    }
}
