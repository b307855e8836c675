//! The dependency descriptor's structure of one stream (AV1 RTP specification, appendix A): kept here
//! once, so that a packet carries only what follows from it.

use crate::select::{Level, Levels};
use weir_wire::dd::{DependencyDescriptor, Dti, Layer, TemplateStructure};

/// A structure and what follows from it for each [`Level`].
#[derive(Debug)]
pub(crate) struct Structure {
    templates: TemplateStructure,
    /// Of the packet that brought it.
    since: u64,
    /// The decode target that shows a level, where one does.
    shows: [Option<u8>; 16],
    /// The decode targets that stay decodable at a level, as a bitmask.
    targets: [u32; 16],
    /// Targets that the publisher says it makes.
    active: u32,
}

impl Structure {
    fn new(templates: TemplateStructure, since: u64) -> Self {
        let mut new = Self {
            active: templates.all_targets(),
            templates,
            since,
            shows: [None; 16],
            targets: [0; 16],
        };
        for level in Level::all() {
            let mut best: Option<(Layer, u8)> = None;
            let mut mask = 0u32;
            for target in 0..new.templates.decode_target_count() {
                let Some(layer) = new.templates.target_layer(target) else { continue };
                if !level.covers(Level::new(layer.spatial, layer.temporal)) {
                    continue;
                }
                mask |= 1u32.checked_shl(u32::from(target)).unwrap_or(0);
                if best.is_none_or(|(known, _)| layer > known) {
                    best = Some((layer, target));
                }
            }
            if let Some(place) = new.shows.get_mut(level.index()) {
                *place = best.map(|(_, target)| target);
            }
            if let Some(place) = new.targets.get_mut(level.index()) {
                *place = mask;
            }
        }
        new
    }

    /// The active-decode-targets bitmask for a receiver at `level`.
    pub(crate) fn targets_of(&self, level: Level) -> u32 {
        self.targets.get(level.index()).copied().unwrap_or(u32::MAX) & self.active
    }

    /// Pixels of a spatial layer, where told.
    pub(crate) fn resolution(&self, spatial: u8) -> Option<(u16, u16)> {
        let (width, height) = self.templates.resolution(spatial)?;
        Some((u16::try_from(width).ok()?, u16::try_from(height).ok()?))
    }
}

/// What a descriptor says of its packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) descriptor: DependencyDescriptor,
    /// The structure it refers to is known.
    pub(crate) known: bool,
    /// Levels that need the frame.
    pub(crate) needed: Levels,
    /// Levels that may begin with it, for who can decode it.
    pub(crate) entry: Levels,
}

/// The structures of one stream: the current one and the one before, for late packets.
#[derive(Debug, Default)]
pub(crate) struct Structures {
    current: Option<Box<Structure>>,
    previous: Option<Box<Structure>>,
}

impl Structures {
    /// The stream began anew.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn current(&self) -> Option<&Structure> {
        self.current.as_deref()
    }

    /// Reads the descriptor of packet `seq`; `None` when it is malformed. True with it when the
    /// packet brought a new structure.
    pub(crate) fn read(&mut self, value: &[u8], seq: u64) -> Option<(Described, bool)> {
        let mut changed = false;
        // The flag of a structure: nothing else costs more than a look.
        if value.get(3).is_some_and(|flags| flags & 0x80 != 0) {
            let templates = TemplateStructure::parse(value).ok()??;
            let known = self.current.as_ref().is_some_and(|known| known.templates == templates);
            let newer = self.current.as_ref().is_none_or(|known| seq > known.since);
            if newer && !known {
                std::mem::swap(&mut self.current, &mut self.previous);
                let new = Structure::new(templates, seq);
                match self.current.as_mut() {
                    // The memory is used again.
                    Some(place) => **place = new,
                    None => self.current = Some(Box::new(new)),
                }
                changed = true;
            }
        }
        let of_packet = match (&self.current, &self.previous) {
            (Some(current), Some(previous)) if seq < current.since => Some(previous),
            (current, _) => current.as_ref(),
        };
        let Some(structure) = of_packet else {
            let none = TemplateStructure::default();
            let descriptor = DependencyDescriptor::parse(value, &none).ok()?;
            let (needed, entry) = (Levels::ALL, Levels::NONE);
            return Some((Described { descriptor, known: false, needed, entry }, changed));
        };
        let descriptor = DependencyDescriptor::parse(value, &structure.templates).ok()?;
        let (needed, entry) = Self::levels(structure, &descriptor);
        if let Some(active) = descriptor.active_decode_targets
            && let Some(current) = self.current.as_mut()
            && seq >= current.since
        {
            current.active = active;
        }
        Some((Described { descriptor, known: true, needed, entry }, changed))
    }

    fn levels(structure: &Structure, descriptor: &DependencyDescriptor) -> (Levels, Levels) {
        // Another template than those known: better to send what may be needed.
        if descriptor.layer.is_none() {
            return (Levels::ALL, Levels::NONE);
        }
        let (mut needed, mut entry) = (Levels::NONE, Levels::NONE);
        for target in 0..descriptor.decode_target_count() {
            let present = descriptor.dti(target).is_some_and(|dti| dti != Dti::NotPresent);
            if present && let Some(layer) = structure.templates.target_layer(target) {
                needed = needed.with(Levels::from(Level::new(layer.spatial, layer.temporal)));
            }
        }
        for level in Level::all() {
            let target = structure.shows.get(level.index()).copied().flatten();
            if target.and_then(|target| descriptor.dti(target)) == Some(Dti::Switch) {
                entry.insert(level);
            }
        }
        (needed, entry)
    }
}
