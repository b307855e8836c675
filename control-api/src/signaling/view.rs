//! `view`: what a client shows and how large, so that it is sent that and no more.

use super::connection::Conversation;
use super::message::{Incoming, integer};
use crate::media::{MAX_TILES, WantedTile, WantedView, Whose};
use crate::{Error, Result};
use serde_json::{Map, Value};
use weir_sfu_api::SourceKind;

/// Widest and highest tile in pixels: a wall of screens has less.
const LARGEST_SIDE: i64 = 16_384;
/// The most frames a second a client may ask for.
const FASTEST: i64 = 120;
/// Longest `peer_id` looked at; ours have 48 characters.
const LONGEST_PEER_ID: usize = 64;

impl Conversation {
    /// Takes a client's view. It holds until the next one, also over a new PeerConnection.
    pub(super) fn view(&mut self, message: &Incoming) -> Result<()> {
        let view = parse(message)?;
        if let Some(media) = &self.media {
            self.signaling.hub.set_view(media.peer(), view.clone());
        }
        self.view = Some(view);
        Ok(())
    }

    /// A new peer knows nothing of what its client wants to see.
    pub(super) fn tell_view(&self) {
        if let (Some(media), Some(view)) = (&self.media, &self.view) {
            self.signaling.hub.set_view(media.peer(), view.clone());
        }
    }
}

/// Reads the payload of `view`.
fn parse(message: &Incoming) -> Result<WantedView> {
    let tiles = match message.field("tiles") {
        None => Vec::new(),
        Some(Value::Array(tiles)) if tiles.len() <= MAX_TILES => {
            tiles.iter().enumerate().map(|(n, tile)| parse_tile(n, tile)).collect::<Result<_>>()?
        }
        Some(_) => {
            return Err(Error::field("tiles", format!("must be a list of at most {MAX_TILES}")));
        }
    };
    let number = |key: &'static str, most: i64| {
        message.field(key).map_or(Ok(0), |value| whole(key, value, most))
    };
    Ok(WantedView {
        tiles,
        last_n: narrow(number("last_n", i64::from(u16::MAX))?),
        last_n_width: narrow(number("last_n_width", LARGEST_SIDE)?),
        last_n_height: narrow(number("last_n_height", LARGEST_SIDE)?),
        last_n_fps: narrow_fps(number("last_n_fps", FASTEST)?),
    })
}

fn parse_tile(n: usize, tile: &Value) -> Result<WantedTile> {
    let at = |key: &str| format!("tiles[{n}].{key}");
    let Value::Object(tile) = tile else {
        return Err(Error::field(format!("tiles[{n}]"), "must be an object"));
    };
    let field = |key: &str| tile.get(key).filter(|value| !value.is_null());
    let whose = match (field("peer_id"), field("user_id")) {
        (Some(Value::String(peer_id)), _) if peer_id.len() <= LONGEST_PEER_ID => {
            Whose::Peer(peer_id.clone())
        }
        (Some(_), _) => return Err(Error::field(at("peer_id"), "must be a peer id")),
        (None, Some(user_id)) => Whose::User(
            integer(user_id).ok_or_else(|| Error::field(at("user_id"), "must be a user id"))?,
        ),
        (None, None) => return Err(Error::field(at("user_id"), "is required, or peer_id")),
    };
    let source = match field("source").map(Value::as_str) {
        None | Some(Some("camera")) => SourceKind::Camera,
        Some(Some("screen")) => SourceKind::Screen,
        Some(_) => return Err(Error::field(at("source"), "must be camera or screen")),
    };
    let number =
        |key: &str, most: i64| field(key).map_or(Ok(0), |value| whole(&at(key), value, most));
    Ok(WantedTile {
        whose,
        source,
        width: narrow(number("width", LARGEST_SIDE)?),
        height: narrow(number("height", LARGEST_SIDE)?),
        max_fps: narrow_fps(number("fps", FASTEST)?),
        pinned: flag(tile, n, "pinned")?,
        paused: flag(tile, n, "paused")?,
    })
}

fn flag(tile: &Map<String, Value>, n: usize, key: &str) -> Result<bool> {
    match tile.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(Error::field(format!("tiles[{n}].{key}"), "must be a boolean")),
    }
}

/// A number from 0 to `most`. Sizes in device pixels are often fractions: they are rounded up.
fn whole(field: &str, value: &Value, most: i64) -> Result<i64> {
    let bad = || Error::field(field, format!("must be a number from 0 to {most}"));
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a cast saturates, and the range is checked"
    )]
    let number = value.as_i64().or_else(|| Some(value.as_f64()?.ceil() as i64)).ok_or_else(bad)?;
    if (0..=most).contains(&number) { Ok(number) } else { Err(bad()) }
}

fn narrow(number: i64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn narrow_fps(number: i64) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
