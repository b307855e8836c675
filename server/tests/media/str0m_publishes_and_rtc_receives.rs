//! Payloads carry a number and a checksum: what arrives is what was sent, whole and in order.

use crate::harness::{Person, Rtc, Server, Source, Str0m, Wish};

#[test]
fn whole_and_in_order() {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let anna = Person::join(&server, &anna, meeting, Str0m::default(), Wish::TALK);
    let ben = Person::join(&server, &ben, meeting, Rtc::default(), Wish::WATCH);
    ben.watches(&anna, &[Source::Microphone, Source::Camera], 60);
    ben.has_all_of(&anna, Source::Microphone);
    ben.has_all_of(&anna, Source::Camera);
    // Who comes into a running picture needs a key frame, and str0m makes one when asked.
    assert!(anna.client.state().key_frames_asked > 0);
    server.nothing_was_dropped();
}

#[test]
fn both_ways_at_once() {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let anna = Person::join(&server, &anna, meeting, Str0m::default(), Wish::CALL);
    let ben = Person::join(&server, &ben, meeting, Rtc::default(), Wish::CALL);
    for (one, other) in [(&anna, &ben), (&ben, &anna)] {
        one.watches(other, &[Source::Microphone, Source::Camera], 60);
        one.has_all_of(other, Source::Microphone);
        one.has_all_of(other, Source::Camera);
    }
    server.nothing_was_dropped();
}
