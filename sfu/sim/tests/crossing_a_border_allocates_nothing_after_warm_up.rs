use crate::common::{ms, secs, two_shards};
use std::net::SocketAddr;
use std::time::Instant;
use weir_sfu::{Batch, Input, Output};
use weir_sfu_api::ShardId;
use weir_sim::{PeerSetup, Source, World};

/// Packets to the first shard, over the border, out of the second: with batches that go round, as
/// threads use them. Gives what crossed and what was sent.
fn feed(
    world: &mut World,
    now: Instant,
    datagrams: &[(SocketAddr, Vec<u8>)],
    spare: &mut Batch,
) -> (usize, usize) {
    let near = world.shard_mut(0);
    for (src, data) in datagrams {
        near.handle_input(now, Input::Datagram { src: *src, dst: None, data });
    }
    near.handle_input(now, Input::BatchEnd);
    assert!(matches!(near.poll_output(), Output::Timeout(_)), "an event would allocate");
    near.send_trains(|_| ());
    near.send_border(|_, batch| {
        std::mem::swap(batch, spare);
        true
    });
    let crossed = spare.len();
    let mut sent = 0;
    let far = world.shard_mut(1);
    far.handle_input(now, Input::Border { from: ShardId(0), batch: spare });
    far.handle_input(now, Input::BatchEnd);
    assert!(matches!(far.poll_output(), Output::Timeout(_)), "an event would allocate");
    far.send_trains(|trains| {
        sent = trains.trains().iter().map(|train| usize::from(train.count)).sum();
    });
    spare.clear();
    (crossed, sent)
}

#[test]
fn crossing_a_border_allocates_nothing_after_warm_up() {
    let mut world = two_shards(1);
    let camera = Source { pace: None, ..Source::simulcast_camera() };
    let speakers: Vec<usize> = (1..5)
        .map(|id| {
            let voice = PeerSetup::new(id, 7).publish(Source::microphone());
            world.join(0, voice.publish(camera.clone()))
        })
        .collect();
    for id in 11..14 {
        world.join(1, PeerSetup::new(id, 7).slots(4, 4));
    }
    world.run(secs(3));
    let mut batches = Vec::new();
    for step in 1..50 {
        let now = world.now() + ms(20 * step);
        let mut batch = Vec::new();
        for speaker in &speakers {
            let peer = world.peer_mut(*speaker);
            while peer.next_deadline().is_some_and(|at| at <= now) {
                peer.handle_timeout(now);
            }
            let addr = peer.addr;
            while let Some(data) = peer.poll_transmit() {
                if weir_wire::classify(&data) == weir_wire::DatagramKind::Rtp {
                    batch.push((addr, data));
                }
            }
        }
        batches.push(batch);
    }
    let mut spare = Batch::default();
    let mut now = world.now();
    let (warm_up, batches) = batches.split_at(batches.len() / 2);
    for batch in warm_up {
        now += ms(20);
        feed(&mut world, now, batch, &mut spare);
    }
    let (mut crossed, mut sent) = (0, 0);
    let info = allocation_counter::measure(|| {
        for batch in batches {
            now += ms(20);
            let (over, out) = feed(&mut world, now, batch, &mut spare);
            crossed += over;
            sent += out;
        }
    });
    assert!(crossed > 200 && sent > 600, "{crossed} crossed, {sent} out");
    assert_eq!((info.count_total, info.bytes_total), (0, 0), "{crossed} crossed, {sent} out");
}
