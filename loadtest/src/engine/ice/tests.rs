use super::*;

fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn named(ufrag: &str) -> IceCredentials {
    IceCredentials { ufrag: ufrag.to_owned(), pwd: format!("{ufrag}-0123456789012345678901") }
}

fn pair(controlling: (bool, bool), now: Instant) -> (Ice, Ice) {
    let new = |ours: &str, theirs: &str, controlling, seed| {
        Ice::new(named(ours), named(theirs), controlling, now, Lots::new(seed))
    };
    (new("aaaa", "bbbb", controlling.0, 1), new("bbbb", "aaaa", controlling.1, 2))
}

/// Carries everything both ways until nothing is said any more; `a` is at port 1, `b` at port 2.
fn talk(now: Instant, a: &mut Ice, b: &mut Ice) {
    let (mut from_a, mut from_b) = (Out::new(), Out::new());
    a.handle_timeout(now, &mut from_a).unwrap();
    b.handle_timeout(now, &mut from_b).unwrap();
    for _ in 0..10 {
        for (to, message) in std::mem::take(&mut from_a) {
            if to == addr(2) {
                b.handle(now, addr(1), &message, &mut from_b);
            }
        }
        for (to, message) in std::mem::take(&mut from_b) {
            if to == addr(1) {
                a.handle(now, addr(2), &message, &mut from_a);
            }
        }
    }
}

#[test]
fn the_candidate_that_answers_is_taken() {
    let now = Instant::now();
    let (mut a, mut b) = pair((true, false), now);
    a.add(now, addr(9));
    a.add(now, addr(2));
    talk(now, &mut a, &mut b);
    assert_eq!(a.selected(), Some(addr(2)));
    assert_eq!(a.round_trip(), Some(Duration::ZERO));
    // Its own checks to us were answered, too.
    talk(now + PACE, &mut a, &mut b);
    assert_eq!(b.selected(), Some(addr(1)));
}

#[test]
fn a_conflict_of_roles_is_settled() {
    let now = Instant::now();
    for roles in [(true, true), (false, false)] {
        let (mut a, mut b) = pair(roles, now);
        a.add(now, addr(2));
        b.add(now, addr(1));
        for round in 0..4 {
            talk(now + PACE * round, &mut a, &mut b);
        }
        assert_eq!((a.selected(), b.selected()), (Some(addr(2)), Some(addr(1))), "{roles:?}");
    }
}

#[test]
fn a_server_with_the_higher_tie_breaker_makes_us_controlled() {
    let now = Instant::now();
    let (mut a, _) = pair((true, false), now);
    a.add(now, addr(2));
    let mut out = Out::new();
    a.handle_timeout(now, &mut out).unwrap();
    let id = StunMessage::parse(&out[0].1).unwrap().transaction_id();
    let refusal = StunWriter::binding_error(id, 487, "Role Conflict");
    let refusal = sign(&key(&named("bbbb").pwd), refusal);
    out.clear();
    a.handle(now, addr(2), &refusal, &mut out);
    let again = StunMessage::parse(&out[0].1).unwrap();
    assert!(again.ice_controlled().is_some() && !again.use_candidate());
}

#[test]
fn silence_ends_it_after_ten_seconds_and_lost_consent_after_thirty() {
    let now = Instant::now();
    let (mut a, mut b) = pair((true, false), now);
    a.add(now, addr(2));
    let mut out = Out::new();
    let late = now + PATIENCE;
    assert_eq!(a.handle_timeout(late, &mut out), Err(Ended::NoAnswerToChecks));
    let (mut a, _) = pair((true, false), now);
    a.add(now, addr(2));
    talk(now, &mut a, &mut b);
    let mut at = now;
    let mut checks = 0;
    while at < now + CONSENT_LOST {
        out.clear();
        a.handle_timeout(at, &mut out).unwrap();
        checks += out.len();
        at = a.next_deadline().max(at);
    }
    assert!((10..=15).contains(&checks), "{checks}");
    assert_eq!(a.handle_timeout(at, &mut out), Err(Ended::ConsentLost));
}

#[test]
fn what_is_not_signed_right_changes_nothing() {
    let now = Instant::now();
    let (mut a, _) = pair((true, false), now);
    a.add(now, addr(2));
    let mut out = Out::new();
    a.handle_timeout(now, &mut out).unwrap();
    let id = StunMessage::parse(&out[0].1).unwrap().transaction_id();
    out.clear();
    let mut answer = StunWriter::binding_success(id);
    answer.xor_mapped_address(addr(1));
    let forged = sign(&key("another password of length"), answer);
    assert_eq!(a.handle(now, addr(2), &forged, &mut out), Heard::Nothing);
    let mut request = StunWriter::binding_request([1; 12]);
    request.username("aaaa:bbbb");
    let forged = sign(&key("another password of length"), request);
    a.handle(now, addr(2), &forged, &mut out);
    assert!(out.is_empty() && a.selected().is_none());
}
