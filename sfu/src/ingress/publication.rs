//! One published m-line: its layers and how their SSRCs are found.

use crate::ingress::ladder::Looked;
use crate::ingress::stream::Stream;
use crate::limits;
use crate::pool::Pool;
use std::time::Instant;
use weir_sfu_api::{MediaKind, MediaSection, PayloadType, Rid};

/// One layer (the only one without simulcast).
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) rid: Option<Rid>,
    pub(crate) stream: Option<Stream>,
    pub(crate) resolution: Option<(u16, u16)>,
    /// Somebody waits for a key frame of this layer.
    pub(crate) key_frame_wanted: bool,
    pub(crate) last_key_frame_request: Option<Instant>,
    /// Sequence number of the last FIR.
    pub(crate) fir_count: u8,
}

impl Layer {
    fn new(rid: Option<Rid>) -> Self {
        Self {
            rid,
            stream: None,
            resolution: None,
            key_frame_wanted: false,
            last_key_frame_request: None,
            fir_count: 0,
        }
    }

    /// How good it is: pixels where known, else bits per second.
    pub(super) fn rank(&self) -> (u64, u64) {
        let pixels = self
            .resolution
            .map_or(0, |(width, height)| u64::from(width).saturating_mul(u64::from(height)));
        (pixels, self.stream.as_ref().map_or(0, |stream| stream.bitrate_bps))
    }
}

/// A published m-line.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) section: MediaSection,
    pub(crate) layers: Vec<Layer>,
    /// Index in the shard's tracks, once media flows.
    pub(crate) track: Option<u32>,
    /// The layer receivers should get.
    pub(crate) best: u8,
    best_checked: Option<Instant>,
    /// What of it can be had, see [`Self::look`].
    pub(super) looked: Looked,
}

/// What an SSRC stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) ssrc: u32,
    /// Index of the publication within the peer.
    pub(crate) publication: u8,
    pub(crate) layer: u8,
    pub(crate) rtx: bool,
}

impl Publication {
    pub(crate) fn new(section: MediaSection) -> Self {
        let mut layers: Vec<Layer> = section
            .simulcast
            .iter()
            .take(limits::LAYERS)
            .map(|layer| Layer::new(Some(layer.rid)))
            .collect();
        if layers.is_empty() {
            layers.push(Layer::new(None));
        }
        Self {
            section,
            layers,
            track: None,
            best: 0,
            best_checked: None,
            looked: Looked::default(),
        }
    }

    /// Takes another offer of the same m-line. True when its layers are others than before: then they
    /// begin anew, and no SSRC is bound to any of them.
    pub(crate) fn renew(&mut self, section: MediaSection, pool: &mut Pool) -> bool {
        let new = Self::new(section);
        let rids = |publication: &Self| -> [Option<Rid>; limits::LAYERS] {
            std::array::from_fn(|n| publication.layers.get(n).and_then(|layer| layer.rid))
        };
        if new.layers.len() == self.layers.len() && rids(&new) == rids(self) {
            self.section = new.section;
            return false;
        }
        self.clear(pool);
        *self = Self { track: self.track, ..new };
        true
    }

    pub(crate) fn payload_type(&self, number: u8) -> Option<&PayloadType> {
        self.section.payload_types.iter().find(|pt| pt.number == number)
    }

    /// The media payload type that `number` repairs.
    pub(crate) fn rtx_payload_type(&self, number: u8) -> Option<&PayloadType> {
        self.section.payload_types.iter().find(|pt| pt.rtx == Some(number))
    }

    pub(crate) fn layer_of_rid(&self, rid: &[u8]) -> Option<u8> {
        let index = self
            .layers
            .iter()
            .position(|layer| layer.rid.is_some_and(|own| own.as_bytes() == rid))?;
        u8::try_from(index).ok()
    }

    pub(crate) fn layer(&mut self, index: u8) -> Option<&mut Layer> {
        self.layers.get_mut(usize::from(index))
    }

    /// Packets to keep per layer.
    pub(crate) fn cache_size(&self) -> usize {
        match self.section.kind {
            MediaKind::Audio => limits::CACHE_AUDIO,
            MediaKind::Video => limits::CACHE_VIDEO,
        }
    }

    /// Chooses the best layer received now. Looks again at most every 250 ms unless forced. Returns
    /// true when the choice changed.
    pub(crate) fn choose_best(&mut self, now: Instant, force: bool) -> bool {
        if self.layers.len() < 2 {
            return false;
        }
        let due = self
            .best_checked
            .is_none_or(|at| now.saturating_duration_since(at) >= limits::SPEAKER_INTERVAL);
        if !due && !force {
            return false;
        }
        self.best_checked = Some(now);
        let current_active = self
            .layers
            .get(usize::from(self.best))
            .and_then(|layer| layer.stream.as_ref())
            .is_some_and(|stream| stream.is_active(now));
        let mut choice = self.best;
        let mut choice_rank = current_active
            .then(|| self.layers.get(usize::from(self.best)).map(Layer::rank))
            .flatten();
        for (index, layer) in self.layers.iter().enumerate() {
            let Some(stream) = layer.stream.as_ref().filter(|stream| stream.is_active(now)) else {
                continue;
            };
            // Moving up wants a steady layer; when the current one is gone anything is better.
            let steady = stream
                .since
                .is_some_and(|since| now.saturating_duration_since(since) >= limits::LAYER_STEADY);
            if current_active && !steady {
                continue;
            }
            if choice_rank.is_none_or(|rank| better(layer.rank(), rank)) {
                choice = u8::try_from(index).unwrap_or(choice);
                choice_rank = Some(layer.rank());
            }
        }
        let changed = choice != self.best;
        self.best = choice;
        changed
    }

    /// Frees all packets.
    pub(crate) fn clear(&mut self, pool: &mut Pool) {
        for layer in &mut self.layers {
            if let Some(stream) = layer.stream.as_mut() {
                stream.cache.clear(pool);
            }
        }
    }
}

/// Pixels decide where both are known; else a rate that is a quarter higher, so that two layers of
/// like rate do not take turns.
fn better(candidate: (u64, u64), current: (u64, u64)) -> bool {
    if candidate.0 > 0 && current.0 > 0 {
        return candidate.0 > current.0;
    }
    candidate.1 > current.1.saturating_add(current.1 >> 2)
}
