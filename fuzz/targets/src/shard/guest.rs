//! One person: what they offer, their keys, and packets that say whose they are.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use weir_session::srtp::{MasterKey, SrtpSession};
use weir_sfu_api::{
    Codec, CodecKind, Direction, DtlsSetup, ExtensionKind, ExtensionMap, FeedbackSet, Fingerprint,
    HashAlgorithm, IceCredentials, MediaDescription, MediaKind, MediaSection, Mid, PayloadType,
    PeerId, Rights, RoomId, SlotPolicy, SlotState, SourceKind, SrtpProfile, SsrcGroup,
    TransportDescription,
};
use weir_wire::rtp::{FixedHeader, write_header};

/// In the order in which people publish them.
pub(super) const SOURCES: [SourceKind; 4] =
    [SourceKind::Microphone, SourceKind::Camera, SourceKind::Screen, SourceKind::ScreenAudio];

const OPUS: u8 = 111;
const VP8: u8 = 96;
const VP8_RTX: u8 = 97;
const MID: u8 = 4;
const AUDIO_LEVEL: u8 = 1;

/// Ends each payload: who, which track, which packet.
const MARK: [u8; 2] = [0xf5, 0x5a];
/// The packet number of what is none of ours.
pub(super) const WILD: u32 = u32::MAX;

pub(super) struct Publishing {
    pub(super) source: SourceKind,
    pub(super) mid: Mid,
    ssrc: u32,
    next: u64,
    pub(super) stopped: bool,
    /// Packets sent so far, and whether others might have them.
    pub(super) allowed: Vec<bool>,
    /// Hostile packets came in its name: what it sends may be taken for late.
    pub(super) wild: bool,
}

impl Publishing {
    pub(super) fn new(guest: usize, index: usize) -> Self {
        let source = SOURCES[index];
        Self {
            source,
            mid: Mid::new(source.as_str()).expect("a short name"),
            ssrc: 0x1000_0000 + guest as u32 * 16 + index as u32,
            next: 65_530,
            stopped: false,
            allowed: Vec::new(),
            wild: false,
        }
    }

    pub(super) fn kind(&self) -> MediaKind {
        match self.source {
            SourceKind::Microphone | SourceKind::ScreenAudio => MediaKind::Audio,
            SourceKind::Camera | SourceKind::Screen => MediaKind::Video,
        }
    }
}

/// A receiving m-line, for good.
pub(super) struct Receiving {
    pub(super) mid: Mid,
    pub(super) kind: MediaKind,
    pub(super) ssrc: u32,
    pub(super) rtx: Option<u32>,
    pub(super) last_seq: Option<u16>,
}

pub(super) struct Guest {
    pub(super) number: usize,
    pub(super) id: PeerId,
    pub(super) room: RoomId,
    pub(super) addr: SocketAddr,
    pub(super) policy: SlotPolicy,
    pub(super) rights: Rights,
    pub(super) here: bool,
    pub(super) keyed: bool,
    pub(super) audio_slots: usize,
    pub(super) video_slots: usize,
    pub(super) tracks: Vec<Publishing>,
    pub(super) slots: Vec<Receiving>,
    /// What the shard told last.
    pub(super) told: Vec<SlotState>,
    /// And before the operation that is under way.
    pub(super) told_before: Vec<SlotState>,
    /// And some time before the end.
    pub(super) steady: Vec<SlotState>,
    /// Contents that came in the stream of a slot.
    pub(super) received: BTreeSet<(usize, usize, u32)>,
    pub(super) srtp: SrtpSession,
}

fn session(number: usize, server: bool) -> SrtpSession {
    let key = |side: u8| MasterKey { key: vec![number as u8 ^ side; 16], salt: vec![side; 12] };
    let (local, remote) = if server { (key(0x80), key(0)) } else { (key(0), key(0x80)) };
    SrtpSession::new(SrtpProfile::AeadAes128Gcm, &local, &remote).expect("keys of the right size")
}

impl Guest {
    pub(super) fn new(number: usize, room: u64, policy: SlotPolicy, rights: Rights) -> Self {
        let id = PeerId(number as u64 + 1);
        let addr = SocketAddr::from(([10, 0, 0, number as u8 + 1], 4_000));
        Self {
            number,
            id,
            room: RoomId(room),
            addr,
            policy,
            rights,
            here: true,
            keyed: false,
            audio_slots: 2,
            video_slots: 2,
            tracks: (0..2).map(|index| Publishing::new(number, index)).collect(),
            slots: Vec::new(),
            told: Vec::new(),
            told_before: Vec::new(),
            steady: Vec::new(),
            received: BTreeSet::new(),
            srtp: session(number, false),
        }
    }

    /// The server's side of its keys.
    pub(super) fn server_keys(&self) -> SrtpSession {
        session(self.number, true)
    }

    pub(super) fn may_publish(&self, source: SourceKind) -> bool {
        match source {
            SourceKind::Microphone => self.rights.publish_audio,
            SourceKind::Camera => self.rights.publish_video,
            SourceKind::Screen | SourceKind::ScreenAudio => self.rights.publish_screen,
        }
    }

