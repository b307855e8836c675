use crate::common::{ms, secs, seeds, two_shards, world};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use weir_sfu::ForcedWish;
use weir_sfu_api::{CodecKind, Mid, PeerId};
use weir_sim::oracles::{assert_flawless, longest_gap, pictures};
use weir_sim::{LinkConfig, PeerSetup, Scalability, Source, World};

fn wish(world: &mut World, peer: u64, wish: ForcedWish) {
    let mid = Mid::new("v0").unwrap();
    let home = world.home(peer as usize - 1);
    assert!(world.shard_mut(home).force_wanted(PeerId(peer), mid, wish));
}

/// Everything with layers that a browser may send.
fn cases() -> Vec<Source> {
    use Scalability::{L1T2, L1T3, L3T1, L3T3, L3T3Key};
    // Paced, large frames would overtake each other.
    let layered = |codec, shape| Source { pace: None, ..Source::layered_camera(codec, shape) };
    let meeting = || Source { pace: None, ..Source::meeting_camera() };
    let vp9 = |shape| layered(CodecKind::Vp9, shape);
    let simulcast =
        |codec, shape| Source { codec, simulcast: true, ..Source::camera().layered(shape) };
    vec![
        Source::camera().layered(L1T3),
        Source { descriptor: true, ..Source::camera().layered(L1T2) },
        Source::camera().layered(L1T3).encrypted(),
        Source { descriptor: true, ..layered(CodecKind::H264, L1T3) },
        vp9(L1T3),
        vp9(L3T1),
        vp9(L3T3),
        Source { flexible: true, ..vp9(L3T3) },
        vp9(L3T3Key),
        Source { flexible: true, ..vp9(L3T3Key) },
        Source { descriptor: true, ..vp9(L3T3) },
        Source { descriptor: true, flexible: true, ..vp9(L3T3Key) },
        vp9(L3T3Key).encrypted(),
        layered(CodecKind::Av1, L3T3),
        layered(CodecKind::Av1, L3T3Key),
        layered(CodecKind::Av1, L3T3).encrypted(),
        meeting(),
        meeting().encrypted(),
        simulcast(CodecKind::H264, Scalability::L1T1),
        simulcast(CodecKind::Av1, L1T3),
        simulcast(CodecKind::Vp9, L1T3),
    ]
}

#[test]
fn layers_follow_what_a_receiver_is_given() {
    for (seed, source) in (1..).zip(cases()) {
        follow(seed, source, false);
    }
}

/// Structures of dependency descriptors are known behind a border, as are layers in the payload.
#[test]
fn layers_follow_behind_a_border_too() {
    use Scalability::{L1T3, L3T3, L3T3Key};
    let layered = |codec, shape| Source { pace: None, ..Source::layered_camera(codec, shape) };
    let cases = [
        layered(CodecKind::Vp9, L3T3),
        Source { flexible: true, ..layered(CodecKind::Vp9, L3T3Key) },
        Source { descriptor: true, ..layered(CodecKind::Vp9, L3T3) },
        layered(CodecKind::Av1, L3T3),
        layered(CodecKind::Av1, L3T3Key).encrypted(),
        Source { pace: None, ..Source::meeting_camera() },
        Source { codec: CodecKind::Av1, simulcast: true, ..Source::camera().layered(L1T3) },
    ];
    for (seed, source) in (101..).zip(cases) {
        follow(seed, source, true);
    }
}

