use crate::common::{aware, ms, secs, talk};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use weir_sfu_api::{Event, MediaKind, PeerId};
use weir_sim::oracles::{assert_flawless, slots};
use weir_sim::{LinkConfig, PeerSetup, Source, World};

/// What people notice: by receiver and by source, how many frames of each kind.
type Seen = BTreeMap<(u64, u32, bool), usize>;

struct Run {
    seen: Seen,
    speakers: Vec<Vec<PeerId>>,
    pairs: BTreeSet<(u64, u64, bool)>,
}

/// Who speaks, as people were told last.
fn told(world: &World) -> Vec<PeerId> {
    let last = world.events.iter().rev().find_map(|(_, _, event)| match event {
        Event::Speakers { speakers, .. } => Some(speakers.iter().map(|s| s.peer).collect()),
        _ => None,
    });
    last.unwrap_or_default()
}

/// Twelve people in one room, who speak in turn.
fn run(shards: u16) -> Run {
    let mut world = World::new(Instant::now(), 1, shards);
    world.link = LinkConfig::clean(ms(20));
    let all: Vec<u16> = (0..shards).collect();
    if shards > 1 {
        world.span(7, &all);
    }
    let mut people = Vec::new();
    for id in 1..=12 {
        let home = (id % u64::from(shards)) as usize;
        let camera = if id % 3 == 0 { Source::simulcast_camera() } else { Source::camera() };
        let setup = PeerSetup { clock_ahead: secs(id), ..aware(id, 3, 4) };
        let peer = world.join(home, setup.publish(Source::microphone()).publish(camera));
        world.peer_mut(peer).tracks[0].level = 80;
        let command = weir_sfu_api::Command::SetView {
            peer: PeerId(id),
            view: Box::new(weir_sfu_api::View { last_n: u16::MAX, ..Default::default() }),
        };
        world.command(home, command);
        people.push(peer);
        world.run(ms(100));
    }
    let mut speakers = Vec::new();
    for loud in [2, 7, 10, 5] {
        talk(&mut world, &[(people[loud], 30), (people[(loud + 3) % 12], 45)], secs(4));
        speakers.push(told(&world));
    }
    // Looks at the speakers come at other moments: what counts is what it comes to.
    talk(&mut world, &[(people[1], 30)], secs(2));
    let before = world.now();
    talk(&mut world, &[(people[1], 30)], secs(4));
    let mut seen = Seen::new();
    let mut pairs = BTreeSet::new();
    for peer in &people {
        let peer = world.peer(*peer);
        assert_flawless(peer);
        for kind in [MediaKind::Audio, MediaKind::Video] {
            for frame in slots(peer, kind).flat_map(|slot| &slot.frames) {
                if frame.at >= before {
                    let key = (peer.id().0, frame.source, kind == MediaKind::Video);
                    *seen.entry(key).or_default() += 1;
                }
                pairs.insert((peer.id().0, u64::from(frame.source), kind == MediaKind::Video));
            }
        }
    }
    world.finish();
    Run { seen, speakers, pairs }
}

#[test]
fn a_room_on_four_shards_is_served_as_on_one() {
    let (one, four) = (run(1), run(4));
    assert_eq!(one.speakers, four.speakers, "who speaks");
    let who = |run: &Run| run.seen.keys().copied().collect::<Vec<_>>();
    assert_eq!(who(&one), who(&four), "who is heard and seen at the end");
    assert_eq!(one.pairs, four.pairs, "who was heard and seen by whom");
    for (key, frames) in &one.seen {
        let other = four.seen[key];
        // Timers of shards differ by some milliseconds.
        assert!(frames.abs_diff(other) <= frames / 10 + 3, "{key:?}: {frames} and {other} frames");
    }
}
