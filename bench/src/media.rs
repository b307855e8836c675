//! Synthetic media: a publisher whose packets look like libwebrtc's to a forwarder, and the keys and
//! offers of everybody.

use weir_session::srtp::{MasterKey, SrtpSession, key_and_salt_len};
use weir_sfu_api::{
    Codec, CodecKind, Direction, DtlsSetup, ExtensionKind, ExtensionMap, FeedbackSet, Fingerprint,
    HashAlgorithm, IceCredentials, MediaDescription, MediaKind, MediaSection, Mid, PayloadType,
    SourceKind, SrtpProfile, SsrcGroup, TransportDescription,
};
use weir_wire::ext::read_transport_cc;
use weir_wire::rtp::{FixedHeader, parse_header, write_header};

/// Frames per second.
pub const FPS: u32 = 30;
/// Bits per second of a camera where nothing else is said.
pub const VIDEO_BPS: u64 = 1_000_000;
/// Packets of one frame of [`VIDEO_BPS`].
pub const PARTS: usize = parts(VIDEO_BPS);
/// Payload bytes of a packet at most, about as libwebrtc cuts frames.
const PART_BYTES: usize = 1_180;
/// The key frame is so many times as large as the others.
const KEY_FACTOR: usize = 3;
/// Payload bytes of 20 ms of Opus at 32 kbit/s.
const AUDIO_BYTES: usize = 80;

const AUDIO_SSRC: u32 = 0x0a0d_1001;
const VIDEO_SSRC: u32 = 0x0a0d_2001;
const OPUS: u8 = 111;
const VP8: u8 = 96;
const LEVEL: u8 = 1;
const SEND_TIME: u8 = 2;
const WIDE: u8 = 3;
const MID: u8 = 4;

/// Payload bytes of one frame at `bps`. libwebrtc's sizes differ a little from frame to frame.
#[must_use]
pub const fn frame_bytes(bps: u64) -> usize {
    bps as usize / 8 / FPS as usize
}

/// Packets of one frame at `bps`.
#[must_use]
pub const fn parts(bps: u64) -> usize {
    frame_bytes(bps).div_ceil(PART_BYTES)
}

/// A master key that depends on `n` only.
#[must_use]
pub fn master(profile: SrtpProfile, n: u64) -> MasterKey {
    let (key, salt) = key_and_salt_len(profile);
    let bytes = |len: usize, tag: u8| -> Vec<u8> {
        n.to_be_bytes().into_iter().cycle().take(len).map(|byte| byte ^ tag).collect()
    };
    MasterKey { key: bytes(key, 0x5a), salt: bytes(salt, 0xa5) }
}

/// The two ends of peer `n`'s SRTP: the server's and the client's.
#[must_use]
pub fn sessions(profile: SrtpProfile, n: u64) -> (SrtpSession, SrtpSession) {
    let (server, client) = (master(profile, 2 * n), master(profile, 2 * n + 1));
    let make = |local, remote| SrtpSession::new(profile, local, remote).expect("key lengths fit");
    (make(&server, &client), make(&client, &server))
}

/// One microphone and one camera that sends VP8 in one layer.
pub struct Publisher {
    /// Stands in the last eight bytes of each payload from now on: a time.
    pub stamp: u64,
    srtp: SrtpSession,
    bps: u64,
    audio_seq: u64,
    video_seq: u64,
    wide: u16,
    frame: u32,
    audio_time: u32,
}

impl Publisher {
    /// Seals with the client's end of a session; the camera sends `bps`.
    #[must_use]
    pub fn new(srtp: SrtpSession, bps: u64) -> Self {
        Self {
            stamp: 0,
            srtp,
            bps,
            audio_seq: 100,
            video_seq: 1_000,
            wide: 0,
            frame: 0,
            audio_time: 0,
        }
    }

    /// The next frame's sealed packets: a key frame at first, then [`parts`] packets each.
    pub fn frame(&mut self) -> Vec<Vec<u8>> {
        let key = self.frame == 0;
        let factor = if key { KEY_FACTOR } else { 1 };
        let parts = parts(self.bps) * factor;
        // A few bytes more or less, so that the parts are not all equal.
        let bytes = frame_bytes(self.bps) * factor + (self.frame as usize * 7) % 16;
        let timestamp = self.frame.wrapping_mul(90_000 / FPS);
        let packets = (0..parts).map(|part| {
            let len = bytes * (part + 1) / parts - bytes * part / parts;
            let mut payload = vp8(self.frame, part == 0, key, len);
            stamp(&mut payload, self.stamp);
            self.video_seq += 1;
            let fixed = FixedHeader {
                marker: part + 1 == parts,
                payload_type: VP8,
                sequence_number: self.video_seq as u16,
                timestamp,
                ssrc: VIDEO_SSRC,
            };
            self.wide = self.wide.wrapping_add(1);
            let wide = self.wide.to_be_bytes();
            let extensions: [(u8, &[u8]); 3] =
                [(SEND_TIME, &[1, 2, 3]), (WIDE, &wide), (MID, b"v")];
            seal(&self.srtp, self.video_seq, &fixed, &extensions, &payload)
        });
        let packets = packets.collect();
        self.frame += 1;
        packets
    }

    /// The next 20 ms of sound.
    pub fn audio(&mut self) -> Vec<u8> {
        self.audio_seq += 1;
        self.audio_time = self.audio_time.wrapping_add(960);
        self.wide = self.wide.wrapping_add(1);
        let fixed = FixedHeader {
            marker: false,
            payload_type: OPUS,
            sequence_number: self.audio_seq as u16,
            timestamp: self.audio_time,
            ssrc: AUDIO_SSRC,
        };
        let wide = self.wide.to_be_bytes();
        // Voice, 30 dB below full scale.
        let extensions: [(u8, &[u8]); 3] = [(LEVEL, &[0x80 | 30]), (WIDE, &wide), (MID, b"a")];
        let mut payload = [0x78; AUDIO_BYTES];
        stamp(&mut payload, self.stamp);
        seal(&self.srtp, self.audio_seq, &fixed, &extensions, &payload)
    }
}

