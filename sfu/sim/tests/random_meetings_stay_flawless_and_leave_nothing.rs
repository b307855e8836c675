use crate::common::{ms, secs, seeds, world};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::net::SocketAddr;
use weir_sfu_api::{CodecKind, MediaKind, PeerId, Rights, SlotPolicy, SourceKind, Tile, View};
use weir_sim::oracles::assert_flawless;
use weir_sim::{LinkConfig, Loss, PeerSetup, Scalability, Source, Talk, World};

fn source(rng: &mut StdRng) -> Source {
    use Scalability as S;
    let codecs = [CodecKind::Vp8, CodecKind::Vp8, CodecKind::Vp9, CodecKind::H264, CodecKind::Av1];
    let codec = *codecs.choose(rng).unwrap();
    let layered = matches!(codec, CodecKind::Vp9 | CodecKind::Av1);
    let flat = [S::L1T1, S::L1T1, S::L1T2, S::L1T3, S::L1T3];
    let scalable = [S::L1T1, S::L1T3, S::L3T1, S::L3T3, S::L3T3Key];
    let shape = *if layered { scalable } else { flat }.choose(rng).unwrap();
    let camera = Source {
        flexible: rng.random(),
        descriptor: rng.random(),
        pace: rng.random_bool(0.5).then_some(2.5),
        ..Source::camera().with_codec(codec).layered(shape)
    };
    match rng.random_range(0..5) {
        0 => Source { kind: SourceKind::Screen, ..camera },
        // A browser gives simulcast to streams without spatial layers only.
        1 | 2 if shape.spatial() == 1 => Source { simulcast: true, ..camera },
        3 if matches!(codec, CodecKind::Vp8 | CodecKind::Vp9) => camera.encrypted(),
        _ => camera,
    }
}

fn microphone(rng: &mut StdRng) -> Source {
    let talk = Talk { spurt: ms(1_500), pause: secs(3), dtx: rng.random() };
    Source { talk: rng.random_bool(0.5).then_some(talk), ..Source::microphone() }
}

/// What somebody may want to see.
fn random_view(rng: &mut StdRng, next_id: u64) -> View {
    let tile = |rng: &mut StdRng| Tile {
        peer: PeerId(rng.random_range(1..=next_id)),
        source: if rng.random_bool(0.8) { SourceKind::Camera } else { SourceKind::Screen },
        width: rng.random_range(0..1_300),
        height: rng.random_range(0..800),
        max_fps: if rng.random() { 0 } else { rng.random_range(1..30) },
        pinned: rng.random_bool(0.2),
        paused: rng.random_bool(0.2),
    };
    let count = rng.random_range(0..4);
    View {
        tiles: (0..count).map(|_| tile(rng)).collect(),
        last_n: rng.random_range(0..5),
        ..View::default()
    }
}

fn setup(rng: &mut StdRng, id: u64) -> PeerSetup {
    let (audio, video) = (rng.random_range(0..4), rng.random_range(0..4));
    let mut setup = PeerSetup::new(id, rng.random_range(0..2)).slots(audio, video);
    if rng.random_bool(0.8) {
        setup = setup.publish(microphone(rng)).publish(source(rng));
    }
    setup.policy = match rng.random_range(0..5) {
        0 => SlotPolicy::Dominant,
        1 | 2 => SlotPolicy::Speakers,
        _ => SlotPolicy::JoinOrder,
    };
    if rng.random_bool(0.2) {
        setup.without = vec![CodecKind::Av1, CodecKind::H264];
    }
    setup.transport_cc = rng.random_bool(0.8);
    setup
}

fn link(rng: &mut StdRng) -> LinkConfig {
    let bursts = Loss::Bursts { enter: 0.002, leave: 0.1, loss: 0.9 };
    LinkConfig {
        delay: ms(rng.random_range(0..80)),
        duplicate: rng.random_range(0.0..0.05),
        loss: if rng.random_bool(0.3) { bursts } else { Loss::Uniform(rng.random_range(0.0..0.1)) },
        rate_bps: rng.random_bool(0.2).then_some(8_000_000),
        queue: ms(200),
        ..LinkConfig::lossy(0.0)
    }
}

