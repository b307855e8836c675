//! A second offer with one more m-line: the screen is there, and nothing else was disturbed.

use crate::harness::stack::Make;
use crate::harness::{Kind, PATIENCE, Person, Rtc, Server, Source, Str0m, Wish};

fn shares(make: impl Make, other: impl Make) {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let mut anna = Person::join(&server, &anna, meeting, make, Wish::TALK);
    let wishes = [Wish::Slot(Kind::Audio), Wish::Slot(Kind::Video), Wish::Slot(Kind::Video)];
    let mut ben = Person::join(&server, &ben, meeting, other, &wishes);
    ben.watches(&anna, &[Source::Microphone, Source::Camera], 15);

    anna.renegotiate(&[Wish::Publish(Source::Screen)]);
    ben.watches(&anna, &[Source::Screen], 30);
    ben.watches(&anna, &[Source::Microphone, Source::Camera], 15);
    for source in [Source::Microphone, Source::Camera, Source::Screen] {
        ben.has_all_of(&anna, source);
    }
    let slots = ben.ws.expect_where(PATIENCE, "slots", |message| {
        let slots = message["data"]["slots"].as_array().unwrap();
        slots.iter().any(|slot| slot["source"] == "screen")
    });
    assert!(
        slots["data"]["slots"]
            .as_array()
            .unwrap()
            .iter()
            .all(|slot| slot["user_id"] == anna.user.id)
    );
    server.nothing_was_dropped();
}

#[test]
fn of_rtc() {
    shares(Rtc::default(), Str0m::default());
}

#[test]
fn of_str0m() {
    shares(Str0m::default(), Rtc::default());
}
