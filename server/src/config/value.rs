//! Value types of single keys: what they accept and how they are written.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use tracing_subscriber::EnvFilter;

/// One or more socket addresses; a single string is accepted too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Listen(pub(crate) Vec<SocketAddr>);

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> serde::de::Visitor<'de> for OneOrMany {
            type Value = Listen;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address with port or a list of them")
            }

            fn visit_str<E: serde::de::Error>(self, one: &str) -> Result<Listen, E> {
                Ok(Listen(vec![one.parse().map_err(E::custom)?]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Listen, A::Error> {
                let mut many = Vec::new();
                while let Some(addr) = seq.next_element()? {
                    many.push(addr);
                }
                Ok(Listen(many))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}

/// A text that may be left empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text(String);

impl Text {
    /// The text, `None` where it is empty.
    #[must_use]
    pub(crate) fn get(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }
}

/// A text that is never shown: neither in logs nor in `weir config show`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    /// The secret, `None` where it is empty.
    #[must_use]
    pub(crate) fn reveal(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty())
    }

    fn shown(&self) -> &'static str {
        if self.0.is_empty() { "" } else { "(set, not shown)" }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.shown())
    }
}

/// A range of addresses such as `10.0.0.0/8`; a lone address is the range of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    /// First address.
    pub(crate) addr: IpAddr,
    /// Leading bits that must match: 0 to 32 for IPv4, to 128 for IPv6.
    pub(crate) prefix: u8,
}

impl Cidr {
    /// Whether `ip` lies in the range. An IPv4 address mapped into IPv6 counts as IPv4.
    #[must_use]
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        match (self.addr, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let shift = 32_u32.saturating_sub(self.prefix.into());
                net.to_bits().checked_shr(shift) == ip.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let shift = 128_u32.saturating_sub(self.prefix.into());
                net.to_bits().checked_shr(shift) == ip.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (addr, prefix) = match text.split_once('/') {
            Some((addr, prefix)) => (addr, Some(prefix)),
            None => (text, None),
        };
        let addr: IpAddr = addr.parse().map_err(|error| format!("{text:?}: {error}"))?;
        let most = if addr.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => most,
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|prefix| *prefix <= most)
                .ok_or_else(|| format!("{text:?}: the prefix length must be 0 to {most}"))?,
        };
        Ok(Self { addr, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.prefix)
    }
}

/// What is logged, for example `info` or `info,weir_sfu=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter(String);

impl LogFilter {
    /// The directives, known to be well formed.
    #[must_use]
    pub(crate) fn directives(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // `EnvFilter` takes a bare unknown word for the name of a module: a typing error in a
        // level would silently switch everything off.
        for part in text.split(',') {
            let level = part.rsplit('=').next().unwrap_or_default().trim();
            if !["off", "error", "warn", "info", "debug", "trace"].contains(&level) {
                return Err(format!("{level:?} is no level"));
            }
        }
        EnvFilter::try_new(text).map_err(|error| error.to_string())?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! as_string {
    ($($name:ty),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

as_string!(Cidr, LogFilter);

/// `media.backend`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Backend {
    /// io_uring where the kernel allows it, else `mmsg`.
    #[default]
    Auto,
    /// io_uring or no start.
    IoUring,
    /// recvmmsg, sendmmsg and epoll.
    Mmsg,
}

/// `auth.registration`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Registration {
    /// Anybody.
    #[default]
    Open,
    /// Who was invited.
    Invite,
    /// Nobody.
    Off,
}

/// `log.format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// An entry of `media.codec_preference`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum VideoCodec {
    /// VP8.
    Vp8,
    /// VP9.
    Vp9,
    /// H.264.
    H264,
    /// AV1.
    Av1,
}

impl VideoCodec {
    /// Every codec, the default preference.
    pub(crate) const ALL: [Self; 4] = [Self::Vp8, Self::Vp9, Self::H264, Self::Av1];

    /// The name the forwarding core uses.
    #[must_use]
    pub(crate) fn kind(self) -> weir_sfu_api::CodecKind {
        match self {
            Self::Vp8 => weir_sfu_api::CodecKind::Vp8,
            Self::Vp9 => weir_sfu_api::CodecKind::Vp9,
            Self::H264 => weir_sfu_api::CodecKind::H264,
            Self::Av1 => weir_sfu_api::CodecKind::Av1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_contains_its_addresses_only() {
        let range: Cidr = "10.1.0.0/16".parse().unwrap();
        assert!(range.contains("10.1.255.3".parse().unwrap()));
        assert!(range.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!range.contains("10.2.0.1".parse().unwrap()));
        assert!(!range.contains("fe80::1".parse().unwrap()));
        let all: Cidr = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()));
        let one: Cidr = "::1".parse().unwrap();
        assert!(one.contains("::1".parse().unwrap()));
        assert!(!one.contains("::2".parse().unwrap()));
        assert!("10.0.0.0/33".parse::<Cidr>().is_err());
    }

    #[test]
    fn a_mistyped_level_is_refused() {
        assert!("info,weir_sfu=debug".parse::<LogFilter>().is_ok());
        assert!("inof".parse::<LogFilter>().is_err());
        assert!("".parse::<LogFilter>().is_err());
    }

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret("hunter22".to_owned());
        assert!(!format!("{secret:?}").contains("hunter22"));
    }
}