/// A viewer is given one layer after the other, on the publisher's shard or on another.
fn follow(seed: u64, source: Source, far: bool) {
    let what = format!(
        "{:?} {:?} simulcast {} descriptor {} flexible {}",
        source.codec, source.scalability, source.simulcast, source.descriptor, source.flexible
    );
    let (spatial, temporal) = (source.scalability.spatial(), source.scalability.temporal());
    let layers = if source.simulcast { 3 } else { 1 };
    let sizes: Vec<_> = match (layers, spatial) {
        (3, _) => vec![(320, 180), (640, 360), (1280, 720)],
        (_, 1) => vec![source.resolution],
        _ => vec![(320, 180), (640, 360), (1280, 720)],
    };
    let mut world = if far { two_shards(seed) } else { world(seed) };
    world.join(0, PeerSetup::new(1, 7).publish(source.clone()));
    let viewer = world.join(usize::from(far), PeerSetup::new(2, 7));
    let other = world.join(usize::from(far), PeerSetup::new(3, 7));
    world.run(secs(3));
    let top = temporal - 1;
    let mut wishes: Vec<(u8, u8)> = vec![(0, 0), (0, top)];
    for size in 1..sizes.len() as u8 {
        wishes.extend([(size, 0), (size, top), (size - 1, top), (size, top), (0, 0)]);
    }
    for (size, fast) in wishes {
        let at = if layers == 3 { (size, 0, fast) } else { (0, size, fast) };
        wish(&mut world, 2, ForcedWish::At(at.0, at.1, at.2));
        let start = world.now();
        world.run(ms(1_500));
        let (from, now) = (world.now() - ms(500), world.now());
        let slot = world.peer(viewer).slot("v0");
        assert!(longest_gap(slot, start, now) < ms(450), "{what} to {at:?}");
        assert_eq!(slot.counters.nacked, 0, "{what} to {at:?}: nothing looks lost");
        let mut seen = pictures(slot, from, now);
        seen.pop();
        assert!(!seen.is_empty(), "{what} at {at:?}");
        let good = |p: &weir_sim::oracles::Picture| p.resolution == sizes[usize::from(size)];
        assert!(seen.iter().all(good), "{what} at {at:?}: {:?}", seen.last());
        let most = seen.iter().map(|picture| picture.temporal).max();
        assert_eq!(most, Some(fast), "{what} at {at:?}");
    }
    wish(&mut world, 2, ForcedWish::Paused);
    world.run(ms(300));
    let (from, now) = (world.now() - ms(200), world.now());
    let packets = world.peer(viewer).slot("v0").counters.packets;
    assert_eq!(pictures(world.peer(viewer).slot("v0"), from, now).len(), 0, "{what}");
    world.run(secs(1));
    assert_eq!(world.peer(viewer).slot("v0").counters.packets, packets, "{what}: paused");
    wish(&mut world, 2, ForcedWish::Best);
    world.run(secs(1));
    let slot = world.peer(viewer).slot("v0");
    let last = pictures(slot, world.now() - ms(300), world.now());
    assert_eq!(last[0].resolution, *sizes.last().unwrap(), "{what}: resumed");
    assert_flawless(world.peer(viewer));
    assert_eq!(slot.counters.nacked, 0, "{what}: nothing looks lost");
    assert_eq!(slot.counters.broken_promises, 0, "{what}");
    // Who asked for nothing noticed nothing.
    assert_flawless(world.peer(other));
    let (from, now) = (world.now() - secs(5), world.now());
    assert!(longest_gap(world.peer(other).slot("v0"), from, now) < ms(450), "{what}");
    world.finish();
}

#[test]
fn random_wishes_through_loss_leave_no_gap_of_our_making() {
    for seed in seeds(&[3]) {
        for (n, source) in (0..).zip(cases()) {
            let what =
                format!("seed {seed}, case {n}: {:?} {:?}", source.codec, source.scalability);
            let mut rng = StdRng::seed_from_u64(seed * 100 + n);
            let mut world = world(seed);
            world.link = LinkConfig::lossy(0.03);
            world.join(0, PeerSetup::new(1, 7).publish(source.clone()));
            let viewer = world.join(0, PeerSetup::new(2, 7));
            world.run(secs(2));
            for _ in 0..12 {
                let at = match rng.random_range(0..10) {
                    0 => ForcedWish::Paused,
                    1 => ForcedWish::Best,
                    _ => ForcedWish::At(
                        rng.random_range(0..3),
                        rng.random_range(0..3),
                        rng.random_range(0..3),
                    ),
                };
                wish(&mut world, 2, at);
                world.run(ms(rng.random_range(50..1_500)));
            }
            wish(&mut world, 2, ForcedWish::Best);
            world.run(secs(2));
            let slot = world.peer(viewer).slot("v0");
            assert!(slot.faults.is_empty(), "{what}: {:#?}", slot.faults);
            let from = world.now() - secs(1);
            assert!(longest_gap(slot, from, world.now()) < ms(600), "{what}");
            world.finish();
        }
    }
}