    pub(super) fn description(&self) -> MediaDescription {
        let own = self.tracks.iter().map(|track| {
            let direction = if track.stopped { Direction::Inactive } else { Direction::SendOnly };
            let rtx = (track.kind() == MediaKind::Video).then_some(track.ssrc + 0x100_0000);
            let ssrcs = vec![SsrcGroup { media: track.ssrc, rtx }];
            section(track.mid, track.kind(), direction, track.source, ssrcs)
        });
        let slot = |name: String, kind| {
            let mid = Mid::new(&name).expect("a short name");
            section(mid, kind, Direction::RecvOnly, SourceKind::Camera, Vec::new())
        };
        let audio = (0..self.audio_slots).map(|n| slot(format!("a{n}"), MediaKind::Audio));
        let video = (0..self.video_slots).map(|n| slot(format!("v{n}"), MediaKind::Video));
        let mut sections: Vec<_> = own.chain(audio).chain(video).collect();
        for (index, section) in (0..).zip(&mut sections) {
            section.index = index;
        }
        MediaDescription {
            transport: TransportDescription {
                ice: IceCredentials { ufrag: "peer".to_owned(), pwd: "p".repeat(24) },
                fingerprints: vec![Fingerprint {
                    algorithm: HashAlgorithm::Sha256,
                    value: vec![0; 32],
                }],
                setup: DtlsSetup::ActPass,
            },
            sections,
        }
    }

    /// The next packet of a track, sealed.
    pub(super) fn packet(&mut self, index: usize, key: bool, timestamp: u32) -> (u32, Vec<u8>) {
        let number = self.number;
        let track = &mut self.tracks[index];
        let counter = track.allowed.len() as u32;
        let mut payload = match track.kind() {
            MediaKind::Audio => vec![0x78, 1, 2],
            MediaKind::Video => {
                let [high, low] = (counter as u16).to_be_bytes();
                let mut payload = vec![0x90, 0xe0, high | 0x80, low, counter as u8, 0x20];
                payload.extend([u8::from(!key), 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0]);
                payload
            }
        };
        payload.extend(mark(number, index, counter));
        let audio = track.kind() == MediaKind::Audio;
        let fixed = FixedHeader {
            marker: !audio,
            payload_type: if audio { OPUS } else { VP8 },
            sequence_number: track.next as u16,
            timestamp,
            ssrc: track.ssrc,
        };
        let mid = track.mid;
        let mut extensions: Vec<(u8, &[u8])> = vec![(MID, mid.as_bytes())];
        let level = [if key { 0x8a } else { 0x7f }];
        if audio {
            extensions.push((AUDIO_LEVEL, &level));
        }
        let sealed = seal(&self.srtp, track.next, &fixed, &extensions, &payload);
        track.next += 1;
        (counter, sealed)
    }

    /// What only this person's browser could have sealed, but none would: any payload, in the name
    /// of one of its tracks.
    pub(super) fn wild(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        let (head, payload) = data.split_first_chunk::<10>()?;
        let [choice, payload_type, s0, s1, t0, t1, t2, t3, ssrc, flags] = *head;
        let index = usize::from(choice) % self.tracks.len();
        let track = &mut self.tracks[index];
        track.wild = true;
        let own = flags & 1 == 0;
        let fixed = FixedHeader {
            marker: flags & 2 != 0,
            payload_type: match flags >> 2 & 3 {
                0 => payload_type & 0x7f,
                1 => OPUS,
                2 => VP8,
                _ => VP8_RTX,
            },
            // A nonce is used once here, too: what is thrown has numbers above those sent.
            sequence_number: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: if own { track.ssrc } else { 0x5000_0000 | u32::from(ssrc) },
        };
        let mid = track.mid;
        let extensions: &[(u8, &[u8])] =
            if flags & 0x10 == 0 { &[(MID, mid.as_bytes()), (12, &[s0, s1, t0, t1])] } else { &[] };
        let mut payload = payload.to_vec();
        payload.extend(mark(self.number, index, WILD));
        Some(seal(&self.srtp, u64::from(fixed.sequence_number), &fixed, extensions, &payload))
    }
}

fn section(
    mid: Mid,
    kind: MediaKind,
    direction: Direction,
    source: SourceKind,
    ssrcs: Vec<SsrcGroup>,
) -> MediaSection {
    let video = kind == MediaKind::Video;
    let mut extensions = ExtensionMap::default();
    extensions.set(ExtensionKind::Mid, MID);
    if video {
        extensions.set(ExtensionKind::DependencyDescriptor, 12);
    } else {
        extensions.set(ExtensionKind::AudioLevel, AUDIO_LEVEL);
    }
    MediaSection {
        index: 0,
        mid,
        kind,
        direction,
        source,
        payload_types: vec![PayloadType {
            number: if video { VP8 } else { OPUS },
            rtx: video.then_some(VP8_RTX),
            codec: Codec { kind: if video { CodecKind::Vp8 } else { CodecKind::Opus }, profile: 0 },
            feedback: FeedbackSet { nack: video, pli: video, fir: video, ..FeedbackSet::default() },
            fmtp: None,
        }],
        extensions,
        simulcast: Vec::new(),
        ssrcs,
    }
}

fn mark(guest: usize, track: usize, counter: u32) -> Vec<u8> {
    let mut mark = MARK.to_vec();
    mark.extend([guest as u8, track as u8]);
    mark.extend(counter.to_be_bytes());
    mark
}

/// Guest, track and number of a payload.
pub(super) fn read_mark(payload: &[u8]) -> Option<(usize, usize, u32)> {
    let [a, b, guest, track, counter @ ..] = payload.last_chunk::<8>()?;
    let read = (usize::from(*guest), usize::from(*track), u32::from_be_bytes(*counter));
    ([*a, *b] == MARK).then_some(read)
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
    let mut out = vec![0; len + payload.len() + 32];
    let len = srtp.seal_rtp(index, &header[..len], [payload, &[]], 0, &mut out).expect("room");
    out.truncate(len);
    out
}
