//! The dependency descriptor header extension (AOM "RTP Payload Format For AV1" appendix A),
//! used with AV1 and, in Chromium, with VP8, VP9 and H264 on request.
//!
//! A key frame's descriptor carries the [`TemplateStructure`] that later ones refer to. The
//! forwarder keeps the structure per stream:
//!
//! ```
//! # fn f(value: &[u8], known: &mut weir_wire::dd::TemplateStructure) -> Result<(), weir_wire::ParseError> {
//! use weir_wire::dd::{DependencyDescriptor, TemplateStructure};
//! if let Some(new) = TemplateStructure::parse(value)? {
//!     *known = new;
//! }
//! let descriptor = DependencyDescriptor::parse(value, known)?;
//! # let _ = descriptor; Ok(()) }
//! ```

mod structure;
#[cfg(test)]
mod tests;
mod write;

pub use structure::{
    Dti, MAX_DECODE_TARGETS, MAX_FDIFFS, MAX_SPATIAL_LAYERS, MAX_TEMPLATES, Template,
    TemplateStructure,
};
pub use write::rewrite;

use crate::{ParseError, read::BitReader};

/// Bytes of the fields every descriptor has; a longer one has flags and more.
const MANDATORY_LEN: usize = 3;
const TEMPLATE_IDS: u8 = 64;

/// The layer of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Layer {
    /// Spatial layer, 0 to 3.
    pub spatial: u8,
    /// Temporal layer, 0 to 7.
    pub temporal: u8,
}

/// One packet's descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DependencyDescriptor {
    /// First packet of a frame (of one spatial layer).
    pub start_of_frame: bool,
    /// Last packet of a frame.
    pub end_of_frame: bool,
    /// 0 to 63.
    pub template_id: u8,
    /// Wraps.
    pub frame_number: u16,
    /// The descriptor carries a structure: the packet belongs to a key frame.
    pub structure_present: bool,
    /// Bit per decode target that is still produced, when the descriptor says so.
    pub active_decode_targets: Option<u32>,
    /// `None` when the structure is not known (or another one).
    pub layer: Option<Layer>,
    /// Decode target indications, see [`Self::dti`].
    dtis: u64,
    decode_targets: u8,
    /// Frame number differences to the frames this one refers to.
    fdiffs: [u16; MAX_FDIFFS],
    fdiff_count: u8,
}

/// The fields before the structure.
struct Head {
    start_of_frame: bool,
    end_of_frame: bool,
    template_id: u8,
    frame_number: u16,
    structure: bool,
    active_targets: bool,
    custom_dtis: bool,
    custom_fdiffs: bool,
    custom_chains: bool,
}

fn read_head(r: &mut BitReader<'_>, len: usize) -> Result<Head, ParseError> {
    let what = "dependency descriptor";
    let start_of_frame = r.flag(what)?;
    let end_of_frame = r.flag(what)?;
    let template_id = r.small(6, what)?;
    let [_, _, n0, n1] = r.bits(16, what)?.to_be_bytes();
    let extended = len > MANDATORY_LEN;
    let mut flag = || if extended { r.flag(what) } else { Ok(false) };
    Ok(Head {
        start_of_frame,
        end_of_frame,
        template_id,
        frame_number: u16::from_be_bytes([n0, n1]),
        structure: flag()?,
        active_targets: flag()?,
        custom_dtis: flag()?,
        custom_fdiffs: flag()?,
        custom_chains: flag()?,
    })
}

impl TemplateStructure {
    /// The structure in a descriptor, if it has one.
    ///
    /// # Errors
    /// When the descriptor is too short or exceeds the limits of this module.
    pub fn parse(value: &[u8]) -> Result<Option<Self>, ParseError> {
        let mut r = BitReader::new(value);
        let head = read_head(&mut r, value.len())?;
        if !head.structure {
            return Ok(None);
        }
        let mut structure = Self::default();
        structure.read(&mut r)?;
        Ok(Some(structure))
    }
}

