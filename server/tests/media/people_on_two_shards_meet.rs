//! A meeting that is larger than a shard may hold: its people see and hear each other over the border
//! between two shards' threads.

use crate::harness::{Call, Kind, PATIENCE, Person, Rtc, Server, Source, Wish};

/// Two shards, of which each holds one peer of a meeting before others are needed.
const TWO: &[(&str, &str)] =
    &[("WEIR__MEDIA__SHARDS", "2"), ("WEIR__MEDIA__ROOM_PEERS_PER_SHARD", "1")];

#[test]
fn with_all_their_media() {
    let server = Server::start_with(TWO);
    let call = Call::start(&server);
    let port = |person: &Person| Server::candidate(&person.answer).port();
    assert_ne!(port(&call.anna), port(&call.ben), "each is on a shard of its own");
    call.was_undisturbed();
    let metrics = server.until_metrics("each shard has one of them", |metrics| {
        let peers = |shard| metrics.sum("weir_shard_peers", &[shard]);
        peers("shard=\"0\"") == 1.0 && peers("shard=\"1\"") == 1.0
    });
    assert!(metrics.sum("weir_border_packets_total", &[]) > 100.0);

    // What is lost behind the border is had again from this side of it.
    call.ben.client.state().loses_every = 20;
    call.ben.watches(&call.anna, &[Source::Camera], 100);
    call.ben.client.state().loses_every = 0;
    server.until_metrics("packets were sent again", |metrics| {
        metrics.sum("weir_retransmissions_total", &[]) > 0.0
    });
    call.ben.has_all_of(&call.anna, Source::Camera);

    // Who comes later sees Ben from a key frame on, which is asked of him on the other shard.
    let asked = call.ben.client.state().key_frames_asked;
    let cleo = server.user("cleo");
    let wishes = [Wish::Slot(Kind::Video), Wish::Slot(Kind::Video)];
    let cleo = Person::join(&server, &cleo, call.anna.meeting, Rtc::default(), &wishes);
    assert_eq!(port(&cleo), port(&call.anna));
    cleo.watches(&call.ben, &[Source::Camera], 15);
    cleo.watches(&call.anna, &[Source::Camera], 15);
    cleo.has_all_of(&call.ben, Source::Camera);
    assert!(call.ben.client.state().key_frames_asked > asked, "no key frame was asked for");
    server.nothing_was_dropped();

    let Call { mut anna, ben, .. } = call;
    ben.leave();
    anna.ws.expect_where(PATIENCE, "slots", |message| {
        let slots = message["data"]["slots"].as_array().unwrap();
        slots.len() == 2 && slots.iter().all(|slot| slot["user_id"].is_null())
    });
    server.until_metrics("his state is freed", |metrics| metrics.peers() == 2.0);
    cleo.watches(&anna, &[Source::Camera], 15);
    server.nothing_was_dropped();
    anna.leave();
    cleo.leave();
    server.until_metrics("nothing is left", |metrics| {
        metrics.peers() == 0.0 && metrics.rooms() == 0.0
    });
}
