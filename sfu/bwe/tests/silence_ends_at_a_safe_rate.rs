//! Receivers that never report, or stop to.

use std::time::Duration;

use weir_bwe::{Leg, LegConfig, Limit, SentKind, limits};

use crate::common::{Path, Source, World, ms};

#[test]
fn a_receiver_that_never_reports_gets_a_safe_rate() {
    let mut world = World::new(Path::default(), Source::Follows(25e6), 1);
    world.feedback = false;
    world.run(ms(10_000));
    assert_eq!(world.leg.estimate_bps(), limits::BLIND_BPS);
    assert_eq!(world.leg.estimate().limit, Limit::Silence);
    let peak = world.seconds.iter().map(|second| second.sent).fold(0.0, f64::max);
    println!("never a report: peak {peak:.0}, after 10 s {}", world.leg.estimate_bps());
    assert!(peak < 1e6, "sent {peak}");
}

#[test]
fn a_receiver_that_stops_to_report_falls_and_comes_back() {
    let mut world = World::new(Path::default(), Source::Follows(3e6), 2);
    world.run(ms(20_000));
    world.feedback = false;
    world.run(ms(3_000));
    let soon = world.estimate();
    world.run(ms(10_000));
    let later = world.estimate();
    world.feedback = true;
    let back = world.until_estimate(2.4e6, ms(15_000));
    println!("silence: after 3 s {soon:.0}, after 13 s {later:.0}, back {back:?} after its end");
    assert!(soon < 2.5e6 && later == 200e3);
    assert!(back.is_some_and(|back| back <= ms(10_000)));
}

/// A leg without transport-wide feedback that sends 100 packets a second for `seconds`, with
/// `each` called every second.
fn reports_only(seconds: u64, mut each: impl FnMut(&mut Leg, std::time::Instant, u64)) -> Leg {
    let start = std::time::Instant::now();
    let mut leg = Leg::new(start, LegConfig::default());
    leg.set_wanted(10_000_000);
    for step in 0..seconds * 100 {
        let now = start + ms(step * 10);
        leg.on_sent(now, 0, 1_200, SentKind::Media);
        if leg.next_timeout(now).is_some_and(|(at, _)| at <= now) {
            leg.handle_timeout(now);
        }
        assert_eq!(leg.probe(now), None, "nobody would tell of a probe");
        if step % 100 == 99 {
            each(&mut leg, now, step / 100);
        }
    }
    leg
}

const RTT: Option<Duration> = Some(ms(50));

#[test]
fn receiver_reports_alone_lift_it_to_a_bound() {
    let leg = reports_only(60, |leg, now, _| {
        leg.on_receiver_report(now, 0, RTT);
    });
    assert_eq!(leg.estimate_bps(), limits::REPORTS_MAX_BPS);
    assert_eq!(leg.estimate().limit, Limit::Reports);
}

#[test]
fn loss_in_receiver_reports_lowers_it() {
    let leg = reports_only(30, |leg, now, second| {
        leg.on_receiver_report(now, if second < 15 { 0 } else { 64 }, RTT);
    });
    println!("25 % loss in reports for 15 s: {}", leg.estimate_bps());
    assert!(leg.estimate_bps() < 400_000);
}

#[test]
fn remb_is_the_estimate_without_transport_wide_feedback() {
    let leg = reports_only(10, |leg, now, _| {
        leg.on_remb(now, 4_000_000);
        leg.on_receiver_report(now, 0, RTT);
    });
    assert_eq!(leg.estimate_bps(), 4_000_000);
}

#[test]
fn remb_that_ends_is_forgotten() {
    let leg = reports_only(40, |leg, now, second| {
        if second < 5 {
            leg.on_remb(now, 4_000_000);
        }
    });
    assert_eq!(leg.estimate_bps(), limits::BLIND_BPS);
}

#[test]
fn remb_caps_a_leg_with_transport_wide_feedback() {
    let mut world = World::new(Path::default(), Source::Follows(3e6), 3);
    world.run(ms(10_000));
    let now = world.instant();
    world.leg.on_remb(now, 700_000);
    assert_eq!(world.leg.estimate_bps(), 700_000);
    assert_eq!(world.leg.estimate().limit, Limit::Remb);
    world.run(ms(20_000));
    assert!(world.estimate() > 2.4e6, "an old REMB still caps: {}", world.estimate());
}

#[test]
fn a_pause_of_the_application_is_no_silence() {
    let mut world = World::new(Path::default(), Source::Follows(3e6), 4);
    world.run(ms(20_000));
    let before = world.estimate();
    // The last packets before the pause are lost, so that nothing answers them.
    world.link.path.loss = 1.0;
    world.run(ms(100));
    world.source = Source::Fixed(0.0);
    world.run(ms(10_000));
    world.link.path.loss = 0.0;
    world.source = Source::Fixed(300e3);
    world.run(ms(300));
    assert!(world.estimate() >= 0.9 * before, "{} of {before}", world.estimate());
}
