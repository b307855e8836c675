//! What all WebRTC stacks under test have in common.

use super::frames::Kind;
use std::net::SocketAddr;
use std::time::Instant;

/// What a client publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    Microphone,
    Camera,
    Screen,
}

impl Source {
    pub(crate) fn kind(self) -> Kind {
        if self == Self::Microphone { Kind::Audio } else { Kind::Video }
    }

    /// The spelling of signalling.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Microphone => "microphone",
            Self::Camera => "camera",
            Self::Screen => "screen",
        }
    }
}

/// A frame that came.
pub(crate) struct Received {
    pub(crate) mid: String,
    pub(crate) kind: Kind,
    pub(crate) frame: Vec<u8>,
}

/// What a stack wants after input.
pub(crate) struct Polled {
    pub(crate) datagrams: Vec<(SocketAddr, Vec<u8>)>,
    pub(crate) received: Vec<Received>,
    pub(crate) connected: bool,
    pub(crate) failed: Option<String>,
    /// Sources of which the server asked a key frame.
    pub(crate) key_frames: Vec<Source>,
    pub(crate) wake: Instant,
}

/// A WebRTC stack without IO: a PeerConnection that always offers.
pub(crate) trait Stack {
    /// A sendonly m-line with the next offer.
    fn publish(&mut self, source: Source);
    /// A recvonly m-line with the next offer.
    fn slot(&mut self, kind: Kind);
    /// New ICE credentials with the next offer.
    fn restart_ice(&mut self);
    fn offer(&mut self, now: Instant) -> String;
    fn answer(&mut self, now: Instant, sdp: &str);
    /// The m-lines of what is published, once offered.
    fn mids(&mut self) -> Vec<(Source, String)>;
    /// What is published, once answered.
    fn answered(&self) -> Vec<Source>;
    fn datagram(&mut self, now: Instant, from: SocketAddr, data: &[u8]);
    /// Handles what is due and gives everything there is.
    fn poll(&mut self, now: Instant) -> Polled;
    /// Sends a frame of `source`, `media_ms` after its first.
    fn send(&mut self, now: Instant, source: Source, media_ms: u64, frame: &[u8]);
}

/// Makes a stack for a socket of this address, in the thread that drives it.
pub(crate) trait Make: Send + 'static {
    fn make(self, local: SocketAddr, now: Instant) -> Box<dyn Stack>;
}
