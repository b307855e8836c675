//! The configuration: what can be set, its defaults, and what fits together.
//!
//! [`Config::default`] is the one source of names, types and defaults: the shipped `config.toml`
//! is held equal to it by a test, and the loader takes from it which keys exist and whether an
//! environment variable is a number, a switch or a list.

mod error;
mod load;
mod validate;
mod value;

pub(crate) use error::{ConfigErrors, Origin, Problem};
pub(crate) use load::load;
pub(crate) use value::{
    Backend, Listen, LogFilter, LogFormat, Profile, Range, Registration, Secret, Text, VideoCodec,
};

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

/// Everything that can be configured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The HTTP side: page, REST, WebSocket, WHIP and WHEP.
    pub(crate) http: Http,
    /// The media side: UDP.
    pub(crate) media: Media,
    /// The store.
    pub(crate) database: Database,
    /// Files of our own.
    pub(crate) data: Data,
    /// Who may register.
    pub(crate) auth: Auth,
    /// The first administrator.
    pub(crate) admin: Admin,
    /// Limits on requests.
    pub(crate) rate_limit: RateLimit,
    /// Cross-site request forgery.
    pub(crate) csrf: Csrf,
    /// WebSocket signalling.
    pub(crate) ws: Ws,
    /// What is logged.
    pub(crate) log: Log,
}

/// `[http]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    /// Addresses to listen on, at least one.
    pub(crate) listen: Listen,
    /// Absolute address under which people reach the server; empty: taken from each request.
    pub(crate) public_url: Text,
    /// PEM file with the certificate chain; empty: plain HTTP.
    pub(crate) tls_cert: Text,
    /// PEM file with the certificate's private key.
    pub(crate) tls_key: Text,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub(crate) trusted_proxies: Vec<Range>,
    /// Origins allowed to call the API from a browser, apart from the server's own.
    pub(crate) cors_origins: Vec<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: Listen(vec![SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8800))]),
            public_url: Text::default(),
            tls_cert: Text::default(),
            tls_key: Text::default(),
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
        }
    }
}

impl Http {
    /// Certificate chain and key, where TLS is configured.
    #[must_use]
    pub(crate) fn tls(&self) -> Option<(&Path, &Path)> {
        Some((Path::new(self.tls_cert.get()?), Path::new(self.tls_key.get()?)))
    }

    /// Whether only this machine can reach the server.
    #[must_use]
    pub(crate) fn is_loopback(&self) -> bool {
        self.listen.0.iter().all(|addr| addr.ip().is_loopback())
    }
}

/// `[media]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Media {
    /// UDP address of shard 0; shard n listens on the port n above. Port 0: any free port.
    pub(crate) listen: SocketAddr,
    /// Addresses told to clients; empty: those of the network interfaces.
    pub(crate) announced_ips: Vec<IpAddr>,
    /// How datagrams are received and sent.
    pub(crate) backend: Backend,
    /// Microseconds by which a shard's next waking up is put off, so that packets gather.
    pub(crate) gather_us: u32,
    /// Number of shards; 0: one per core.
    pub(crate) shards: u16,
    /// Peers of one room on one shard before the room spills over to another.
    pub(crate) room_peers_per_shard: u32,
    /// Video codecs in the order in which a publisher is answered.
    pub(crate) codec_preference: Vec<VideoCodec>,
    /// SRTP profiles that are agreed to, the preferred one first.
    pub(crate) srtp_profiles: Vec<Profile>,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv6Addr::UNSPECIFIED, 8801)),
            announced_ips: Vec::new(),
            backend: Backend::Mmsg,
            gather_us: 500,
            shards: 0,
            room_peers_per_shard: 200,
            codec_preference: VideoCodec::ALL.to_vec(),
            srtp_profiles: Profile::ALL.to_vec(),
        }
    }
}

impl Media {
    /// Most shards that can be configured: far above the cores of today's machines, far below
    /// the 65,536 that a shard id can name.
    pub(crate) const MAX_SHARDS: u16 = 256;

    /// Most peers of one room on one shard that can be configured: as many as a shard takes at all.
    pub(crate) const MAX_ROOM_PEERS: u32 = 4_096;

    /// Longest time for packets to gather that can be configured.
    pub(crate) const MAX_GATHER_US: u32 = 1_000;

    /// The number of shards to start: as configured, else one per core.
    #[must_use]
    pub(crate) fn shard_count(&self) -> NonZeroU16 {
        NonZeroU16::new(self.shards).unwrap_or_else(|| {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let cores = u16::try_from(cores).unwrap_or(u16::MAX).min(Self::MAX_SHARDS);
            NonZeroU16::new(cores).unwrap_or(NonZeroU16::MIN)
        })
    }

    /// The UDP address of shard number `shard`.
    ///
    /// Validation made sure that the port exists.
    #[must_use]
    pub(crate) fn shard_addr(&self, shard: u16) -> SocketAddr {
        let mut addr = self.listen;
        if addr.port() != 0 {
            addr.set_port(addr.port().saturating_add(shard));
        }
        addr
    }
}

/// `[database]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Database {
    /// Where the store is; empty: the SQLite file `weir.db` in `data.dir`.
    pub(crate) url: Text,
}

/// `[data]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Data {
    /// Folder of the server's own files.
    pub(crate) dir: PathBuf,
}

impl Default for Data {
    fn default() -> Self {
        Self { dir: PathBuf::from("data") }
    }
}

/// `[auth]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Auth {
    /// Who may make an account.
    pub(crate) registration: Registration,
}

/// `[admin]`: made at start where it does not exist yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Admin {
    /// User name.
    pub(crate) username: Text,
    /// Mail address.
    pub(crate) email: Text,
    /// Password.
    pub(crate) password: Secret,
}

/// `[rate_limit]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RateLimit {
    /// Whether requests are limited at all.
    pub(crate) enabled: bool,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// `[csrf]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Csrf {
    /// Demand the token beside a bearer token as well.
    pub(crate) strict: bool,
}

/// `[ws]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ws {
    /// Admit one connection without a token after a REST join from the same address.
    pub(crate) admission_by_join: bool,
    /// Accept the token as a query parameter.
    pub(crate) query_token: bool,
}

impl Default for Ws {
    fn default() -> Self {
        Self { admission_by_join: false, query_token: true }
    }
}

/// `[log]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// Level, optionally with levels of single modules.
    pub(crate) level: LogFilter,
    /// How a line is written.
    pub(crate) format: LogFormat,
}
