use crate::common::{secs, world};
use std::net::SocketAddr;
use std::time::Instant;
use weir_sfu::{ForcedWish, Input, Output, Shard};
use weir_sfu_api::{CodecKind, Mid, PeerId};
use weir_sim::{PeerSetup, Scalability, Source, World};

fn feed(shard: &mut Shard, now: Instant, batch: &[(SocketAddr, Vec<u8>)]) -> usize {
    let mut sent = 0;
    for (src, data) in batch {
        shard.handle_input(now, Input::Datagram { src: *src, dst: None, data });
    }
    shard.handle_input(now, Input::BatchEnd);
    assert!(matches!(shard.poll_output(), Output::Timeout(_)), "an event would allocate");
    shard.send_trains(|trains| {
        sent = trains.trains().iter().map(|train| usize::from(train.count)).sum();
    });
    sent
}

/// What the publishers send in the next second, in batches of 20 ms.
fn next_second(world: &mut World, people: &[usize]) -> Vec<Vec<(SocketAddr, Vec<u8>)>> {
    let mut batches = Vec::new();
    for step in 1..50 {
        let now = world.now() + crate::common::ms(20 * step);
        let mut batch = Vec::new();
        for person in people {
            let peer = world.peer_mut(*person);
            while peer.next_deadline().is_some_and(|at| at <= now) {
                peer.handle_timeout(now);
            }
            let addr = peer.addr;
            while let Some(data) = peer.poll_transmit() {
                // Media only: checks and reports are answered, not forwarded.
                let kind = weir_wire::classify(&data);
                if kind == weir_wire::DatagramKind::Rtp {
                    batch.push((addr, data));
                }
            }
        }
        batches.push(batch);
    }
    batches
}

#[test]
fn forwarding_allocates_nothing_after_warm_up() {
    let mut world = world(1);
    let people: Vec<usize> = (1..6)
        .map(|id| {
            let voice = PeerSetup::new(id, 7).slots(4, 4).publish(Source::microphone());
            world.join(0, voice.publish(Source::simulcast_camera()))
        })
        .collect();
    world.run(secs(3));
    let batches = next_second(&mut world, &people);
    let now = world.now();
    let mut sent = 0;
    let shard = world.shard_mut(0);
    // Batches are larger here than before: queues and trains grow once.
    let (warm_up, batches) = batches.split_at(batches.len() / 2);
    let (again, batches) = batches.split_at(2);
    let mut now = now;
    for batch in warm_up {
        now += crate::common::ms(20);
        feed(shard, now, batch);
    }
    // A second later: what was kept till now makes room.
    now += secs(1);
    for batch in again {
        feed(shard, now, batch);
    }
    let packets: usize = batches.iter().map(Vec::len).sum();
    let info = allocation_counter::measure(|| {
        for batch in batches {
            now += crate::common::ms(20);
            sent += feed(shard, now, batch);
        }
    });
    assert!(packets > 500 && sent > 1_500, "{packets} in, {sent} out");
    assert_eq!((info.count_total, info.bytes_total), (0, 0), "{packets} in, {sent} out");
}

/// Layers of all kinds, of which each receiver gets another part.
#[test]
fn leaving_out_layers_allocates_nothing_either() {
    let mut world = world(3);
    let sources = [
        Source::meeting_camera(),
        Source::layered_camera(CodecKind::Vp9, Scalability::L3T3),
        Source::layered_camera(CodecKind::Av1, Scalability::L3T3Key),
    ];
    let people: Vec<usize> = (1..)
        .zip(sources)
        .map(|(id, source)| world.join(0, PeerSetup::new(id, 7).slots(0, 3).publish(source)))
        .collect();
    for id in 11..16 {
        world.join(0, PeerSetup::new(id, 7).slots(0, 3));
    }
    world.run(secs(2));
    for id in 11..16u8 {
        for mid in ["v0", "v1", "v2"] {
            let wish = ForcedWish::At(id % 3, id % 2, id % 3);
            let mid = Mid::new(mid).unwrap();
            assert!(world.shard_mut(0).force_wanted(PeerId(id.into()), mid, wish));
        }
    }
    world.run(secs(2));
    let batches = next_second(&mut world, &people);
    let mut now = world.now();
    let mut sent = 0;
    let shard = world.shard_mut(0);
    let (warm_up, batches) = batches.split_at(batches.len() / 2);
    for batch in warm_up {
        now += crate::common::ms(20);
        feed(shard, now, batch);
    }
    let packets: usize = batches.iter().map(Vec::len).sum();
    let info = allocation_counter::measure(|| {
        for batch in batches {
            now += crate::common::ms(20);
            sent += feed(shard, now, batch);
        }
    });
    assert!(packets > 200 && sent > 500, "{packets} in, {sent} out");
    assert_eq!((info.count_total, info.bytes_total), (0, 0), "{packets} in, {sent} out");
}

/// With everything beside it: feedback, reports, requests for what is missing, speakers. News for
/// the control plane allocates, once or a few times a second, whatever the packets.
#[test]
fn timers_allocate_a_few_times_a_second_whatever_the_packets() {
    let mut world = world(2);
    let people: Vec<usize> = (1..6)
        .map(|id| {
            let voice = PeerSetup::new(id, 7).slots(4, 4).publish(Source::microphone());
            world.join(0, voice.publish(Source::simulcast_camera()))
        })
        .collect();
    world.run(secs(3));
    let batches = next_second(&mut world, &people);
    let start = world.now();
    let mut sent = 0;
    let shard = world.shard_mut(0);
    let mut work = |range: std::ops::Range<usize>| {
        for (step, batch) in batches.iter().enumerate().skip(range.start).take(range.len()) {
            let now = start + crate::common::ms(20 * step as u64);
            for (n, (src, data)) in batch.iter().enumerate() {
                // One in fifty is lost.
                if n != step % 50 {
                    shard.handle_input(now, Input::Datagram { src: *src, dst: None, data });
                }
            }
            shard.handle_input(now, Input::BatchEnd);
            while let Output::Event(_) = shard.poll_output() {}
            shard.handle_input(now, Input::Timeout);
            while let Output::Event(_) = shard.poll_output() {}
            shard.send_trains(|trains| {
                sent += trains.trains().iter().map(|train| usize::from(train.count)).sum::<usize>();
            });
        }
    };
    work(0..24);
    let info = allocation_counter::measure(|| work(24..49));
    assert!(sent > 1_000, "{sent}");
    // Half a second: 22 in the run that set the bound.
    assert!(info.count_total < 50, "{info:?}");
}
