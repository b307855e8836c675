use crate::common::{aware, ms, secs, talk, tile, view, world};
use weir_sfu::DropReason;
use weir_sfu_api::MediaKind;
use weir_sim::Source;
use weir_sim::oracles::{assert_flawless, slots};

const PEOPLE: u64 = 1_000;

/// One packet a frame, so that the test takes seconds and not minutes.
fn camera() -> Source {
    Source { bitrate_bps: 20_000, fps: 5, ..Source::camera() }
}

/// A page of nine neighbours, without oneself.
fn page(id: u64) -> Vec<weir_sfu_api::Tile> {
    (1..=9).map(|n| tile((id - 1 + n) % PEOPLE + 1)).collect()
}

#[test]
fn a_thousand_people_see_nine_tiles_each() {
    let mut world = world(1);
    let mut people = Vec::new();
    for id in 1..=PEOPLE {
        let mut setup = aware(id, 3, 9).publish(camera());
        // A microphone in ten is on.
        if id % 10 == 0 {
            setup.publish.insert(0, Source::microphone());
        }
        let peer = world.join(0, setup);
        // Half look at pages, half at the last speakers.
        let (tiles, last_n) = if id % 2 == 0 { (page(id), 0) } else { (Vec::new(), 9) };
        view(&mut world, peer, tiles, last_n);
        if id % 10 == 0 {
            world.peer_mut(peer).tracks[0].level = 80;
        }
        people.push(peer);
        if id % 50 == 0 {
            world.run(ms(20));
        }
    }
    world.run(secs(1));
    let frames = |world: &weir_sim::World, kind: MediaKind| -> Vec<usize> {
        let count = |peer| slots(peer, kind).map(|slot| slot.frames.len()).sum();
        world.peers().map(count).collect()
    };
    let (audio, video) = (frames(&world, MediaKind::Audio), frames(&world, MediaKind::Video));
    // Five speak; seats and tiles change.
    let speakers: Vec<(usize, u8)> = (0..5).map(|n| (people[99 + 200 * n], 30 + n as u8)).collect();
    talk(&mut world, &speakers, secs(2));
    let (audio_after, video_after) =
        (frames(&world, MediaKind::Audio), frames(&world, MediaKind::Video));
    let (mut heard, mut seen) = (0, 0);
    for n in 0..people.len() {
        let (audio, video) = (audio_after[n] - audio[n], video_after[n] - video[n]);
        assert!(audio >= 3 * 95, "peer {}: {audio} packets of audio in 2 s", n + 1);
        assert!(video >= 9 * 8, "peer {}: {video} pictures in 2 s", n + 1);
        heard += audio;
        seen += video;
    }
    // 1,000 people x 3 voices x 50 packets and x 9 tiles x 5 pictures, for 2 s.
    assert!((291_000..=303_000).contains(&heard), "{heard} packets of audio");
    assert!((85_000..=91_000).contains(&seen), "{seen} pictures");
    for peer in world.peers() {
        assert_flawless(peer);
    }
    let counters = world.shard(0).counters();
    for reason in [DropReason::PoolExhausted, DropReason::EgressFull, DropReason::Limit] {
        assert_eq!(counters.drops(reason), 0, "{reason:?}");
    }
    world.finish();
}
