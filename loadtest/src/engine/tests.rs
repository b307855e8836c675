//! A publisher and a receiver with keys in their hands and a lossy way between them, in virtual time.

use super::clock::Clock;
use super::lots::Lots;
use super::outbox::Outbox;
use super::receive::Receiver;
use super::send::{Sender, Way};
use super::tally::Tally;
use super::*;
use crate::media::Media;
use crate::plan::{Impairment, LayerPlan, Pacing, PersonPlan, SourceKind, TilePlan, Verify};
use std::time::Duration;
use weir_session::srtp::{MasterKey, SrtpSession};
use weir_session::{Certificate, Path, PeerTransport, TransportConfig};
use weir_sfu_api::{DtlsSetup, SrtpProfile};
use weir_wire::classify::{DatagramKind, classify};
use weir_wire::rtcp;

/// One way.
const DELAY: Duration = Duration::from_millis(20);
const TICK: Duration = Duration::from_millis(1);

fn transport(now: Instant, flip: bool) -> PeerTransport {
    let ice = |name: &str| IceCredentials { ufrag: name.to_owned(), pwd: "x".repeat(24) };
    let remote = TransportDescription {
        ice: ice("them"),
        fingerprints: Vec::new(),
        setup: DtlsSetup::Passive,
    };
    let certificate = Certificate::generate().unwrap();
    let config = TransportConfig { local: ice("ours"), remote, certificate };
    let mut transport = PeerTransport::new(config, now);
    let key = |n| MasterKey { key: vec![n; 16], salt: vec![n; 12] };
    let (local, remote) = if flip { (key(1), key(2)) } else { (key(2), key(1)) };
    let srtp = SrtpSession::new(SrtpProfile::AeadAes128Gcm, &local, &remote).unwrap();
    let path = Path { remote: "127.0.0.1:9".parse().unwrap(), local: None };
    transport.adopt_keys(now, path, srtp);
    transport
}

fn track(codec: Codec, temporal_layers: u8) -> TrackPlan {
    TrackPlan {
        source: SourceKind::Camera,
        codec,
        layers: vec![LayerPlan {
            rid: None,
            bitrate_bps: if codec == Codec::Opus { 32_000 } else { 500_000 },
            fps: 25.0,
            width: 640,
            height: 360,
        }],
        temporal_layers,
        key_frame_interval: Duration::ZERO,
        pacing: Pacing::Burst,
        talk: None,
        file: None,
    }
}

struct World {
    now: Instant,
    clock: Clock,
    sender: Box<Sender>,
    receiver: Receiver,
    ends: [PeerTransport; 2],
    tallies: [Tally; 2],
    /// When, to whom, what.
    way: Vec<(Instant, usize, Vec<u8>)>,
    lots: Lots,
    loss: f64,
    dropped: u64,
    spoil: bool,
}

impl World {
    fn new(track: TrackPlan, verify: Verify, repairs: bool) -> Self {
        let clock = Clock::start();
        let now = Instant::now();
        let codec = track.codec;
        let person = PersonPlan {
            name: "a".to_owned(),
            role: "a".to_owned(),
            room: 0,
            publish: vec![track.clone()],
            audio_slots: 1,
            video_slots: 1,
            tile: TilePlan { width: 0, height: 0, fps: 0 },
            receive_codecs: Vec::new(),
            verify,
            waits: false,
            impairment: Impairment::default(),
        };
        let plan = ConnectionPlan { person, publish: vec![track.clone()], begun: now, stamp: 5 };
        let section = NegotiatedSection {
            mid: "0".to_owned(),
            kind: codec.kind(),
            track: Some(0),
            receives: true,
            codecs: vec![(96, codec)],
            rtx: if repairs { vec![(96, 97)] } else { Vec::new() },
            extensions: vec![
                (ExtensionKind::TransportCc, 3),
                (ExtensionKind::Mid, 4),
                (ExtensionKind::AbsSendTime, 5),
                (ExtensionKind::AudioLevel, 6),
                (ExtensionKind::DependencyDescriptor, 7),
            ],
            remote_ssrcs: vec![(1, Some(2))],
            nack: repairs,
            pli: true,
            transport_cc: true,
            rids: Vec::new(),
        };
        let ice = IceCredentials { ufrag: "them".to_owned(), pwd: "x".repeat(24) };
        let remote =
            TransportDescription { ice, fingerprints: Vec::new(), setup: DtlsSetup::Passive };
        let negotiated = Negotiated {
            remote,
            controlling: true,
            candidates: Vec::new(),
            sections: vec![section],
        };
        let mut lots = Lots::new(11);
        let local = [LocalTrack { plan: track.clone(), ssrcs: vec![(1, 2)] }];
        let media = [Media::of(&track).unwrap()];
        let mut sender = Sender::new(&plan, &local, &media, &mut lots).unwrap();
        sender.negotiate(&negotiated);
        sender.begin(now, &mut lots);
        let mut receiver = Receiver::new(&plan, 77, Lots::new(12));
        receiver.negotiate(&negotiated);
        Self {
            now,
            clock,
            sender,
            receiver,
            ends: [transport(now, true), transport(now, false)],
            tallies: [Tally::default(), Tally::default()],
            way: Vec::new(),
            lots,
            loss: 0.0,
            dropped: 0,
            spoil: false,
        }
    }

