//! One m-line of an offer with the attributes an answer depends on.

use crate::codecs::Format;
use crate::error::excerpt;
use crate::extensions::OfferedExtension;
use crate::simulcast::{OfferedRid, parse_rid, parse_send_list};
use crate::transport::TransportAttributes;
use crate::{MAX_SSRCS, SdpError, codecs, extensions};
use rtc_sdp::MediaDescription as RawMedia;
use weir_sfu_api::{Direction, MediaKind, Mid, SimulcastLayer, SsrcGroup};

/// One m-line as offered.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) index: u16,
    /// The first word of the m-line: `audio`, `video`, `application`, ...
    pub(crate) media: String,
    pub(crate) port: u16,
    pub(crate) proto: String,
    /// Format words as offered, for a rejecting answer.
    pub(crate) first_format: String,
    pub(crate) mid: Option<Mid>,
    pub(crate) direction: Direction,
    pub(crate) bundle_only: bool,
    pub(crate) rtcp_mux: bool,
    pub(crate) rtcp_rsize: bool,
    pub(crate) extmap_allow_mixed: bool,
    pub(crate) transport: TransportAttributes,
    pub(crate) formats: Vec<Format>,
    pub(crate) extensions: Vec<OfferedExtension>,
    pub(crate) rids: Vec<OfferedRid>,
    pub(crate) simulcast: Vec<SimulcastLayer>,
    pub(crate) ssrcs: Vec<SsrcGroup>,
}

impl Line {
    /// Audio or video; `None` for everything else.
    pub(crate) fn kind(&self) -> Option<MediaKind> {
        match self.media.as_str() {
            "audio" => Some(MediaKind::Audio),
            "video" => Some(MediaKind::Video),
            _ => None,
        }
    }

    /// Reads one m-line. `session_direction` is the session-level direction attribute.
    pub(crate) fn parse(
        index: u16,
        raw: &RawMedia,
        session_direction: Option<Direction>,
    ) -> Result<Self, SdpError> {
        let name = &raw.media_name;
        let at = Some(index);
        let mut line = Self {
            index,
            media: name.media.clone(),
            port: u16::try_from(name.port.value).unwrap_or(0),
            proto: name.protos.join("/"),
            first_format: name.formats.first().cloned().unwrap_or_else(|| "0".to_owned()),
            mid: None,
            direction: session_direction.unwrap_or(Direction::SendRecv),
            bundle_only: false,
            rtcp_mux: false,
            rtcp_rsize: false,
            extmap_allow_mixed: false,
            transport: TransportAttributes::default(),
            formats: codecs::from_m_line(&name.formats),
            extensions: Vec::new(),
            rids: Vec::new(),
            simulcast: Vec::new(),
            ssrcs: Vec::new(),
        };
        let mut simulcast = None;
        let mut ssrcs = SsrcCollector::default();
        for attribute in &raw.attributes {
            let key = attribute.key.as_str();
            let value = attribute.value.as_deref().unwrap_or_default().trim();
            if line.transport.take(at, key, value)? {
                continue;
            }
            match key {
                "mid" => {
                    let mid = Mid::new(value).ok_or_else(|| {
                        let reason = format!("{:?} is no name of 1 to 32", excerpt(value));
                        SdpError::attribute(at, "mid", reason)
                    })?;
                    if line.mid.replace(mid).is_some_and(|before| before != mid) {
                        return Err(SdpError::attribute(at, "mid", "two different ones"));
                    }
                }
                "bundle-only" => line.bundle_only = true,
                "rtcp-mux" => line.rtcp_mux = true,
                "rtcp-rsize" => line.rtcp_rsize = true,
                "extmap-allow-mixed" => line.extmap_allow_mixed = true,
                "extmap" => extensions::parse(&mut line.extensions, value),
                "rtpmap" | "fmtp" | "rtcp-fb" => codecs::take(&mut line.formats, key, value),
                "rid" => parse_rid(&mut line.rids, value),
                "simulcast" => simulcast = Some(value),
                "ssrc" => ssrcs.ssrc(value),
                "ssrc-group" => ssrcs.group(value),
                _ => {
                    if let Some(direction) = direction(key) {
                        line.direction = direction;
                    }
                }
            }
        }
        if let Some(list) = simulcast {
            line.simulcast = parse_send_list(at, list, &line.rids)?;
        }
        line.ssrcs = ssrcs.finish();
        Ok(line)
    }
}

/// A direction attribute (RFC 8866 6.7).
pub(crate) fn direction(key: &str) -> Option<Direction> {
    match key {
        "sendrecv" => Some(Direction::SendRecv),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::RecvOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    }
}

/// Pairs media and RTX SSRCs (RFC 5576; FID as in RFC 5888).
#[derive(Default)]
struct SsrcCollector {
    seen: Vec<u32>,
    pairs: Vec<(u32, u32)>,
}

impl SsrcCollector {
    fn ssrc(&mut self, value: &str) {
        if let Some(ssrc) = value.split(' ').next().and_then(|word| word.parse().ok())
            && !self.seen.contains(&ssrc)
            && self.seen.len() < MAX_SSRCS
        {
            self.seen.push(ssrc);
        }
    }

    fn group(&mut self, value: &str) {
        let mut words = value.split_whitespace();
        if words.next() != Some("FID") || self.pairs.len() >= MAX_SSRCS {
            return;
        }
        let mut number = || words.next().and_then(|word| word.parse::<u32>().ok());
        if let (Some(media), Some(rtx)) = (number(), number())
            && media != rtx
        {
            self.pairs.push((media, rtx));
        }
    }

    fn finish(self) -> Vec<SsrcGroup> {
        let is_rtx = |ssrc: &u32| self.pairs.iter().any(|(_, rtx)| rtx == ssrc);
        let rtx_of = |media: u32| self.pairs.iter().find(|(m, _)| *m == media).map(|(_, rtx)| *rtx);
        let mut groups: Vec<SsrcGroup> = Vec::new();
        let grouped = self.pairs.iter().map(|(media, _)| *media);
        for media in self.seen.iter().copied().chain(grouped) {
            if !is_rtx(&media) && !groups.iter().any(|group| group.media == media) {
                groups.push(SsrcGroup { media, rtx: rtx_of(media) });
            }
        }
        groups
    }
}
