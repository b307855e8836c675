//! What a track can be had in, from its least to its best: between the publisher's layers (step 4
//! measures them) and the allocator (which chooses one for each receiver).

/// Rungs of one ladder: three rids with four temporal layers, or three spatial with as many.
pub(crate) const MAX_RUNGS: usize = 16;

/// One way to have a track: a simulcast layer, and within it at most these layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Target {
    /// Index of the simulcast layer in its publication, 0 without simulcast.
    pub(crate) layer: u8,
    /// Highest spatial layer, 0 without SVC.
    pub(crate) spatial: u8,
    /// Highest temporal layer, 0 without.
    pub(crate) temporal: u8,
}

/// A target with what it costs and shows, as measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rung {
    pub(crate) target: Target,
    /// Bits per second of RTP payload and header, over the last second or so.
    pub(crate) bps: u64,
    /// Pixels, 0 while unknown.
    pub(crate) width: u16,
    /// Pixels, 0 while unknown.
    pub(crate) height: u16,
    /// Frames per second, 0 while unknown.
    pub(crate) fps: u8,
}

/// All rungs of a track that are being sent now, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ladder {
    rungs: [Rung; MAX_RUNGS],
    len: u8,
}

impl Ladder {
    /// Adds a rung above the others; what exceeds [`MAX_RUNGS`] is left out.
    pub(crate) fn push(&mut self, rung: Rung) {
        if let Some(free) = self.rungs.get_mut(usize::from(self.len)) {
            *free = rung;
            self.len = self.len.saturating_add(1);
        }
    }

    /// The rungs, cheapest first.
    pub(crate) fn rungs(&self) -> &[Rung] {
        self.rungs.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// What a slot gets of its track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Wanted {
    /// The best that is being sent: nobody allocates for this receiver.
    #[default]
    Best,
    /// At most this.
    At(Target),
    /// Nothing.
    Paused,
}