impl DependencyDescriptor {
    /// Reads a descriptor. `known` is the stream's last structure (the default one before the
    /// first); a structure in the descriptor itself takes precedence.
    ///
    /// # Errors
    /// When the descriptor is too short or exceeds the limits of this module. A template that
    /// `known` does not have is no error: `layer` is then `None`.
    pub fn parse(value: &[u8], known: &TemplateStructure) -> Result<Self, ParseError> {
        let mut r = BitReader::new(value);
        let head = read_head(&mut r, value.len())?;
        let mut descriptor = Self {
            start_of_frame: head.start_of_frame,
            end_of_frame: head.end_of_frame,
            template_id: head.template_id,
            frame_number: head.frame_number,
            structure_present: head.structure,
            active_decode_targets: None,
            layer: None,
            dtis: 0,
            decode_targets: 0,
            fdiffs: [0; MAX_FDIFFS],
            fdiff_count: 0,
        };
        if head.structure {
            let mut own = TemplateStructure::default();
            own.read(&mut r)?;
            descriptor.active_decode_targets = Some(own.all_targets());
            descriptor.resolve(&head, &own, &mut r)?;
        } else if known.decode_target_count() != 0 {
            descriptor.resolve(&head, known, &mut r)?;
        }
        Ok(descriptor)
    }

    fn resolve(
        &mut self,
        head: &Head,
        structure: &TemplateStructure,
        r: &mut BitReader<'_>,
    ) -> Result<(), ParseError> {
        let targets = structure.decode_target_count();
        if head.active_targets {
            self.active_decode_targets = Some(r.bits(u32::from(targets), "active decode targets")?);
        }
        let index = head.template_id.wrapping_sub(structure.template_id_offset()) % TEMPLATE_IDS;
        let Some(template) = structure.template(index) else { return Ok(()) };
        self.layer = Some(Layer { spatial: template.spatial_id, temporal: template.temporal_id });
        self.decode_targets = targets;
        self.dtis = template.dtis;
        if head.custom_dtis {
            self.dtis = structure::read_dtis(r, targets)?;
        }
        if head.custom_fdiffs {
            self.read_fdiffs(r)?;
        } else {
            for (to, from) in self.fdiffs.iter_mut().zip(template.fdiffs()) {
                *to = u16::from(*from);
                self.fdiff_count = self.fdiff_count.saturating_add(1);
            }
        }
        if head.custom_chains {
            for _ in 0..structure.chain_count() {
                r.bits(8, "frame chains")?;
            }
        }
        Ok(())
    }

    fn read_fdiffs(&mut self, r: &mut BitReader<'_>) -> Result<(), ParseError> {
        let what = "frame differences";
        loop {
            let size = r.bits(2, what)?;
            if size == 0 {
                return Ok(());
            }
            let diff = r.bits(size.saturating_mul(4), what)?.saturating_add(1);
            let place = self.fdiffs.get_mut(usize::from(self.fdiff_count));
            *place.ok_or(ParseError::new(what, r.byte_pos()))? =
                u16::try_from(diff).unwrap_or(u16::MAX);
            self.fdiff_count = self.fdiff_count.saturating_add(1);
        }
    }

    /// The packet starts a key frame.
    #[must_use]
    pub fn key_frame(&self) -> bool {
        self.structure_present && self.start_of_frame
    }

    /// Decode targets of the structure it refers to; 0 when that is not known.
    #[must_use]
    pub fn decode_target_count(&self) -> u8 {
        self.decode_targets
    }

    /// What this frame is to a decode target; `None` when unknown.
    #[must_use]
    pub fn dti(&self, decode_target: u8) -> Option<Dti> {
        (decode_target < self.decode_targets).then(|| Dti::of(self.dtis, decode_target))
    }

    /// Differences of frame numbers to the frames this one refers to.
    #[must_use]
    pub fn fdiffs(&self) -> &[u16] {
        self.fdiffs.get(..usize::from(self.fdiff_count)).unwrap_or_default()
    }
}
