use crate::common::{secs, world};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::net::SocketAddr;
use weir_sfu::DropReason;
use weir_sim::oracles::{assert_flawless, gaps, longest_gap};
use weir_sim::{PeerSetup, World};
use weir_wire::stun::StunWriter;

fn meeting(seed: u64) -> (World, [usize; 2]) {
    let mut world = world(seed);
    let people = [1, 2].map(|id| world.join(0, PeerSetup::new(id, 7).talking()));
    world.run(secs(2));
    (world, people)
}

fn check(mut world: World, people: [usize; 2]) {
    world.run(secs(2));
    for (me, other) in [(people[0], 2), (people[1], 1)] {
        assert_flawless(world.peer(me));
        let slot = world.peer(me).slot("v0");
        assert_eq!(gaps(slot, other, 0), [0; 0]);
        assert!(longest_gap(slot, world.now() - secs(3), world.now()) < crate::common::ms(100));
    }
    assert_eq!(world.shard(0).population(), (2, 1, 4));
    world.finish();
}

/// From strangers and from a participant's own address.
#[test]
fn random_and_truncated_datagrams_change_nothing() {
    let (mut world, people) = meeting(1);
    let mut rng = StdRng::seed_from_u64(1);
    let stranger = SocketAddr::from(([198, 51, 100, 1], 9));
    let known = world.peer(people[0]).addr;
    let before = world.shard(0).known_addresses();
    for round in 0..20_000u32 {
        let len = rng.random_range(0..=2_000);
        let mut data = vec![0u8; len];
        data.fill_with(|| rng.random());
        // Every kind of protocol, half of the time with a plausible second byte.
        let first = [0, 20, 22, 63, 128, 0x90, 0xb0][round as usize % 7];
        if let Some(byte) = data.first_mut() {
            *byte = first;
        }
        if let Some(byte) = data.get_mut(1)
            && round % 2 == 0
        {
            *byte = [96, 111, 200, 201, 205, 206][round as usize % 6];
        }
        world.inject(0, if round % 3 == 0 { stranger } else { known }, &data);
        if round % 200 == 0 {
            world.run(crate::common::ms(10));
        }
    }
    assert_eq!(world.shard(0).known_addresses(), before);
    let drops: u64 = world.shard(0).counters().drop_list().iter().map(|(_, count)| count).sum();
    assert!(drops > 19_000, "{drops}");
    check(world, people);
}

/// True packets, cut short, changed in one bit, or sent again by somebody else.
#[test]
fn damaged_and_replayed_datagrams_change_nothing() {
    let (mut world, people) = meeting(2);
    let mut rng = StdRng::seed_from_u64(2);
    let known = world.peer(people[0]).addr;
    let stranger = SocketAddr::from(([198, 51, 100, 1], 9));
    let mut recorded: Vec<Vec<u8>> = Vec::new();
    for _ in 0..50 {
        // What the peer would send next, taken from its hands; it goes its way afterwards.
        let now = world.now() + crate::common::ms(20);
        let peer = world.peer_mut(people[0]);
        while peer.next_deadline().is_some_and(|at| at <= now) {
            peer.handle_timeout(now);
        }
        let mut taken = Vec::new();
        while let Some(data) = peer.poll_transmit() {
            taken.push(data);
        }
        world.run(crate::common::ms(20));
        for data in &taken {
            let mut changed = data.clone();
            let at = rng.random_range(0..changed.len());
            changed[at] ^= 1 << rng.random_range(0..8u8);
            let cut = rng.random_range(0..data.len());
            world.inject(0, known, &changed);
            world.inject(0, known, &data[..cut]);
            world.inject(0, known, data);
            // Recorded on its way, checks among them.
            world.inject(0, stranger, data);
            world.inject(0, known, data);
        }
        recorded.extend(taken);
    }
    let replayed = world.shard(0).counters().drops(DropReason::Replayed);
    for data in &recorded {
        world.inject(0, known, data);
    }
    let more = world.shard(0).counters().drops(DropReason::Replayed) - replayed;
    assert!(more as usize > recorded.len() * 9 / 10, "{more} of {}", recorded.len());
    check(world, people);
}

#[test]
fn forged_checks_change_nothing() {
    let (mut world, people) = meeting(3);
    let offer = world.peer(people[0]).description().transport.ice;
    let before = world.shard(0).known_addresses();
    for n in 0..2_000u16 {
        let src = SocketAddr::from(([198, 51, (n >> 8) as u8, n as u8], 4_000));
        let mut id = [0; 12];
        id[..2].copy_from_slice(&n.to_be_bytes());
        let mut request = StunWriter::binding_request(id);
        // The fragment is guessed or overheard, the password is not known.
        request.username(&format!("{}:{}", ["abcd", "", "aaaaaaaa"][n as usize % 3], offer.ufrag));
        request.priority(1).use_candidate();
        let data = match n % 3 {
            0 => request.finish(None),
            1 => request.finish(Some(&|_: &[u8]| [7; 20])),
            _ => StunWriter::binding_success(id).finish(Some(&|_: &[u8]| [7; 20])),
        };
        world.inject(0, src, &data);
    }
    world.run(crate::common::ms(100));
    assert_eq!(world.shard(0).known_addresses(), before);
    assert!(world.shard(0).counters().drops(DropReason::Stun) >= 2_000);
    check(world, people);
}