    /// Puts datagrams on their way; those of media may be lost.
    fn post(&mut self, to: usize, out: &mut Outbox) {
        let (bytes, sizes) = out.contents();
        let mut rest = bytes;
        for size in sizes {
            let (datagram, after) = rest.split_at(usize::from(*size));
            rest = after;
            let mut datagram = datagram.to_vec();
            if to == 1 && classify(&datagram) == DatagramKind::Rtp {
                if self.lots.share() < self.loss {
                    self.dropped += 1;
                    continue;
                }
                if self.spoil {
                    *datagram.last_mut().unwrap() ^= 1;
                }
            }
            self.way.push((self.now + DELAY, to, datagram));
        }
        out.clear();
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut out = Outbox::default();
        let mut plain = vec![0; 2_048];
        while self.now < end {
            self.now += TICK;
            let now = self.now;
            let sending = &mut self.ends[0];
            let clock = self.clock;
            let due: Vec<_> = self.way.extract_if(.., |(at, _, _)| *at <= now).collect();
            let sent = &mut self.tallies[0];
            let mut way =
                Way { now, clock: &clock, transport: sending, out: &mut out, tally: sent };
            for (_, _, data) in due.iter().filter(|(_, to, _)| *to == 0) {
                let len = way.transport.open_rtcp(data, &mut plain).unwrap();
                let compound = plain[..len].to_vec();
                for packet in rtcp::packets(&compound) {
                    self.sender.on_rtcp(&packet.unwrap(), &mut way);
                }
            }
            self.sender.handle_timeout(&mut way);
            self.post(1, &mut out);
            let receiving = &mut self.ends[1];
            let received = &mut self.tallies[1];
            let times = (now, clock.micros(now));
            for (_, _, data) in due.iter().filter(|(_, to, _)| *to == 1) {
                self.receiver.on_rtp(times, data, receiving, &mut plain, received);
            }
            self.receiver.handle_timeout(times, 2 * DELAY, received, |compound| {
                let max = compound.len() + receiving.sealed_rtcp_overhead();
                out.push(max, |to| receiving.seal_rtcp(compound, to));
            });
            self.post(0, &mut out);
        }
    }
}

#[test]
fn everything_that_is_sent_arrives_and_is_what_it_was() {
    for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus] {
        for verify in [Verify::All, Verify::Sample, Verify::Count] {
            let mut world = World::new(track(codec, 3), verify, true);
            world.run(Duration::from_secs(10));
            let what = format!("{codec:?} {verify:?}");
            let (sent, received) = (&world.tallies[0].counters, &world.tallies[1].counters);
            // What is still under way does not count.
            let close = |a: u64, b: u64| a >= b && a - b <= 8;
            assert!(close(sent.sent_packets, received.received_packets), "{what} {received:?}");
            assert_eq!(received.expected_packets, received.received_packets, "{what}");
            let faults =
                [received.lost_packets, received.corrupt_packets, received.stamped_missing];
            assert_eq!(faults, [0; 3], "{what}");
            assert_eq!((received.freezes, received.nacks_sent, received.plis_sent), (0, 0, 0));
            let share = received.received_packets as f64 / received.verified_packets as f64;
            let added = &world.tallies[1].delays.added;
            match verify {
                Verify::All => assert_eq!(received.verified_packets, received.received_packets),
                Verify::Sample => assert!((8.0..20.0).contains(&share), "{what} {share}"),
                Verify::Count => assert_eq!(received.verified_packets, 0),
            }
            if verify != Verify::Count {
                assert!((19_900..21_500).contains(&added.max()), "{what} {}", added.max());
            }
            if codec != Codec::Opus {
                assert!((248..=250).contains(&received.frames), "{what} {}", received.frames);
                // Without opening anything the dependency descriptor tells.
                assert_eq!(received.key_frames, 1, "{what}");
            }
        }
    }
}

