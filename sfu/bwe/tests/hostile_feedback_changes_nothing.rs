//! Feedback for packets never sent, repeated, enormous, or with times out of this world.

use weir_wire::rtcp::{self, RtcpPacket};

use crate::common::{Path, Random, Source, World, ms};

/// Parses and hands in.
fn feed(world: &mut World, bytes: &[u8]) {
    let now = world.instant();
    for packet in rtcp::packets(bytes).flatten() {
        if let RtcpPacket::TransportCc(feedback) = packet {
            world.leg.on_feedback(now, &feedback);
        }
    }
}

/// A feedback of `count` lost packets from `base`: runs of 8,191.
fn all_lost(base: u16, count: u16) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 2]);
    body.extend_from_slice(&base.to_be_bytes());
    body.extend_from_slice(&count.to_be_bytes());
    body.extend_from_slice(&[0, 0, 0, 0]);
    let mut left = count;
    while left > 0 {
        let run = left.min(8_191);
        body.extend_from_slice(&run.to_be_bytes());
        left -= run;
    }
    while body.len() % 4 != 0 {
        body.push(0);
    }
    let mut packet = vec![0x8f, 205];
    packet.extend_from_slice(&((body.len() / 4) as u16).to_be_bytes());
    packet.extend_from_slice(&body);
    packet
}

#[test]
fn packets_never_sent_are_counted_and_ignored() {
    let mut world = World::new(Path::default(), Source::Follows(3e6), 1);
    let mut bytes = Vec::new();
    rtcp::write_transport_cc(&mut bytes, 1, 2, 40_000, 0, 0, &[Some(0), Some(250), None]);
    let before = world.leg.estimate();
    feed(&mut world, &bytes);
    assert_eq!(world.leg.counters().unknown, 3);
    assert_eq!(world.leg.counters().useless, 1);
    assert_eq!(world.leg.estimate(), before);
}

#[test]
fn a_feedback_of_all_sequence_numbers_is_cut() {
    let mut world = World::new(Path::default(), Source::Follows(3e6), 1);
    world.run(ms(20_000));
    let before = world.leg.counters();
    for base in [0, 30_000, 60_000] {
        feed(&mut world, &all_lost(base, u16::MAX));
    }
    let after = world.leg.counters();
    assert_eq!(after.too_long, 3);
    assert!(after.lost - before.lost <= 2_048);
}

#[test]
fn repeated_feedback_counts_once() {
    let mut plain = World::new(Path::default(), Source::Follows(3e6), 1);
    let mut twice = World::new(Path::default(), Source::Follows(3e6), 1);
    twice.repeat_feedback = true;
    plain.run(ms(20_000));
    twice.run(ms(20_000));
    assert_eq!(plain.leg.counters().arrived, twice.leg.counters().arrived);
    assert!(twice.leg.counters().repeated > 1_000);
    assert_eq!(plain.leg.estimate(), twice.leg.estimate());
}

#[test]
fn random_feedback_keeps_the_bounds() {
    let mut world = World::new(Path::default(), Source::Follows(3e6), 1);
    let mut random = Random(7);
    for _ in 0..2_000 {
        world.run(ms(10));
        // About packets in flight half of the time, with any times.
        let near = world.next_seq().wrapping_sub((random.next() % 300) as u16);
        let base = if random.next() & 1 == 0 { near } else { random.next() as u16 };
        let reference = random.next() as i64 >> 30;
        let list: Vec<Option<i64>> = (0..random.next() % 50)
            .map(|_| {
                let at = reference * 64_000 + (random.next() % 16_000_000) as i64 - 8_000_000;
                (random.next() % 3 != 1).then_some(at)
            })
            .collect();
        let mut bytes = Vec::new();
        rtcp::write_transport_cc(&mut bytes, 1, 2, base, reference, 0, &list);
        feed(&mut world, &bytes);
        let bps = world.leg.estimate_bps();
        assert!((50_000..=50_000_000).contains(&bps), "{bps}");
        assert!(world.leg.pacer().rate_bps() <= 125_000_000);
    }
    println!("random feedback: {:?} {:?}", world.leg.estimate(), world.leg.counters());
}

#[test]
fn a_liar_gets_no_more_than_the_bound() {
    // Claims that all arrives at once, forever.
    let config = weir_bwe::LegConfig { max_bps: 8_000_000, ..Default::default() };
    let mut world = World::with(Path::default(), Source::Follows(25e6), 1, config, 0);
    world.feedback = false;
    let mut told = world.next_seq();
    for round in 0..300_i64 {
        world.run(ms(50));
        let next = world.next_seq();
        let count = usize::from(next.wrapping_sub(told));
        let list = vec![Some(round * 1_000); count];
        let mut bytes = Vec::new();
        rtcp::write_transport_cc(&mut bytes, 1, 2, told, 0, round as u8, &list);
        told = next;
        feed(&mut world, &bytes);
        assert!(world.leg.estimate_bps() <= 8_000_000);
    }
    println!("a liar gets {}", world.leg.estimate_bps());
}
