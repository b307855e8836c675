//! The structure: which templates exist and which decode targets use them.

use crate::{ParseError, read::BitReader};

/// Most templates in a structure.
pub const MAX_TEMPLATES: usize = 64;
/// Most decode targets.
pub const MAX_DECODE_TARGETS: usize = 32;
/// Most spatial layers.
pub const MAX_SPATIAL_LAYERS: usize = 4;
/// Most frames that one refers to; AV1 has eight reference slots.
pub const MAX_FDIFFS: usize = 8;

const MAX_TEMPORAL_LAYERS: u8 = 8;

/// Decode target indication: what a frame is to a decode target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dti {
    /// Not needed.
    NotPresent,
    /// Needed, but nothing depends on it.
    Discardable,
    /// A receiver can switch to the decode target here.
    Switch,
    /// Needed.
    Required,
}

impl Dti {
    /// From two bits per decode target, target 0 lowest.
    pub(super) fn of(dtis: u64, target: u8) -> Self {
        let shift = u32::from(target).saturating_mul(2);
        match dtis.checked_shr(shift).unwrap_or(0) & 3 {
            0 => Self::NotPresent,
            1 => Self::Discardable,
            2 => Self::Switch,
            _ => Self::Required,
        }
    }
}

/// A kind of frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Template {
    /// 0 to 3.
    pub spatial_id: u8,
    /// 0 to 7.
    pub temporal_id: u8,
    /// Two bits per decode target, target 0 lowest.
    pub(super) dtis: u64,
    fdiffs: [u8; MAX_FDIFFS],
    fdiff_count: u8,
}

impl Template {
    /// Differences of frame numbers to the frames it refers to, 1 to 16.
    #[must_use]
    pub fn fdiffs(&self) -> &[u8] {
        self.fdiffs.get(..usize::from(self.fdiff_count)).unwrap_or_default()
    }
}

/// What a key frame's descriptor declares for the frames that follow. About 2 kB, no heap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateStructure {
    template_id_offset: u8,
    decode_targets: u8,
    chains: u8,
    template_count: u8,
    templates: [Template; MAX_TEMPLATES],
    /// Chain that protects a decode target.
    protected_by: [u8; MAX_DECODE_TARGETS],
    resolutions: [Option<(u32, u32)>; MAX_SPATIAL_LAYERS],
}

impl Default for TemplateStructure {
    /// The structure before the first key frame: no templates.
    fn default() -> Self {
        Self {
            template_id_offset: 0,
            decode_targets: 0,
            chains: 0,
            template_count: 0,
            templates: [Template::default(); MAX_TEMPLATES],
            protected_by: [0; MAX_DECODE_TARGETS],
            resolutions: [None; MAX_SPATIAL_LAYERS],
        }
    }
}

impl TemplateStructure {
    /// The template id of the first template.
    #[must_use]
    pub fn template_id_offset(&self) -> u8 {
        self.template_id_offset
    }

    /// 1 to 32; 0 before the first key frame.
    #[must_use]
    pub fn decode_target_count(&self) -> u8 {
        self.decode_targets
    }

    /// 0 to 32.
    #[must_use]
    pub fn chain_count(&self) -> u8 {
        self.chains
    }

    /// The templates.
    #[must_use]
    pub fn templates(&self) -> &[Template] {
        self.templates.get(..usize::from(self.template_count)).unwrap_or_default()
    }

    /// The template at an index (not an id).
    #[must_use]
    pub fn template(&self, index: u8) -> Option<&Template> {
        self.templates().get(usize::from(index))
    }

    /// The chain that protects a decode target.
    #[must_use]
    pub fn protected_by(&self, decode_target: u8) -> Option<u8> {
        let known = decode_target < self.decode_targets && self.chains != 0;
        known.then(|| self.protected_by.get(usize::from(decode_target)).copied()).flatten()
    }

    /// Width and height in pixels (1 to 65,536) of a spatial layer, where given.
    #[must_use]
    pub fn resolution(&self, spatial_id: u8) -> Option<(u32, u32)> {
        self.resolutions.get(usize::from(spatial_id)).copied().flatten()
    }

    /// A bit for each decode target.
    #[must_use]
    pub fn all_targets(&self) -> u32 {
        let unused = 32_u32.saturating_sub(u32::from(self.decode_targets));
        u32::MAX.checked_shr(unused).unwrap_or(0)
    }