#[test]
fn lost_packets_are_asked_for_and_come_again() {
    let mut world = World::new(track(Codec::Vp8, 1), Verify::All, true);
    world.loss = 0.05;
    world.run(Duration::from_secs(20));
    let (sent, received) = (&world.tallies[0].counters, &world.tallies[1].counters);
    assert!(world.dropped > 50, "{}", world.dropped);
    assert_eq!((received.lost_packets, received.stamped_missing), (0, 0));
    assert!(received.nacks_sent >= world.dropped && sent.nacks_received >= received.nacks_sent - 8);
    assert!(received.received_resent >= world.dropped / 2);
    assert!((490..=500).contains(&received.frames), "{}", received.frames);
    assert_eq!((received.corrupt_packets, received.plis_sent), (0, 0));
}

#[test]
fn without_repairs_the_loss_is_told_as_it_is_and_key_frames_are_asked_for() {
    for verify in [Verify::All, Verify::Sample, Verify::Count] {
        let mut world = World::new(track(Codec::Vp8, 1), verify, false);
        world.loss = 0.03;
        world.run(Duration::from_secs(60));
        let (sent, received) = (&world.tallies[0].counters, &world.tallies[1].counters);
        let dropped = world.dropped;
        assert!(dropped > 60);
        let close = |n: u64| n.abs_diff(dropped) <= 3;
        assert!(close(received.lost_packets), "{} {dropped}", received.lost_packets);
        assert!(received.plis_sent > 20 && sent.plis_received >= received.plis_sent - 1);
        if verify != Verify::Count {
            assert!(close(received.stamped_missing), "{verify:?} {received:?} {dropped}");
            assert!(received.key_frames > 20, "{}", received.key_frames);
        }
        let share = received.lost_packets as f64 / received.expected_packets as f64;
        assert!((0.025..0.035).contains(&share), "{share}");
    }
}

#[test]
fn packets_that_somebody_changed_are_corrupt() {
    let mut world = World::new(track(Codec::Vp8, 1), Verify::All, true);
    world.run(Duration::from_secs(1));
    world.spoil = true;
    world.run(Duration::from_secs(1));
    let received = &world.tallies[1].counters;
    assert!(received.corrupt_packets > 40, "{}", received.corrupt_packets);
    assert!(received.verified_packets > 40);
}

#[test]
fn a_layer_that_is_not_wanted_is_not_sent() {
    let mut world = World::new(track(Codec::Vp8, 1), Verify::All, true);
    world.run(Duration::from_secs(1));
    world.sender.set_layers(0, &[false]);
    let before = world.tallies[0].counters.sent_packets;
    world.run(Duration::from_secs(1));
    assert_eq!(world.tallies[0].counters.sent_packets, before);
    world.sender.set_layers(0, &[true]);
    world.run(Duration::from_secs(1));
    assert_eq!(world.tallies[1].counters.key_frames, 2);
}

#[test]
fn no_bytes_from_the_network_end_a_worker() {
    let mut world = World::new(track(Codec::Vp8, 1), Verify::Count, true);
    world.run(Duration::from_millis(200));
    let mut plain = vec![0; 2_048];
    let mut lots = Lots::new(5);
    let ice = IceCredentials { ufrag: "them".to_owned(), pwd: "x".repeat(24) };
    let mut agent = super::ice::Ice::new(ice.clone(), ice, true, world.now, Lots::new(6));
    let src = "127.0.0.1:9".parse().unwrap();
    let mut out = Vec::new();
    for _ in 0..200_000 {
        let mut data: Vec<u8> = (0..lots.next() % 90).map(|_| lots.next() as u8).collect();
        agent.handle(world.now, src, &data, &mut out);
        // A header that is nearly right: version, extensions, a known SSRC and type, any number.
        for (at, byte) in [(0, 0x90 | (lots.next() as u8 & 0x20)), (1, 96), (8, 0), (9, 0), (10, 0)]
        {
            if let Some(place) = data.get_mut(at) {
                *place = byte;
            }
        }
        if let Some(place) = data.get_mut(11) {
            *place = 1 + (*place & 1);
        }
        if let Some(profile) = data.get_mut(12..16) {
            let words = (lots.next() % 5) as u8;
            let two = lots.next() & 1 == 0;
            profile.copy_from_slice(&if two {
                [0x10, 0, 0, words]
            } else {
                [0xbe, 0xde, 0, words]
            });
        }
        world.now += Duration::from_micros(50);
        let times = (world.now, world.clock.micros(world.now));
        let tally = &mut world.tallies[1];
        world.receiver.on_rtp(times, &data, &mut world.ends[1], &mut plain, tally);
        world.receiver.handle_timeout(times, DELAY, tally, |_| {});
    }
    assert!(out.is_empty());
    world.receiver.reports(world.now);
    let counters = &world.tallies[1].counters;
    assert!(counters.received_packets > 1_000, "{counters:?}");
    assert!(counters.lost_packets <= counters.expected_packets);
}