fn seal(
    srtp: &SrtpSession,
    index: u64,
    fixed: &FixedHeader,
    extensions: &[(u8, &[u8])],
    payload: &[u8],
) -> Vec<u8> {
    let mut header = [0; 128];
    let len = write_header(&mut header, fixed, extensions).expect("a small header");
    let mut out = vec![0; len + payload.len() + srtp.rtp_overhead()];
    let used = srtp.seal_rtp(index, &header[..len], [&[], payload], 0, &mut out);
    out.truncate(used.expect("enough room"));
    out
}

fn stamp(payload: &mut [u8], stamp: u64) {
    if let Some(tail) = payload.last_chunk_mut() {
        *tail = stamp.to_be_bytes();
    }
}

/// The stamp of an opened packet.
#[must_use]
pub fn read_stamp(plain: &[u8]) -> Option<u64> {
    let header = parse_header(plain).ok()?;
    let padding = if header.has_padding { usize::from(*plain.last()?) } else { 0 };
    let payload = plain.get(header.header_len..plain.len().checked_sub(padding)?)?;
    Some(u64::from_be_bytes(*payload.last_chunk()?))
}

/// RFC 7741 4.2 with a 15-bit picture id, and the frame tag of RFC 6386 9.1.
fn vp8(frame: u32, first: bool, key: bool, len: usize) -> Vec<u8> {
    let [high, low] = (frame as u16).to_be_bytes();
    let mut out = vec![0x80 | (u8::from(first) << 4), 0xf0, 0x80 | high, low, frame as u8, 0];
    match (first, key) {
        (true, true) => out.extend([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]),
        (true, false) => out.extend([0x11, 0, 0]),
        _ => {}
    }
    out.resize(len.max(out.len() + 1), 0x5e);
    out
}

/// What somebody offers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offer {
    /// A microphone and a camera.
    pub publishes: bool,
    /// So many slots for sound and as many for pictures.
    pub slots: usize,
    /// Tells arrivals (transport-wide feedback). One that could and does not is taken for a dead path.
    pub tells: bool,
}

impl Offer {
    /// One publisher who receives nothing.
    pub const PUBLISHER: Self = Self { publishes: true, slots: 0, tells: false };
    /// One slot for sound, one for a picture, and nothing told.
    pub const RECEIVER: Self = Self { publishes: false, slots: 1, tells: false };

    /// As the shard takes it.
    #[must_use]
    pub fn description(self) -> MediaDescription {
        let mut sections = Vec::new();
        if self.publishes {
            let audio = SsrcGroup { media: AUDIO_SSRC, rtx: None };
            let video = SsrcGroup { media: VIDEO_SSRC, rtx: Some(VIDEO_SSRC + 1) };
            sections.push(section("a", MediaKind::Audio, Direction::SendOnly, true, audio));
            sections.push(section("v", MediaKind::Video, Direction::SendOnly, true, video));
        }
        let none = SsrcGroup { media: 0, rtx: None };
        for slot in 0..self.slots {
            for (letter, kind) in [("a", MediaKind::Audio), ("v", MediaKind::Video)] {
                let mid = format!("{letter}{slot}");
                sections.push(section(&mid, kind, Direction::RecvOnly, self.tells, none));
            }
        }
        for (index, section) in (0..).zip(&mut sections) {
            section.index = index;
        }
        MediaDescription {
            transport: TransportDescription {
                ice: IceCredentials { ufrag: "benc".to_owned(), pwd: "b".repeat(24) },
                fingerprints: vec![Fingerprint {
                    algorithm: HashAlgorithm::Sha256,
                    value: vec![7; 32],
                }],
                setup: DtlsSetup::Active,
            },
            sections,
        }
    }
}

/// The transport-wide number of a packet, in the extension that all here use.
#[must_use]
pub fn wide_number(packet: &[u8]) -> Option<u16> {
    let header = parse_header(packet).ok()?;
    read_transport_cc(header.extension(packet, WIDE)?)
}

fn section(
    mid: &str,
    kind: MediaKind,
    direction: Direction,
    tells: bool,
    ssrcs: SsrcGroup,
) -> MediaSection {
    let mut extensions = ExtensionMap::default();
    extensions.set(ExtensionKind::AbsSendTime, SEND_TIME);
    if tells {
        extensions.set(ExtensionKind::TransportCc, WIDE);
    }
    extensions.set(ExtensionKind::Mid, MID);
    let video = kind == MediaKind::Video;
    let (source, number, rtx, codec) = if video {
        (SourceKind::Camera, VP8, Some(VP8 + 1), CodecKind::Vp8)
    } else {
        extensions.set(ExtensionKind::AudioLevel, LEVEL);
        (SourceKind::Microphone, OPUS, None, CodecKind::Opus)
    };
    let feedback =
        FeedbackSet { nack: video, pli: video, fir: video, transport_cc: tells, remb: false };
    MediaSection {
        index: 0,
        mid: Mid::new(mid).expect("a short name"),
        kind,
        direction,
        source,
        payload_types: vec![PayloadType {
            number,
            rtx,
            codec: Codec { kind: codec, profile: 0 },
            feedback,
            fmtp: None,
        }],
        extensions,
        simulcast: Vec::new(),
        ssrcs: if direction == Direction::SendOnly { vec![ssrcs] } else { Vec::new() },
    }
}