    /// The layer a decode target shows: the highest of the templates it needs.
    #[must_use]
    pub fn target_layer(&self, decode_target: u8) -> Option<super::Layer> {
        if decode_target >= self.decode_targets {
            return None;
        }
        let mut layer = None::<super::Layer>;
        for template in self.templates() {
            if Dti::of(template.dtis, decode_target) != Dti::NotPresent {
                let known = layer.get_or_insert(super::Layer { spatial: 0, temporal: 0 });
                known.spatial = known.spatial.max(template.spatial_id);
                known.temporal = known.temporal.max(template.temporal_id);
            }
        }
        layer
    }

    pub(super) fn read(&mut self, r: &mut BitReader<'_>) -> Result<(), ParseError> {
        self.template_id_offset = r.small(6, "template id offset")?;
        self.decode_targets = r.small(5, "decode target count")?.saturating_add(1);
        self.read_layers(r)?;
        let targets = self.decode_targets;
        let count = usize::from(self.template_count);
        for template in self.templates.iter_mut().take(count) {
            template.dtis = read_dtis(r, targets)?;
        }
        for template in self.templates.iter_mut().take(count) {
            while r.flag("template frame differences")? {
                let diff = r.small(4, "template frame differences")?.saturating_add(1);
                let place = template.fdiffs.get_mut(usize::from(template.fdiff_count));
                *place.ok_or(ParseError::new("template frame differences", r.byte_pos()))? = diff;
                template.fdiff_count = template.fdiff_count.saturating_add(1);
            }
        }
        self.read_chains(r)?;
        if r.flag("resolutions")? {
            let layers = self.templates().iter().map(|t| t.spatial_id).max().unwrap_or(0);
            for place in self.resolutions.iter_mut().take(usize::from(layers).saturating_add(1)) {
                let width = r.bits(16, "resolutions")?.saturating_add(1);
                let height = r.bits(16, "resolutions")?.saturating_add(1);
                *place = Some((width, height));
            }
        }
        Ok(())
    }

    fn read_layers(&mut self, r: &mut BitReader<'_>) -> Result<(), ParseError> {
        let what = "template layers";
        let (mut spatial, mut temporal) = (0_u8, 0_u8);
        for template in &mut self.templates {
            template.spatial_id = spatial;
            template.temporal_id = temporal;
            self.template_count = self.template_count.saturating_add(1);
            match r.bits(2, what)? {
                0 => {}
                1 => temporal = temporal.saturating_add(1),
                2 => {
                    temporal = 0;
                    spatial = spatial.saturating_add(1);
                }
                _ => return Ok(()),
            }
            if usize::from(spatial) >= MAX_SPATIAL_LAYERS || temporal >= MAX_TEMPORAL_LAYERS {
                return Err(ParseError::new(what, r.byte_pos()));
            }
        }
        Err(ParseError::new("template count", r.byte_pos()))
    }

    fn read_chains(&mut self, r: &mut BitReader<'_>) -> Result<(), ParseError> {
        let what = "template chains";
        let targets = u32::from(self.decode_targets);
        let chains = r.non_symmetric(targets.saturating_add(1), what)?;
        self.chains = u8::try_from(chains).map_err(|_| ParseError::new(what, r.byte_pos()))?;
        if chains == 0 {
            return Ok(());
        }
        for place in self.protected_by.iter_mut().take(usize::from(self.decode_targets)) {
            let chain = r.non_symmetric(chains, what)?;
            *place = u8::try_from(chain).map_err(|_| ParseError::new(what, r.byte_pos()))?;
        }
        // Four bits for each template and chain: distances to the last frame of the chain, of
        // no use to a forwarder that looks at the decode target indications.
        for _ in 0..u32::from(self.template_count).saturating_mul(chains) {
            r.bits(4, what)?;
        }
        Ok(())
    }
}

/// Two bits for each decode target.
pub(super) fn read_dtis(r: &mut BitReader<'_>, targets: u8) -> Result<u64, ParseError> {
    let mut dtis = 0;
    for target in 0..u32::from(targets) {
        let dti = u64::from(r.bits(2, "decode target indications")?);
        dtis |= dti.checked_shl(target.saturating_mul(2)).unwrap_or(0);
    }
    Ok(dtis)
}
