//! Accounts, tokens and meetings outlive the process; media begins afresh.

use crate::harness::{Person, Rtc, Server, Source, Str0m, Wish};
use std::time::Duration;

#[test]
fn with_the_tokens_they_had() {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let first = Person::join(&server, &anna, meeting, Str0m::default(), Wish::TALK);
    first.client.until("it is connected", |state| state.connected.then_some(()));
    let folder = server.process.folder();
    let Server { mut process } = server;
    process.signal("TERM");
    assert_eq!(process.wait(Duration::from_secs(5)).and_then(|status| status.code()), Some(0));
    drop(process);

    let server = Server::start_in(folder, &[]);
    let anna = Person::join(&server, &anna, meeting, Str0m::default(), Wish::CALL);
    let ben = Person::join(&server, &ben, meeting, Rtc::default(), Wish::CALL);
    ben.watches(&anna, &[Source::Microphone, Source::Camera], 15);
    anna.watches(&ben, &[Source::Microphone, Source::Camera], 15);
    server.nothing_was_dropped();
}
