//! The offer names one certificate, the client shows another: somebody stands between.

use crate::harness::stack::Make;
use crate::harness::{Call, PATIENCE, Person, Rtc, Server, Str0m, Wish};

fn is_refused(make: impl Make) {
    let server = Server::start();
    let call = Call::start(&server);
    let eve = server.user("eve");
    let meeting = server.meeting(&eve);
    let mut eve = Person::join_with(&server, &eve, meeting, make, Wish::TALK, |offer| {
        let (head, print) = offer.split_once("a=fingerprint:sha-256 ").unwrap();
        assert!(print.len() > 95);
        let other = [&print[48..95], ":", &print[..47]].concat();
        format!("{head}a=fingerprint:sha-256 {}", print.replace(&print[..95].to_owned(), &other))
    });
    eve.ws.expect_where(PATIENCE, "renegotiate", |_| true);
    let metrics = server.until_metrics("it is gone", |metrics| metrics.peers() == 2.0);
    assert_eq!(metrics.sum("weir_peers_gone_total", &["reason=\"handshake_failed\""]), 1.0);
    assert_eq!(metrics.sum("weir_handshakes_total", &["result=\"ok\""]), 2.0, "{metrics:?}");
    assert!(eve.client.state().sent.is_empty(), "it believes to be connected");
    call.was_undisturbed();
}

#[test]
fn of_rtc() {
    is_refused(Rtc::default());
}

#[test]
fn of_str0m() {
    is_refused(Str0m::default());
}
