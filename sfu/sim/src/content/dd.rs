//! Dependency descriptors as Chromium writes them (AOM "RTP Payload Format For AV1" appendix A;
//! libwebrtc's ScalabilityStructureFullSvc and ScalabilityStructureKeySvc).

use super::shape::{Place, REFS, Scalability};

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: usize,
}

impl Bits {
    fn put(&mut self, count: u32, value: u32) -> &mut Self {
        for bit in (0..count).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << (7 - self.used % 8);
            }
            self.used += 1;
        }
        self
    }

    /// AV1's ns(n): `value` below `n`.
    fn non_symmetric(&mut self, n: u32, value: u32) {
        let width = n.ilog2() + 1;
        let short = (1 << width) - n;
        if value < short {
            self.put(width - 1, value);
        } else {
            self.put(width, value + short);
        }
    }
}

/// The template's kinds, in the order of a structure: by spatial, then by temporal layer.
fn templates(shape: Scalability) -> Vec<Place> {
    let mut all = Vec::new();
    for spatial in 0..shape.spatial() {
        for temporal in 0..shape.temporal() {
            for phase in (0..shape.period()).filter(|p| shape.temporal_id(*p) == temporal) {
                all.push(Place { shape, spatial, phase, key: false });
                if phase == 0 {
                    all.push(Place { shape, spatial, phase, key: true });
                }
            }
        }
    }
    all
}

/// Differences of frame numbers when all layers are sent.
fn fdiffs(place: Place) -> Vec<u32> {
    let mut all = Vec::new();
    if !place.key {
        all.push(u32::from(place.shape.back(place.phase)) * u32::from(place.shape.spatial()));
    }
    if place.on_below() {
        all.push(1);
    }
    all
}

/// Not present, discardable, switch, required: 0 to 3.
fn dti(place: Place, target_spatial: u8, target_temporal: u8) -> u32 {
    let (shape, temporal) = (place.shape, place.temporal());
    let reaches = place.spatial == target_spatial
        || place.spatial < target_spatial && (place.key || shape.inter_layer());
    if !reaches || temporal > target_temporal {
        return 0;
    }
    if place.key {
        return 2;
    }
    if place.spatial < target_spatial {
        return 3;
    }
    match temporal {
        0 => 2,
        _ if temporal == target_temporal => 1,
        _ => 2,
    }
}

/// Distance to the last frame of a chain (one for each spatial layer).
fn chain_diff(place: Place, chain: u8) -> u32 {
    let (spatial, chain) = (u32::from(place.spatial), u32::from(chain));
    let layers = u32::from(place.shape.spatial());
    if place.phase > 0 {
        return u32::from(place.phase) * layers + spatial - chain;
    }
    let earlier = u32::from(place.shape.period()) * layers;
    match chain < spatial {
        true => spatial - chain,
        false if place.key && spatial == 0 => 0,
        false if place.key || place.shape.inter_layer() && spatial > 0 => 1,
        false if place.shape.inter_layer() => earlier - chain,
        false => earlier + spatial - chain,
    }
    .min(15)
}

fn write_structure(out: &mut Bits, shape: Scalability, resolutions: &[(u16, u16)]) {
    let all = templates(shape);
    let (spatial, temporal) = (shape.spatial(), shape.temporal());
    let targets = u32::from(spatial * temporal);
    out.put(6, OFFSET).put(5, targets - 1);
    for pair in all.windows(2) {
        let step = match (pair[1].spatial > pair[0].spatial, pair[1].temporal(), pair[0].temporal())
        {
            (true, _, _) => 2,
            (false, next, this) if next > this => 1,
            _ => 0,
        };
        out.put(2, step);
    }
    out.put(2, 3);
    for place in &all {
        for target in 0..spatial * temporal {
            out.put(2, dti(*place, target / temporal, target % temporal));
        }
    }
    for place in &all {
        for diff in fdiffs(*place) {
            out.put(1, 1).put(4, diff - 1);
        }
        out.put(1, 0);
    }
    let chains = u32::from(spatial);
    out.non_symmetric(targets + 1, chains);
    for target in 0..spatial * temporal {
        out.non_symmetric(chains, u32::from(target / temporal));
    }
    for place in &all {
        for chain in 0..spatial {
            out.put(4, chain_diff(*place, chain));
        }
    }
    out.put(1, 1);
    for (width, height) in resolutions.iter().take(usize::from(spatial)) {
        out.put(16, u32::from(*width) - 1).put(16, u32::from(*height) - 1);
    }
}

/// Template ids begin here.
const OFFSET: u32 = 60;

/// One packet of one frame.
#[derive(Debug, Clone, Copy)]
pub struct Descriptor<'a> {
    /// First packet of the frame.
    pub start: bool,
    /// Last packet of the frame.
    pub end: bool,
    /// The frame's number, wraps.
    pub frame: u32,
    /// Where it stands.
    pub place: Place,
    /// How far back the frames are that it refers to, 0 for none.
    pub refs: [u16; REFS],
    /// Pixels by spatial layer, for a structure.
    pub resolutions: &'a [(u16, u16)],
    /// A bit for each decode target, where it is to be told.
    pub active: Option<u32>,
}

/// The extension's value.
#[must_use]
pub fn write(d: &Descriptor<'_>) -> Vec<u8> {
    let all = templates(d.place.shape);
    let index = all.iter().position(|place| *place == d.place).unwrap_or(0) as u32;
    let mut out = Bits::default();
    out.put(1, d.start.into()).put(1, d.end.into());
    out.put(6, (OFFSET + index) % 64).put(16, d.frame & 0xffff);
    let structure = d.place.key && d.place.spatial == 0 && d.start;
    let own: Vec<u32> =
        d.refs.iter().filter(|diff| **diff > 0).map(|diff| (*diff).into()).collect();
    let custom = own != fdiffs(d.place);
    if !structure && !custom && d.active.is_none() {
        return out.bytes;
    }
    out.put(1, structure.into()).put(1, d.active.is_some().into());
    out.put(1, 0).put(1, custom.into()).put(1, 0);
    if structure {
        write_structure(&mut out, d.place.shape, d.resolutions);
    }
    if let Some(active) = d.active {
        out.put(u32::from(d.place.shape.spatial() * d.place.shape.temporal()), active);
    }
    if custom {
        for diff in own {
            let size = if diff <= 16 { 1 } else { 2 };
            out.put(2, size).put(size * 4, (diff - 1).min(255));
        }
        out.put(2, 0);
    }
    out.bytes
}

#[cfg(test)]
mod tests;