/// One thing that people do.
fn act(world: &mut World, rng: &mut StdRng, here: &mut Vec<usize>, next_id: &mut u64) {
    if here.len() < 2 || here.len() < 8 && rng.random_bool(0.25) {
        world.link = link(rng);
        let setup = setup(rng, *next_id);
        *next_id += 1;
        here.push(world.join(0, setup));
        return;
    }
    let at = rng.random_range(0..here.len());
    let who = here[at];
    let tracks = world.peer(who).tracks.len();
    match rng.random_range(0..15) {
        0 => {
            here.remove(at);
            world.leave(who);
        }
        1 => {
            here.remove(at);
            world.vanish(who);
        }
        2 => {
            let rights = Rights {
                publish_audio: rng.random(),
                publish_video: rng.random(),
                publish_screen: rng.random(),
                subscribe: rng.random_bool(0.8),
            };
            world.set_rights(who, rights);
        }
        3 => world.set_rights(who, Rights::ALL),
        4 | 5 if tracks > 0 => {
            let track = rng.random_range(0..tracks);
            let streams = &mut world.peer_mut(who).tracks[track].streams;
            let layer = rng.random_range(0..streams.len());
            streams[layer].active = !streams[layer].active;
        }
        6 if tracks > 0 => world.peer_mut(who).change_ssrc(rng.random_range(0..tracks)),
        7 => {
            let more = world.peer(who).setup.video_slots + 1;
            world.peer_mut(who).setup.video_slots = more;
            world.offer(who);
        }
        8 if tracks > 0 => {
            let stopped = rng.random_range(0..tracks);
            let track = &mut world.peer_mut(who).tracks[stopped];
            track.stopped = !track.stopped;
            world.offer(who);
        }
        9 => {
            if rng.random() {
                world.peer_mut(who).restart_ice();
                world.offer(who);
            }
            let addr = SocketAddr::from(([10, 77, rng.random(), rng.random()], rng.random()));
            world.move_to(who, addr);
        }
        10 => world.peer_mut(who).ask_for_key_frames(),
        12 => {
            // 400 kbit/s for a moment.
            let now = world.now();
            let after = world.down(who).config.rate_bps;
            world.down(who).rate_from(now, Some(400_000));
            world.down(who).rate_from(now + ms(1_000), after);
            world.run(ms(1_100));
        }
        13 if world.peer(who).setup.policy == SlotPolicy::Speakers => {
            let view = random_view(rng, *next_id);
            world.view(who, view);
        }
        14 if tracks > 0 => {
            let track = rng.random_range(0..tracks);
            let limit = rng.random_range(1..=3);
            for stream in &mut world.peer_mut(who).tracks[track].streams {
                stream.spatial_limit = limit;
            }
        }
        11 => {
            let config = link(rng);
            world.up(who).set(config);
            let config = link(rng);
            world.down(who).set(config);
        }
        _ => {
            for track in &mut world.peer_mut(who).tracks {
                track.level = rng.random_range(0..127);
            }
        }
    }
}

/// After everything, on good links, everybody sees everybody who may be seen.
fn settle(world: &mut World, here: &[usize]) {
    for who in here {
        world.set_rights(*who, Rights::ALL);
        for way in [true, false] {
            let link = if way { world.up(*who) } else { world.down(*who) };
            link.set(LinkConfig::clean(ms(20)));
        }
        for track in &mut world.peer_mut(*who).tracks {
            track.stopped = false;
            track.source.talk = None;
            for stream in &mut track.streams {
                (stream.active, stream.spatial_limit) = (true, 3);
            }
        }
        world.offer(*who);
        if world.peer(*who).setup.policy == SlotPolicy::Speakers {
            world.view(*who, View { last_n: u16::MAX, ..View::default() });
        }
    }
    // Who vanished keeps its slots until its consent ends.
    world.run(secs(35));
    assert_eq!(world.shard(0).population().0, here.len(), "who vanished is gone");
    for who in here {
        let states = world.slot_states(*who);
        for state in states.iter().filter(|state| state.track.is_some() && !state.unavailable) {
            let slot = world.peer(*who).slot(state.mid.as_str());
            let fresh = slot.frames.iter().filter(|frame| frame.at + secs(2) > world.now()).count();
            let least = if state.kind == MediaKind::Audio { 90 } else { 45 };
            assert!(
                fresh >= least,
                "peer {} slot {}: {fresh} frames, {state:?}",
                world.peer(*who).id(),
                state.mid
            );
        }
    }
}

#[test]
fn random_meetings_stay_flawless_and_leave_nothing() {
    for seed in seeds(&[1, 2, 3, 4, 5, 6]) {
        eprintln!("seed {seed}");
        let mut rng = StdRng::seed_from_u64(seed);
        let mut world = world(seed);
        let (mut here, mut next_id) = (Vec::new(), 1);
        for _ in 0..60 {
            act(&mut world, &mut rng, &mut here, &mut next_id);
            world.run(ms(rng.random_range(0..800)));
        }
        settle(&mut world, &here);
        for peer in world.peers() {
            assert_flawless(peer);
        }
        world.finish();
    }
}
