//! One dual-stack socket per shard: people who come by IPv6 meet each other and those by IPv4.

use crate::harness::stack::Make;
use crate::harness::{Person, Rtc, Server, Source, Str0m, Wish};
use std::net::UdpSocket;

const BOTH: &[Source] = &[Source::Microphone, Source::Camera];
const V6: &str = "[::1]:0";
const V4: &str = "127.0.0.1:0";

fn meets(backend: &str, one: (impl Make, &str), other: (impl Make, &str)) {
    if UdpSocket::bind(V6).is_err() {
        eprintln!("skipped: IPv6 is off on this machine");
        return;
    }
    let env = [("WEIR__MEDIA__LISTEN", "[::]:0"), ("WEIR__MEDIA__BACKEND", backend)];
    let server = Server::start_with(&env);
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let anna = Person::join_from(one.1, &server, &anna, meeting, one.0, Wish::CALL);
    let ben = Person::join_from(other.1, &server, &ben, meeting, other.0, Wish::CALL);
    for (person, address) in [(&anna, one.1), (&ben, other.1)] {
        assert!(person.answer.contains(" ::1 "), "no IPv6 candidate: {}", person.answer);
        assert_eq!(person.client.local.is_ipv6(), address == V6);
    }
    ben.watches(&anna, BOTH, 25);
    anna.watches(&ben, BOTH, 25);
    for source in BOTH {
        ben.has_all_of(&anna, *source);
        anna.has_all_of(&ben, *source);
    }
    assert_eq!(server.metrics().sum("weir_handshakes_total", &["result=\"ok\""]), 2.0);
}

#[test]
fn two_by_ipv6() {
    meets("auto", (Rtc::default(), V6), (Str0m::default(), V6));
}

#[test]
fn two_by_ipv6_with_mmsg() {
    meets("mmsg", (Rtc::default(), V6), (Str0m::default(), V6));
}

#[test]
fn one_by_ipv6_and_one_by_ipv4() {
    meets("auto", (Str0m::default(), V6), (Rtc::default(), V4));
}
