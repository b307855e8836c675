//! Value types of single keys: what they accept and how they are written.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::net::SocketAddr;
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range(pub(crate) weir_control_api::Cidr, String);

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(text.parse()?, text.to_owned()))
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.1)
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

as_string!(Range, LogFilter);

/// `media.backend`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Backend {
    /// io_uring where the kernel allows it, else `mmsg`.
    Auto,
    /// io_uring or no start.
    IoUring,
    /// recvmmsg, sendmmsg and epoll.
    #[default]
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

/// An entry of `media.srtp_profiles`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Profile {
    /// RFC 7714.
    #[serde(rename = "AEAD_AES_128_GCM")]
    Gcm128,
    /// RFC 7714.
    #[serde(rename = "AEAD_AES_256_GCM")]
    Gcm256,
    /// RFC 5764.
    #[serde(rename = "AES128_CM_HMAC_SHA1_80")]
    Cm80,
    /// RFC 5764.
    #[serde(rename = "AES128_CM_HMAC_SHA1_32")]
    Cm32,
}

impl Profile {
    /// Every profile, the default preference.
    pub(crate) const ALL: [Self; 4] = [Self::Gcm128, Self::Gcm256, Self::Cm80, Self::Cm32];

    /// The name the forwarding core uses.
    #[must_use]
    pub(crate) fn kind(self) -> weir_sfu_api::SrtpProfile {
        match self {
            Self::Gcm128 => weir_sfu_api::SrtpProfile::AeadAes128Gcm,
            Self::Gcm256 => weir_sfu_api::SrtpProfile::AeadAes256Gcm,
            Self::Cm80 => weir_sfu_api::SrtpProfile::Aes128CmHmacSha1_80,
            Self::Cm32 => weir_sfu_api::SrtpProfile::Aes128CmHmacSha1_32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
