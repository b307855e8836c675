//! The server prefers to be the DTLS server and becomes the client of who insists.

use crate::harness::stack::Make;
use crate::harness::{Person, Rtc, Server, Source, Str0m, Wish};

fn with_setup(setup: &'static str, answered: &str, insists: impl Make, other: impl Make) {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let anna = Person::join_with(&server, &anna, meeting, insists, Wish::CALL, |offer| {
        assert!(offer.contains("a=setup:actpass"), "{offer}");
        offer.replace("a=setup:actpass", &format!("a=setup:{setup}"))
    });
    assert_eq!(Server::attribute(&anna.answer, "setup"), answered);
    let ben = Person::join(&server, &ben, meeting, other, Wish::CALL);
    ben.watches(&anna, &[Source::Microphone, Source::Camera], 15);
    anna.watches(&ben, &[Source::Microphone, Source::Camera], 15);
    server.nothing_was_dropped();
}

#[test]
fn a_passive_rtc_client_is_called() {
    with_setup("passive", "active", Rtc::default(), Str0m::default());
}

#[test]
fn a_passive_str0m_client_is_called() {
    with_setup("passive", "active", Str0m::default(), Rtc::default());
}

#[test]
fn an_active_client_is_waited_for() {
    with_setup("active", "passive", Rtc::default(), Str0m::default());
}

#[test]
fn a_client_without_a_wish_is_waited_for() {
    with_setup("actpass", "passive", Str0m::default(), Rtc::default());
}
