//! Values with units.

use crate::plan::Pacing;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What libwebrtc's pacer sends at, as a multiple of the stream's rate.
const LIBWEBRTC_PACING: f64 = 2.5;

/// A length of time: `"10s"`, `"500ms"`, `"2m"`, `"1h"`, or seconds as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

/// Bits a second: `"1.5M"`, `"300k"`, or a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bitrate(pub u64);

/// Pixels: `"1280x720"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u16,
    /// From top to bottom.
    pub height: u16,
}

/// A part of a whole: `"3%"` or 0.03.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Share(pub f64);

/// Splits `1.5M` into its number and its unit.
fn number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    Some((digits.parse().ok()?, unit.trim()))
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no time: write 10s, 500ms, 2m or 1h");
        let (value, unit) = number(text).ok_or_else(bad)?;
        let seconds = match unit {
            "ms" => value / 1e3,
            "s" | "" => value,
            "m" | "min" => value * 60.0,
            "h" => value * 3600.0,
            _ => return Err(bad()),
        };
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| bad())
    }
}

impl FromStr for Bitrate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no bitrate: write 300k, 1.5M or bits a second");
        let (value, unit) = number(text).ok_or_else(bad)?;
        let factor = match unit {
            "" => 1.0,
            "k" | "kbit/s" => 1e3,
            "M" | "Mbit/s" => 1e6,
            _ => return Err(bad()),
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked before"
        )]
        Ok(Self((value * factor).round() as u64))
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('x').and_then(|(width, height)| {
            Some(Self { width: width.trim().parse().ok()?, height: height.trim().parse().ok()? })
        });
        parsed.ok_or_else(|| format!("{text:?} is no size: write 1280x720"))
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no share: write 3% or 0.03");
        let (value, unit) = number(text).ok_or_else(bad)?;
        match unit {
            "%" => Ok(Self(value / 100.0)),
            "" => Ok(Self(value)),
            _ => Err(bad()),
        }
    }
}

/// Reads a string with `FromStr`, a number as if it were written without a unit.
struct Text<T>(std::marker::PhantomData<T>, &'static str);

impl<T: FromStr<Err = String>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        self.visit_str(&value.to_string())
    }
}

macro_rules! deserialize {
    ($($name:ident: $expected:expr,)*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Text(std::marker::PhantomData, $expected))
            }
        }
    )*};
}

deserialize! {
    Time: "a time such as \"10s\"",
    Bitrate: "a bitrate such as \"1.5M\"",
    Size: "a size such as \"1280x720\"",
    Share: "a share such as \"3%\"",
}

struct PacingText(Pacing);

impl FromStr for PacingText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse::<f64>()) {
            ("burst", _) => Ok(Self(Pacing::Burst)),
            ("paced", _) => Ok(Self(Pacing::Paced(LIBWEBRTC_PACING))),
            (_, Ok(factor)) if factor >= 1.0 => Ok(Self(Pacing::Paced(factor))),
            _ => {
                Err(format!("{text:?} is no pacing: write \"burst\", \"paced\" or a number from 1"))
            }
        }
    }
}

pub(super) fn pacing<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Pacing>, D::Error> {
    let expected = "\"burst\", \"paced\" or a number from 1";
    let text: PacingText = from.deserialize_any(Text(std::marker::PhantomData, expected))?;
    Ok(Some(text.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read() {
        assert_eq!("1.5s".parse::<Time>().unwrap().0, Duration::from_millis(1500));
        assert_eq!("2m".parse::<Time>().unwrap().0, Duration::from_secs(120));
        assert_eq!("1.5M".parse::<Bitrate>().unwrap().0, 1_500_000);
        assert_eq!("300k".parse::<Bitrate>().unwrap().0, 300_000);
        assert_eq!("1280x720".parse::<Size>().unwrap(), Size { width: 1280, height: 720 });
        assert_eq!("3%".parse::<Share>().unwrap().0, 0.03);
        assert!("10 parsecs".parse::<Time>().unwrap_err().contains("write 10s"));
        assert!("-1s".parse::<Time>().is_err());
        assert!("1G".parse::<Bitrate>().is_err());
        assert!("720p".parse::<Size>().is_err());
    }
}
