//! str0m as a client.

use super::frames::{self, Kind, Stamp};
use super::stack::{Make, Polled, Received, Source, Stack};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, MediaTime, Mid, Simulcast, SimulcastLayer};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, Input, Output};

/// A str0m client.
#[derive(Default)]
pub(crate) struct Str0m {
    /// Layers of its camera, the best last; none without simulcast.
    pub(crate) rids: &'static [&'static str],
}

impl Make for Str0m {
    fn make(self, local: SocketAddr, now: Instant) -> Box<dyn Stack> {
        let provider = str0m::crypto::from_feature_flags();
        let mut rtc = str0m::Rtc::builder().set_crypto_provider(Arc::new(provider)).build(now);
        rtc.add_local_candidate(Candidate::host(local, "udp").unwrap());
        Box::new(Str0mStack {
            rtc,
            local,
            rids: self.rids,
            wishes: Vec::new(),
            restart: false,
            pending: None,
            sources: BTreeMap::new(),
            kinds: BTreeMap::new(),
            answered: Vec::new(),
            connected: false,
            failed: None,
        })
    }
}

enum WishFor {
    Source(Source),
    Slot(Kind),
}

struct Str0mStack {
    rtc: str0m::Rtc,
    local: SocketAddr,
    rids: &'static [&'static str],
    wishes: Vec<WishFor>,
    restart: bool,
    pending: Option<SdpPendingOffer>,
    sources: BTreeMap<Source, Mid>,
    kinds: BTreeMap<Mid, Kind>,
    answered: Vec<Source>,
    connected: bool,
    failed: Option<String>,
}

fn media_kind(kind: Kind) -> MediaKind {
    match kind {
        Kind::Audio => MediaKind::Audio,
        Kind::Video => MediaKind::Video,
    }
}

impl Stack for Str0mStack {
    fn publish(&mut self, source: Source) {
        self.wishes.push(WishFor::Source(source));
    }

    fn slot(&mut self, kind: Kind) {
        self.wishes.push(WishFor::Slot(kind));
    }

    fn restart_ice(&mut self) {
        self.restart = true;
    }

    fn offer(&mut self, _: Instant) -> String {
        let mut change = self.rtc.sdp_api();
        for wish in self.wishes.drain(..) {
            let (kind, direction) = match wish {
                WishFor::Source(source) => (source.kind(), Direction::SendOnly),
                WishFor::Slot(kind) => (kind, Direction::RecvOnly),
            };
            let layers = matches!(wish, WishFor::Source(Source::Camera)) && !self.rids.is_empty();
            let layers = layers.then(|| Simulcast {
                send: self.rids.iter().map(|rid| SimulcastLayer::new(rid)).collect(),
                recv: Vec::new(),
            });
            let mid = change.add_media(media_kind(kind), direction, None, None, layers);
            self.kinds.insert(mid, kind);
            if let WishFor::Source(source) = wish {
                self.sources.insert(source, mid);
            }
        }
        if std::mem::take(&mut self.restart) {
            change.ice_restart(true);
        }
        let (offer, pending) = change.apply().expect("nothing to offer");
        self.pending = Some(pending);
        offer.to_sdp_string()
    }

    fn answer(&mut self, _: Instant, sdp: &str) {
        let answer = SdpAnswer::from_sdp_string(sdp).unwrap();
        let pending = self.pending.take().expect("no offer is open");
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
        self.answered = self.sources.keys().copied().collect();
    }

    fn mids(&mut self) -> Vec<(Source, String)> {
        self.sources.iter().map(|(source, mid)| (*source, mid.to_string())).collect()
    }

    fn answered(&self) -> Vec<Source> {
        self.answered.clone()
    }

    fn datagram(&mut self, now: Instant, from: SocketAddr, data: &[u8]) {
        let Ok(contents) = data.try_into() else { return };
        let receive =
            Receive { proto: Protocol::Udp, source: from, destination: self.local, contents };
        if let Err(error) = self.rtc.handle_input(Input::Receive(now, receive)) {
            self.failed.get_or_insert(format!("input: {error}"));
        }
    }

    fn poll(&mut self, now: Instant) -> Polled {
        let mut polled = Polled {
            datagrams: Vec::new(),
            received: Vec::new(),
            connected: false,
            failed: None,
            key_frames: Vec::new(),
            wake: now + Duration::from_millis(100),
        };
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            self.failed.get_or_insert(format!("timeout: {error}"));
        }
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    polled.wake = at;
                    break;
                }
                Ok(Output::Transmit(one)) => {
                    polled.datagrams.push((one.destination, one.contents.to_vec()));
                }
                Ok(Output::Event(event)) => self.event(event, &mut polled),
                Err(error) => {
                    self.failed.get_or_insert(format!("output: {error}"));
                    break;
                }
            }
        }
        polled.connected = self.connected;
        polled.failed = self.failed.clone();
        polled
    }

    fn send(&mut self, now: Instant, source: Source, media_ms: u64, frame: &[u8]) {
        let rids = if source == Source::Camera { self.rids } else { &[] };
        let Some((best, lower)) = rids.split_last() else {
            return self.write(now, source, media_ms, frame, None);
        };
        for (layer, rid) in lower.iter().enumerate() {
            let stamp = frames::read(Kind::Video, frame).unwrap();
            // Another sender in each layer: who receives them can tell them apart.
            let stamp = Stamp { sender: stamp.sender + 8 + layer as u32, ..stamp };
            let shrunk = lower.len() - layer;
            let size = (frames::FULL.0 >> shrunk, frames::FULL.1 >> shrunk);
            self.write(now, source, media_ms, &frames::video(stamp, size), Some(rid));
        }
        self.write(now, source, media_ms, frame, Some(best));
    }
}

impl Str0mStack {
    fn write(
        &mut self,
        now: Instant,
        source: Source,
        media_ms: u64,
        frame: &[u8],
        rid: Option<&str>,
    ) {
        let mid = self.sources[&source];
        let codec = if source.kind() == Kind::Audio { Codec::Opus } else { Codec::Vp8 };
        // It has been closed meanwhile.
        let Some(writer) = self.rtc.writer(mid) else { return };
        let Some(pt) = writer.payload_params().find(|p| p.spec().codec == codec).map(|p| p.pt())
        else {
            self.failed.get_or_insert(format!("{codec:?} was not negotiated"));
            return;
        };
        let time = MediaTime::from_millis(media_ms);
        let result = match rid {
            Some(rid) => writer.rid(rid.into()).write(pt, now, time, frame.to_vec()),
            None => writer.write(pt, now, time, frame.to_vec()),
        };
        if let Err(error) = result {
            self.failed.get_or_insert(format!("writing: {error}"));
        }
    }

    fn event(&mut self, event: Event, polled: &mut Polled) {
        match event {
            Event::Connected => self.connected = true,
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                self.connected = false;
            }
            Event::IceConnectionStateChange(
                IceConnectionState::Connected | IceConnectionState::Completed,
            ) if self.rtc.is_connected() => self.connected = true,
            Event::MediaData(data) => polled.received.push(Received {
                mid: data.mid.to_string(),
                kind: self.kinds[&data.mid],
                frame: data.data.to_vec(),
            }),
            Event::KeyframeRequest(request) => {
                let of = self.sources.iter().find(|(_, mid)| **mid == request.mid);
                polled.key_frames.extend(of.map(|(source, _)| *source));
            }
            _ => {}
        }
    }
}
