//! Temporal layers within a stream: which frame refers to which, as libvpx and libaom make them.

/// Frames until the pattern begins again.
pub(crate) fn period(layers: u8) -> u8 {
    1 << (layers.clamp(1, 3) - 1)
}

/// Temporal layer of a frame at this place of the pattern.
pub(crate) fn temporal(layers: u8, phase: u8) -> u8 {
    match (layers, phase) {
        (_, 0) => 0,
        (2, _) | (3, 2) => 1,
        _ => 2,
    }
}

/// How many frames back the frame is that this one refers to; key frames refer to none.
pub(crate) fn back(layers: u8, phase: u8) -> u8 {
    match (layers, phase) {
        (_, 0) => period(layers),
        (3, 2) => 2,
        _ => 1,
    }
}

/// A receiver of lower layers may begin with this frame's layer here.
pub(crate) fn sync(layers: u8, phase: u8) -> bool {
    phase != 0 && !(layers == 3 && phase == 3)
}

/// No frame refers to one at this place.
pub(crate) fn unreferenced(layers: u8, phase: u8) -> bool {
    layers > 1 && temporal(layers, phase) == layers - 1
}

/// Percent of a pattern's bits that a frame takes: the base layer has 40 % of three and 60 % of two.
pub(crate) fn share(layers: u8, phase: u8) -> u64 {
    match (layers, phase) {
        (2, 0) => 60,
        (2, _) | (3, 0) => 40,
        (3, _) => 20,
        _ => 100,
    }
}
