use crate::common::{aware, ms, seated, secs, talk, world};
use weir_sfu_api::{Event, MediaKind, PeerId};
use weir_sim::{PeerSetup, Source};

/// A sender whose detector once said "voice" is believed when it says nothing but noise.
#[test]
fn comfort_noise_takes_no_seat() {
    let mut world = world(1);
    let listener = world.join(0, aware(100, 3, 0));
    let people: Vec<usize> = (1..=8)
        .map(|id| {
            let setup = PeerSetup::new(id, 7).slots(0, 0).publish(Source::microphone());
            let peer = world.join(0, setup);
            world.peer_mut(peer).tracks[0].level = 80;
            peer
        })
        .collect();
    talk(&mut world, &[(people[7], 30)], secs(2));
    let speakers: Vec<_> = people[..3].iter().map(|peer| (*peer, 30)).collect();
    talk(&mut world, &speakers, secs(3));
    assert_eq!(seated(&world, listener, MediaKind::Audio), [1, 2, 3]);
    let events = world.events.len();
    // Simulated senders say "voice" below 50: this is louder than speech from there would be.
    world.peer_mut(people[7]).tracks[0].level = 51;
    for _ in 0..10 {
        talk(&mut world, &speakers, ms(1_000));
        assert_eq!(seated(&world, listener, MediaKind::Audio), [1, 2, 3]);
    }
    let named = world.events[events..].iter().any(|(_, _, event)| {
        matches!(event, Event::Speakers { speakers, .. }
            if speakers.iter().any(|speaker| speaker.peer == PeerId(8)))
    });
    assert!(!named);
    world.finish();
}
