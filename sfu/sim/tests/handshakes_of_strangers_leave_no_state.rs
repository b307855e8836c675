use crate::common::{ms, secs, world};
use std::net::SocketAddr;
use weir_session::{Certificate, PeerTransport, TransportConfig};
use weir_sfu::DropReason;
use weir_sfu_api::{
    DtlsSetup, Fingerprint, GoneReason, HashAlgorithm, IceCredentials, TransportDescription,
};
use weir_sim::oracles::assert_flawless;
use weir_sim::peer::check;
use weir_sim::{Loss, PeerSetup, World};
use weir_wire::{DatagramKind, classify};

/// A true ClientHello, as any stranger can make one.
fn client_hello(world: &World) -> Vec<u8> {
    let ice = |ufrag: &str| IceCredentials {
        ufrag: ufrag.to_owned(),
        pwd: "a-password-of-24-letters".to_owned(),
    };
    let fingerprint = Fingerprint { algorithm: HashAlgorithm::Sha256, value: vec![0; 32] };
    let mut client = PeerTransport::new(
        TransportConfig {
            local: ice("clnt"),
            remote: TransportDescription {
                ice: ice("srvr"),
                fingerprints: vec![fingerprint],
                setup: DtlsSetup::Passive,
            },
            certificate: Certificate::generate().unwrap(),
        },
        world.now(),
    );
    let src = SocketAddr::from(([203, 0, 113, 1], 1));
    client.handle_stun(world.now(), src, None, &check(&ice("clnt"), "srvr", [1; 12])).unwrap();
    loop {
        match client.poll_output().expect("a ClientHello") {
            weir_session::Output::Transmit { data, .. }
                if classify(&data) == DatagramKind::Dtls =>
            {
                return data.to_vec();
            }
            _ => {}
        }
    }
}

#[test]
fn ten_thousand_handshakes_without_a_check_leave_no_state() {
    let mut world = world(1);
    let people = [1, 2].map(|id| world.join(0, PeerSetup::new(id, 7).talking()));
    world.run(secs(2));
    let hello = client_hello(&world);
    let before = (world.shard(0).population(), world.shard(0).known_addresses());
    let sent = world.trains.datagrams;
    let shard = world.shard_mut(0);
    let now = std::time::Instant::now();
    let info = allocation_counter::measure(|| {
        for n in 0..10_000u16 {
            let [high, low] = n.to_be_bytes();
            let src = SocketAddr::from(([198, 51, high, low], 4_000));
            let input = weir_sfu::Input::Datagram { src, dst: None, data: &hello };
            shard.handle_input(now, input);
        }
        shard.handle_input(now, weir_sfu::Input::BatchEnd);
        while !matches!(shard.poll_output(), weir_sfu::Output::Timeout(_)) {}
    });
    assert_eq!(info.bytes_current, 0, "memory is kept for strangers");
    assert_eq!((world.shard(0).population(), world.shard(0).known_addresses()), before);
    assert_eq!(world.shard(0).counters().drops(DropReason::UnknownSource), 10_000);
    assert_eq!(world.trains.datagrams, sent, "strangers are answered");
    world.run(secs(1));
    for peer in people {
        assert_flawless(world.peer(peer));
    }
    world.finish();
}

/// People who joined, checked their address and then never finish: each costs bounded memory for
/// ten seconds, and the meeting beside them does not notice.
#[test]
fn a_thousand_authenticated_handshakes_are_bounded_and_freed() {
    let mut world = world(2);
    let people = [1, 2].map(|id| world.join(0, PeerSetup::new(id, 7).talking()));
    world.run(secs(2));
    let begin = world.now();
    let mut joined = Vec::new();
    for id in 10..1_010 {
        let setup = PeerSetup { handshake: true, ..PeerSetup::new(id, id).slots(1, 1) };
        joined.push(world.join(0, setup));
    }
    let count = joined.len();
    // Their checks are answered; then they hear nothing more, so that their flights go on and on.
    let info = allocation_counter::measure(|| {
        world.run(ms(25));
        for peer in &joined {
            world.down(*peer).config.loss = Loss::Uniform(1.0);
        }
        world.run(ms(500));
    });
    let each = info.bytes_current / count as i64;
    assert!(each < 64 * 1_024, "{each} bytes for each, clients included");
    world.run(secs(32));
    assert_eq!(world.shard(0).population(), (2, 1, 4));
    let reasons = world.events.iter().filter_map(|(_, _, event)| match event {
        weir_sfu_api::Event::Gone { reason, .. } => Some(*reason),
        _ => None,
    });
    let reasons: Vec<GoneReason> = reasons.collect();
    assert_eq!(reasons.len(), count);
    let failed = reasons.iter().filter(|reason| **reason == GoneReason::HandshakeFailed).count();
    assert_eq!(failed, count);
    for peer in people {
        assert_flawless(world.peer(peer));
        let slot = world.peer(peer).slot("v0");
        assert!(weir_sim::oracles::longest_gap(slot, begin, world.now()) < ms(100));
    }
    world.finish();
}
