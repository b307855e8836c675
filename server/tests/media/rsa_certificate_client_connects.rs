//! Some clients still have certificates with RSA keys.

use crate::harness::{Person, Rtc, Server, Source, Str0m, Wish};

#[test]
fn and_is_seen_and_sees() {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let rsa = Rtc { rsa: true, ..Rtc::default() };
    let anna = Person::join(&server, &anna, meeting, rsa, Wish::CALL);
    let ben = Person::join(&server, &ben, meeting, Str0m::default(), Wish::CALL);
    ben.watches(&anna, &[Source::Microphone, Source::Camera], 15);
    anna.watches(&ben, &[Source::Microphone, Source::Camera], 15);
    server.nothing_was_dropped();
}
