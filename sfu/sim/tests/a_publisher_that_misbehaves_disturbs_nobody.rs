//! Each attack is run beside the same meeting without it: what the others see of each other must
//! not differ.

use crate::common::{ms, secs, world};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use weir_sfu_api::MediaKind;
use weir_sim::oracles::{assert_flawless, longest_gap, seen};
use weir_sim::peer::recv::Slot;
use weir_sim::{PeerSetup, Source, World};

type Seen = BTreeMap<(String, u32, u8), BTreeSet<u32>>;

/// A meeting of three. The last one misbehaves for 6 s, from 2 s on; gives what the other two saw of
/// each other.
fn meet(mut attack: impl FnMut(&mut World, [usize; 3], u64)) -> (World, [usize; 3], Vec<Seen>) {
    let mut world = world(1);
    let people = [1, 2, 3].map(|id| {
        let camera = if id == 3 { Source::simulcast_camera() } else { Source::camera() };
        let setup = PeerSetup::new(id, 7).publish(Source::microphone()).publish(camera);
        world.join(0, setup.slots(2, 2))
    });
    world.run(secs(2));
    let start = world.now();
    for step in 0..60 {
        attack(&mut world, people, step);
        world.run(ms(100));
    }
    let end = world.now();
    let saw = people[..2].iter().map(|who| others(&world, *who, start, end)).collect();
    (world, people, saw)
}

/// The slot in which a peer gets what another publishes.
fn slot_of(world: &World, who: usize, source: u32, kind: MediaKind) -> &Slot {
    let slots = &world.peer(who).slots;
    let from = |slot: &&Slot| slot.frames.first().is_some_and(|frame| frame.source == source);
    slots.iter().filter(|slot| slot.kind == kind).find(from).expect("a slot")
}

/// What a peer saw but of the third.
fn others(world: &World, who: usize, start: Instant, end: Instant) -> Seen {
    let peer = world.peer(who);
    assert!(peer.faults.is_empty(), "{:?}", peer.faults);
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let slot = slot_of(world, who, 3 - peer.setup.id as u32, kind);
        assert!(slot.faults.is_empty(), "peer {} {}: {:?}", peer.id(), slot.mid, slot.faults);
        let gap = longest_gap(slot, start, end);
        assert!(gap < ms(150), "peer {} {}: {gap:?}", peer.id(), slot.mid);
    }
    seen(peer).into_iter().filter(|((_, source, _), _)| *source != 3).collect()
}

#[test]
fn a_flood_of_packets_disturbs_nobody() {
    let (world, _, good) = meet(|_, _, _| {});
    world.finish();
    let (mut world, people, bad) = meet(|world, [.., last], step| {
        if step == 0 {
            // 5,000 packets a second.
            world.peer_mut(last).tracks[1].streams[2].bitrate_bps = 40_000_000;
        }
    });
    assert_eq!(bad, good);
    assert!(world.shard(0).packets_in_use() <= 6 * weir_sfu::limits::CACHE_VIDEO);
    assert!(world.up(people[2]).counters().packets > 20_000);
    world.finish();
}

#[test]
fn layers_that_stop_and_start_disturb_nobody() {
    let (world, _, good) = meet(|_, _, _| {});
    world.finish();
    let (world, people, bad) = meet(|world, [.., last], step| {
        for (at, stream) in world.peer_mut(last).tracks[1].streams.iter_mut().enumerate() {
            stream.active = !(step as usize + at).is_multiple_of(3);
        }
    });
    assert_eq!(bad, good);
    assert_flawless(world.peer(people[0]));
    world.finish();
}

#[test]
fn rids_and_ssrcs_that_change_disturb_nobody() {
    let (world, _, good) = meet(|_, _, _| {});
    world.finish();
    let (mut world, people, bad) = meet(|world, [.., last], step| {
        if step % 2 == 0 {
            world.peer_mut(last).change_ssrc(1);
        } else if step % 10 == 5 {
            let names: Vec<String> = (0..3).map(|n| format!("r{step}{n}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            world.peer_mut(last).change_rids(1, &names);
            world.offer(last);
        }
    });
    assert_eq!(bad, good);
    // When it rests it is seen again.
    world.run(secs(3));
    let from = world.now();
    world.run(secs(1));
    let slot = slot_of(&world, people[0], 3, MediaKind::Video);
    let fresh = slot.frames.iter().filter(|frame| frame.at > from).count();
    assert!(fresh > 20, "{fresh}: {:?} {:?}", slot.counters, world.shard(0).counters());
    assert_flawless(world.peer(people[0]));
    world.finish();
}

#[test]
fn ssrcs_of_others_disturb_nobody() {
    let (world, _, good) = meet(|_, _, _| {});
    world.finish();
    let (world, people, bad) = meet(|world, [one, two, last], step| {
        let of =
            |world: &World, who: usize, track: usize| world.peer(who).tracks[track].streams[0].ssrc;
        let stolen = [of(world, one, 1), of(world, two, 1), of(world, one, 0)];
        let slots = world.peer(one).slots.iter().map(|slot| slot.ssrc).collect::<Vec<_>>();
        let peer = world.peer_mut(last);
        if step % 20 == 0 {
            // The others' SSRCs, and those in which the server sends to them.
            for (stream, ssrc) in peer.tracks[1].streams.iter_mut().zip(stolen) {
                stream.ssrc = ssrc;
            }
        } else if step % 20 == 10 {
            for (stream, ssrc) in peer.tracks[1].streams.iter_mut().zip(slots) {
                stream.ssrc = ssrc;
            }
        }
    });
    assert_eq!(bad, good);
    assert!(slot_of(&world, people[0], 3, MediaKind::Video).faults.is_empty());
    world.finish();
}

#[test]
fn one_ssrc_for_all_its_streams_disturbs_nobody() {
    let (world, _, good) = meet(|_, _, _| {});
    world.finish();
    let (mut world, people, bad) = meet(|world, [.., last], step| {
        if step == 0 {
            let peer = world.peer_mut(last);
            let ssrc = peer.tracks[0].streams[0].ssrc;
            for stream in &mut peer.tracks[1].streams {
                stream.ssrc = ssrc;
            }
        }
    });
    assert_eq!(bad, good);
    world.peer_mut(people[2]).change_ssrc(1);
    world.run(secs(2));
    let drops = world.shard(0).counters().drop_list();
    assert!(!drops.is_empty(), "what cannot be told apart is dropped and counted");
    world.finish();
}
