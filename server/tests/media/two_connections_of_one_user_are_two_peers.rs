//! One account on two devices: both are in the meeting, and others see that user leave when the
//! last of them goes.

use crate::harness::ws::Said;
use crate::harness::{Kind, Person, Rtc, Server, Source, Str0m, Wish};

#[test]
fn and_leave_one_by_one() {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let wishes = [Wish::Slot(Kind::Video), Wish::Slot(Kind::Video)];
    let mut ben = Person::join(&server, &ben, meeting, Str0m::default(), &wishes);
    let laptop = Person::join(&server, &anna, meeting, Rtc::default(), Wish::TALK);
    let phone = Person::join(&server, &anna, meeting, Str0m::default(), Wish::TALK);
    ben.watches(&laptop, &[Source::Camera], 15);
    ben.watches(&phone, &[Source::Camera], 15);
    server.until_metrics("three peers", |metrics| metrics.peers() == 3.0);

    laptop.leave();
    server.until_metrics("two peers", |metrics| metrics.peers() == 2.0);
    ben.watches(&phone, &[Source::Camera], 15);
    // Nothing was said of the first to go.
    while let Some(said) = ben.ws.next() {
        if let Said::Message(message) = said {
            assert_ne!(message["type"], "user-left", "{message}");
        }
    }
    phone.leave();
    let left = ben.ws.expect("user-left");
    assert_eq!(left["data"]["user_id"], anna.id, "{left}");
    assert_eq!(left["data"]["reason"], "left", "{left}");
    server.until_metrics("one peer", |metrics| metrics.peers() == 1.0);
}
