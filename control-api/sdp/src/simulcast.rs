//! Simulcast (RFC 8853) and rids (RFC 8851).

use crate::{MAX_LAYERS, SdpError};
use weir_sfu_api::{Rid, SimulcastLayer};

/// One `a=rid:<id> send` line.
#[derive(Debug, Clone)]
pub(crate) struct OfferedRid {
    pub(crate) rid: Rid,
    /// `pt=` restriction; empty when any format may be used.
    pub(crate) payload_types: Vec<u8>,
}

/// Adds a rid that the client sends. Rids it receives, malformed ones and doubles are left out:
/// they can then not be named by `a=simulcast` either.
pub(crate) fn parse_rid(rids: &mut Vec<OfferedRid>, value: &str) {
    let mut words = value.splitn(3, ' ');
    let (Some(name), Some("send")) = (words.next(), words.next()) else { return };
    let Some(rid) = Rid::new(name) else { return };
    if rids.iter().any(|known| known.rid == rid) || rids.len() >= MAX_LAYERS.saturating_mul(2) {
        return;
    }
    let payload_types = words
        .next()
        .unwrap_or_default()
        .split(';')
        .find_map(|part| part.trim().strip_prefix("pt="))
        .map(|list| list.split(',').filter_map(|pt| pt.trim().parse().ok()).collect())
        .unwrap_or_default();
    rids.push(OfferedRid { rid, payload_types });
}

/// Reads the `send` list of `a=simulcast`. Of alternatives (`a,b`) the first known is taken.
pub(crate) fn parse_send_list(
    line: Option<u16>,
    value: &str,
    rids: &[OfferedRid],
) -> Result<Vec<SimulcastLayer>, SdpError> {
    let mut words = value.split_whitespace();
    let list = loop {
        match words.next() {
            Some("send") => break words.next().unwrap_or_default(),
            Some("recv") => {
                words.next();
            }
            Some(_) => {
                return Err(SdpError::attribute(line, "simulcast", "expected send or recv"));
            }
            None => return Ok(Vec::new()),
        }
    };
    let mut layers: Vec<SimulcastLayer> = Vec::new();
    for stream in list.split(';').filter(|stream| !stream.is_empty()) {
        let layer = stream.split(',').find_map(|alternative| {
            let (paused, name) = match alternative.strip_prefix('~') {
                Some(name) => (true, name),
                None => (false, alternative),
            };
            let rid = Rid::new(name)?;
            rids.iter().any(|known| known.rid == rid).then_some(SimulcastLayer { rid, paused })
        });
        match layer {
            Some(layer) if layers.iter().all(|known| known.rid != layer.rid) => {
                if layers.len() < MAX_LAYERS {
                    layers.push(layer);
                }
            }
            Some(_) => {
                return Err(SdpError::attribute(line, "simulcast", "a rid is named twice"));
            }
            None => {
                return Err(SdpError::attribute(line, "simulcast", "names a rid without a=rid"));
            }
        }
    }
    Ok(layers)
}
