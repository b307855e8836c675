//! Payloads carry a number and a checksum: what arrives is what was sent, whole and in order.

use crate::harness::{Person, Rtc, Server, Source, Str0m, Wish};

#[test]
fn whole_and_in_order() {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let anna = Person::join(&server, &anna, meeting, Rtc::default(), Wish::TALK);
    let ben = Person::join(&server, &ben, meeting, Str0m::default(), Wish::WATCH);
    ben.watches(&anna, &[Source::Microphone, Source::Camera], 60);
    ben.has_all_of(&anna, Source::Microphone);
    ben.has_all_of(&anna, Source::Camera);
    server.nothing_was_dropped();
}
