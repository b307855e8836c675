//! Each attack is run beside the same meeting without it: what the others see must not differ.

use crate::common::{ms, secs, world};
use std::collections::{BTreeMap, BTreeSet};
use weir_sim::oracles::{assert_flawless, longest_gap, seen};
use weir_sim::{Feedback, Flood, Manners, Nacks, PeerSetup, World};

const TIME: u64 = 6;

/// What came of a meeting of three, of whom the last one has these manners.
struct Outcome {
    seen: Vec<BTreeMap<(String, u32, u8), BTreeSet<u32>>>,
    /// Bytes sent to the one with manners.
    sent: u64,
    /// Key frames asked of the other two.
    requests: usize,
}

fn meet(manners: Manners) -> Outcome {
    let mut world = world(1);
    let people = [1, 2, 3].map(|id| world.join(0, PeerSetup::new(id, 7).talking().slots(2, 2)));
    let [one, two, last] = people;
    world.run(secs(2));
    let start = world.now();
    world.peer_mut(last).manners = manners;
    world.run(secs(TIME));
    world.peer_mut(last).manners = Manners::default();
    let end = world.now();
    let sent = world.down(last).between(start, end).bytes;
    world.run(secs(2));
    for who in [one, two] {
        let peer = world.peer(who);
        assert_flawless(peer);
        for slot in &peer.slots {
            assert!(longest_gap(slot, start, end) < ms(150), "{manners:?}");
        }
    }
    assert_flawless(world.peer(last));
    let outcome = Outcome {
        seen: [one, two].map(|who| seen(world.peer(who))).to_vec(),
        sent,
        requests: requests(&world, &[one, two]),
    };
    world.finish();
    outcome
}

fn requests(world: &World, people: &[usize]) -> usize {
    let tracks = people.iter().flat_map(|who| &world.peer(*who).tracks);
    tracks.flat_map(|track| &track.streams).map(|stream| stream.requests.len()).sum()
}

#[test]
fn a_receiver_that_misbehaves_disturbs_nobody() {
    let good = meet(Manners::default());
    let flood = Some(Flood { interval: ms(5) });
    let cases = [
        Manners { feedback: Feedback::Never, ..Manners::default() },
        Manners { feedback: Feedback::Invented, ..Manners::default() },
        Manners { nacks: Nacks::Everything, ..Manners::default() },
        Manners { flood, ..Manners::default() },
        Manners {
            feedback: Feedback::Never,
            nacks: Nacks::Everything,
            flood,
            ..Manners::default()
        },
    ];
    for manners in cases {
        let bad = meet(manners);
        eprintln!("{manners:?}: {} bytes for {}, {} requests", bad.sent, good.sent, bad.requests);
        assert_eq!(bad.seen, good.seen, "{manners:?}");
        if manners.nacks == Nacks::Honest && manners.flood.is_none() {
            assert!(bad.sent <= good.sent * 11 / 10, "{manners:?}: {} bytes", bad.sent);
        }
        // However much is asked for again.
        assert!(bad.sent < good.sent * 4, "{manners:?}: {} of {} bytes", bad.sent, good.sent);
        // One each 300 ms for each camera.
        let most = good.requests + 2 * (TIME as usize * 1_000 / 300 + 1);
        assert!(bad.requests <= most, "{manners:?}: {} key frames asked for", bad.requests);
    }
}
