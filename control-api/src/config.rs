//! What the binary decides for the control plane: plain values, no file format.

use poem_openapi::Object;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use weir_sfu_api::CodecKind;

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Registration {
    /// Everybody.
    #[default]
    Open,
    /// Who has an invitation code.
    Invite,
    /// Nobody; accounts are made by command.
    Off,
}

/// The first administrator, made at start when the name is free.
#[derive(Clone)]
pub struct AdminBootstrap {
    /// User name, 3 to 50 characters.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// Password, 6 to 100 characters.
    pub password: String,
}

impl std::fmt::Debug for AdminBootstrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminBootstrap").field("username", &self.username).finish_non_exhaustive()
    }
}

/// The cookie `access_token` for the web page of the same origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookieOptions {
    /// Whether login and refresh set it and requests may use it.
    pub enabled: bool,
}

/// Ways into `/ws/signaling` that can be switched (contract section 8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WsOptions {
    /// Way 7: a connection from the address of a REST join less than 120 s ago needs no token.
    pub admission_by_join: bool,
    /// Way 2: `?token=<jwt>`.
    pub query_token: bool,
    /// How long things take.
    pub timers: WsTimers,
}

impl Default for WsOptions {
    fn default() -> Self {
        Self { admission_by_join: false, query_token: true, timers: WsTimers::default() }
    }
}

/// How long a WebSocket waits for what (contract section 8.1). Tests wait less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WsTimers {
    /// For the first message of someone without a credential (way 6).
    pub first_message: Duration,
    /// Between two pings of the server.
    pub ping: Duration,
    /// Silence that ends a session; looked at with each ping.
    pub silence: Duration,
    /// For a client whose connection broke to come back to its session.
    pub resume: Duration,
}

impl Default for WsTimers {
    fn default() -> Self {
        Self {
            first_message: Duration::from_secs(10),
            ping: Duration::from_secs(30),
            silence: Duration::from_secs(90),
            resume: Duration::from_secs(30),
        }
    }
}

/// An ICE server as handed to clients.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct IceServer {
    /// `stun:` or `turn:` URL.
    pub urls: String,
    /// TURN user name.
    #[oai(skip_serializing_if_is_none)]
    pub username: Option<String>,
    /// TURN password.
    #[oai(skip_serializing_if_is_none)]
    pub credential: Option<String>,
}

/// An address range such as `10.0.0.0/8`; a single address is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    net: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Whether `addr` lies in the range. IPv4 addresses mapped into IPv6 count as IPv4.
    #[must_use]
    pub fn contains(&self, addr: IpAddr) -> bool {
        match (self.net, addr.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(addr)) => {
                let shift = 32 - u32::from(self.prefix);
                let cut = |bits: u32| bits.checked_shr(shift).unwrap_or(0);
                cut(net.to_bits()) == cut(addr.to_bits())
            }
            (IpAddr::V6(net), IpAddr::V6(addr)) => {
                let shift = 128 - u32::from(self.prefix);
                let cut = |bits: u128| bits.checked_shr(shift).unwrap_or(0);
                cut(net.to_bits()) == cut(addr.to_bits())
            }
            _ => false,
        }
    }
}

impl std::str::FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is no address and no range such as 10.0.0.0/8");
        let (addr, prefix) = match text.split_once('/') {
            Some((addr, prefix)) => (addr, Some(prefix.parse::<u8>().map_err(|_| bad())?)),
            None => (text, None),
        };
        let net: IpAddr = addr.parse().map_err(|_| bad())?;
        let most = if net.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(most);
        if prefix > most { Err(bad()) } else { Ok(Self { net, prefix }) }
    }
}

/// Default of [`ApiConfig::room_peers_per_shard`]. 200 people who see nine others at 300 kbit/s
/// receive 540 Mbit/s, about what one core forwards.
pub const ROOM_PEERS_PER_SHARD: NonZeroU32 = NonZeroU32::new(200).unwrap();

/// All settings of the control plane.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// Scheme and authority under which clients reach the server, such as `https://meet.example`;
    /// `None`: taken from each request's `Host`.
    pub public_url: Option<String>,
    /// Whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<Cidr>,
    /// Whether the listener speaks TLS itself.
    pub tls: bool,
    /// Where `jwt.secret` and an embedded database live; made when missing.
    pub data_dir: PathBuf,
    /// `sqlite://PATH` or `sqlite::memory:`; empty: `weir.db` in `data_dir`.
    pub database_url: String,
    /// Who may make an account.
    pub registration: Registration,
    /// The first administrator.
    pub admin: Option<AdminBootstrap>,
    /// Login cookie.
    pub cookie: CookieOptions,
    /// CSRF token also beside a Bearer token on the five endpoints the overview lists.
    pub csrf_strict: bool,
    /// Origins allowed to call the API from a browser, such as `https://app.example`.
    pub cors_origins: Vec<String>,
    /// WebSocket ways in.
    pub ws: WsOptions,
    /// Whether the documented limits hold (contract section 6).
    pub rate_limit_enabled: bool,
    /// Handed to clients with join.
    pub ice_servers: Vec<IceServer>,
    /// How long somebody may be in a meeting by REST alone, without a WebSocket or media; up to a
    /// sixth longer, since it is looked at that often.
    pub absence: Duration,
    /// How long a shard, which tells its numbers once a second, may be silent before `/health`
    /// calls media unhealthy.
    pub shard_silence: Duration,
    /// Video codecs in the order in which publishers are answered.
    pub video_codecs: Vec<CodecKind>,
    /// Peers of one room on one shard before the room spills over to another. Within a shard packets
    /// are shared by index; each further shard costs a copy of what is wanted there.
    pub room_peers_per_shard: NonZeroU32,
}

impl ApiConfig {
    /// The defaults, with everything kept below `data_dir`.
    #[must_use]
    pub fn new(data_dir: PathBuf) -> Self {
        Self {
            public_url: None,
            trusted_proxies: Vec::new(),
            tls: false,
            data_dir,
            database_url: String::new(),
            registration: Registration::Open,
            admin: None,
            cookie: CookieOptions { enabled: true },
            csrf_strict: false,
            cors_origins: Vec::new(),
            ws: WsOptions::default(),
            rate_limit_enabled: true,
            ice_servers: Vec::new(),
            absence: Duration::from_secs(60),
            shard_silence: Duration::from_secs(5),
            video_codecs: vec![CodecKind::Vp8, CodecKind::H264, CodecKind::Vp9, CodecKind::Av1],
            room_peers_per_shard: ROOM_PEERS_PER_SHARD,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cidr;

    #[test]
    fn ranges_hold_what_they_say() {
        let inside = |range: &str, addr: &str| {
            range.parse::<Cidr>().unwrap().contains(addr.parse().unwrap())
        };
        assert!(inside("10.0.0.0/8", "10.255.0.1"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("10.0.0.0/8", "::ffff:10.1.1.1"));
        assert!(inside("0.0.0.0/0", "8.8.8.8"));
        assert!(inside("::1", "::1"));
        assert!(!inside("::1", "127.0.0.1"));
        assert!("10.0.0.0/33".parse::<Cidr>().is_err());
        assert!("home".parse::<Cidr>().is_err());
    }
}
