//! What a forwarder must know about codec payloads. It knows the codec from the payload type and
//! calls the module of that name.

pub mod av1;
pub mod h264;
pub mod opus;
pub mod red;
pub mod vp8;
pub mod vp9;

#[cfg(test)]
mod tests;

/// The same facts for all video codecs. What a codec does not carry is `None` or false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayloadFacts {
    /// This packet starts a frame that can be decoded without earlier ones (or starts the
    /// parameter sets before one). Later packets of that frame say false.
    pub key_frame: bool,
    /// This packet starts a frame; best effort where the codec does not say (H264, AV1).
    pub frame_start: bool,
    /// The payload says it ends a frame. False proves nothing: the RTP marker decides.
    pub frame_end: bool,
    /// Temporal layer, 0 is the base.
    pub temporal_id: Option<u8>,
    /// Spatial layer, 0 is the base.
    pub spatial_id: Option<u8>,
    /// Picture id, 7 or 15 bits.
    pub picture_id: Option<u16>,
    /// Width of the picture id on the wire: 7, 15, or 0 for none.
    pub picture_id_bits: u8,
    /// Running number of base temporal layer frames.
    pub tl0_pic_idx: Option<u8>,
    /// VP8's temporal key frame index, 5 bits.
    pub key_idx: Option<u8>,
    /// VP8's Y bit or VP9's U bit: a receiver of lower temporal layers can step up to this one
    /// here.
    pub layer_sync: bool,
    /// No later frame depends on this one (VP8's N bit, H264's nal_ref_idc 0).
    pub discardable: bool,
    /// VP9's D bit: depends on the spatial layer below in the same picture.
    pub inter_layer: bool,
    /// VP9's P bit: depends on earlier pictures.
    pub inter_picture: bool,
    /// Width and height in pixels, where cheap: VP8 key frames, VP9's scalability structure
    /// (its highest spatial layer).
    pub resolution: Option<(u16, u16)>,
}
