use crate::common::dtls::{DtlsClient, Options};
use crate::common::{Way, World};
use std::time::Duration;

/// Each single datagram of either side is lost, and each two and three in a row.
#[test]
fn any_datagram_may_be_lost() {
    for is_client in [true, false] {
        for way in [Way::ToServer, Way::ToClient] {
            for first in 0..4 {
                for burst in 1..=3 {
                    let mut world =
                        World::new(DtlsClient::new(Options { is_client, ..Options::default() }));
                    world.check(world.src);
                    world.client.start(world.now);
                    let mut count = 0;
                    world.run(Duration::from_secs(10), |w, _| {
                        let lost = w == way && (first..first + burst).contains(&count);
                        count += usize::from(w == way);
                        !lost
                    });
                    assert!(
                        world.connected_with().is_some() && world.client.completed,
                        "client {is_client}, {way:?} {first}+{burst}: {:?} {:?} {:?}",
                        world.events,
                        world.drops,
                        world.client.errors,
                    );
                }
            }
        }
    }
}

#[test]
fn small_fragments_with_a_quarter_lost_get_through() {
    let mut connected = 0;
    for seed in 1..20_u64 {
        let mut random = seed;
        let client = DtlsClient::new(Options { mtu: 300, ..Options::default() });
        let mut world = World::new(client);
        world.check(world.src);
        world.client.start(world.now);
        world.run(Duration::from_secs(10), |_, _| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random & 3 != 0
        });
        connected += usize::from(world.server.is_connected());
    }
    // The client is as good as rtc-dtls: it loses its own timer on a part of our flight.
    assert!(connected >= 15, "{connected} of 19");
}

/// Chromium and Firefox begin with a timer of 50 ms.
#[test]
fn our_answer_follows_as_soon_as_the_client_asks_again() {
    let interval = Duration::from_millis(60);
    let mut world = World::new(DtlsClient::new(Options { interval, ..Options::default() }));
    world.check(world.src);
    world.client.start(world.now);
    let start = world.now;
    let mut flights = 0;
    world.run(Duration::from_secs(10), |way, data| {
        // The flight with ServerHello and certificate, lost the first time.
        let big = way == Way::ToClient && data.len() > 300;
        flights += usize::from(big);
        !(big && flights == 1)
    });
    assert!(world.server.is_connected());
    assert_eq!(world.now - start, Duration::from_millis(120), "60 is too early");
}
