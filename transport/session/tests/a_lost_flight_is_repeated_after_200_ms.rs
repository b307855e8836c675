use crate::common::delay::Sent;
use crate::common::dtls::{CM32, CM80, DtlsClient, GCM128, GCM256, Options};
use crate::common::{Way, World};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(12);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn world(options: Options) -> World {
    let mut world = World::new(DtlsClient::new(options));
    world.check(world.src);
    world.client.start(world.now);
    world
}

/// A peer that would say nothing for 5 s by itself.
fn slow(is_client: bool) -> Options {
    Options { is_client, interval: ms(5_000), ..Options::default() }
}

/// When we sent our ClientHellos (as client), or the flight that begins with the ServerHello.
fn flights(sent: &[Sent], first_message: u8) -> Vec<Duration> {
    let ours =
        |sent: &&Sent| sent.way == Way::ToClient && sent.data.get(13) == Some(&first_message);
    sent.iter().filter(ours).map(|sent| sent.at).collect()
}

#[test]
fn as_server_with_each_profile() {
    for profile in [GCM128, GCM256, CM80, CM32] {
        let mut world = world(Options { profiles: vec![profile], ..slow(true) });
        let mut lost = 0;
        let sent = world.run_delayed(ms(40), LONG, |way, data| {
            let server_flight = way == Way::ToClient && data.len() > 300;
            lost += usize::from(server_flight);
            !(server_flight && lost == 1)
        });
        assert!(world.server.is_connected() && world.client.completed, "{profile:?}");
        let hellos = flights(&sent, 2);
        assert_eq!(hellos.len(), 2, "{profile:?}: {hellos:?}");
        let gap = hellos[1] - hellos[0];
        assert!((ms(200)..=ms(250)).contains(&gap), "{profile:?}: {gap:?}");
        world.assert_media_flows();
    }
}

/// Our first hello, the one with the cookie, the flight with our certificate and Finished.
#[test]
fn as_client_each_flight() {
    for number in 0..3 {
        let mut world = world(slow(false));
        let mut count = 0;
        let mut lost_at = None;
        let begin = world.now;
        let sent = world.run_delayed(ms(40), LONG, |way, _| {
            count += usize::from(way == Way::ToClient);
            let lost = way == Way::ToClient && count == number + 1;
            lost_at = lost_at.or(lost.then_some(count));
            !lost
        });
        assert!(world.server.is_connected() && world.client.completed, "flight {number}");
        let ours: Vec<_> = sent.iter().filter(|sent| sent.way == Way::ToClient).collect();
        let gap = ours[number + 1].at - ours[number].at;
        assert!((ms(200)..=ms(250)).contains(&gap), "flight {number}: {gap:?}");
        assert!(world.now - begin < ms(400), "flight {number}: {:?}", world.now - begin);
        world.assert_media_flows();
    }
}

/// 200, 400, 800 ms and then every 1.6 s, until the handshake is given up after 10 s.
#[test]
fn then_ever_later_and_not_beyond_ten_seconds() {
    let waits = [200, 600, 1_400, 3_000, 4_600, 6_200, 7_800, 9_400].map(ms);
    for is_client in [true, false] {
        let mut world = world(Options { is_client, interval: ms(60_000), ..Options::default() });
        let sent = world.run_delayed(ms(0), LONG, |way, data| {
            way == Way::ToServer || (is_client && data.len() < 300)
        });
        let times = flights(&sent, if is_client { 2 } else { 1 });
        assert_eq!(times[0], ms(0));
        assert_eq!(times[1..], waits, "peer is client: {is_client}");
        assert_eq!(world.failure(), Some("handshake timed out"));
        assert!(sent.iter().all(|sent| sent.at < ms(10_000)));
    }
}

/// With a browser's timer of 50 ms, too, which itself repeats while our answer is under way.
#[test]
fn but_nothing_is_repeated_without_loss() {
    for (is_client, interval) in [(true, 1_000), (true, 50), (false, 1_000)] {
        for rtt in (0..=150).step_by(10) {
            let mut world =
                world(Options { is_client, interval: ms(interval), ..Options::default() });
            let sent = world.run_delayed(ms(rtt), LONG, |_, _| true);
            let case = format!("client {is_client}, timer {interval} ms, round trip {rtt} ms");
            assert!(world.server.is_connected() && world.client.completed, "{case}");
            let (first, most) = if is_client { (2, 1) } else { (1, 2) };
            assert_eq!(flights(&sent, first).len(), most, "{case}");
            world.assert_media_flows();
        }
    }
}

/// What is left is up to the peer: it repeats its own flights at its own pace, and rtc-dtls gives up
/// after seven repetitions, whatever their pace.
#[test]
fn with_thirty_percent_loss_handshakes_take_a_bounded_time() {
    for (is_client, interval, median, p95) in
        [(true, 1_000, 2_500, 7_000), (true, 50, 300, 1_000), (false, 1_000, 1_200, 6_000)]
    {
        let mut times = Vec::new();
        for seed in 1..=100_u64 {
            let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut world =
                world(Options { is_client, interval: ms(interval), ..Options::default() });
            let begin = world.now;
            world.run_delayed(ms(40), LONG, |_, _| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                (random >> 33) % 100 >= 30
            });
            let done = world.server.is_connected() && world.client.completed;
            times.push(if done { world.now - begin } else { Duration::MAX });
        }
        times.sort();
        let failed = times.iter().filter(|time| **time == Duration::MAX).count();
        let case = format!(
            "peer is client: {is_client}, its timer {interval} ms: median {:?}, p95 {:?}, \
             failed {failed} of 100",
            times[49], times[94],
        );
        eprintln!("{case}");
        assert!(times[49] <= ms(median) && times[94] <= ms(p95) && failed <= 3, "{case}");
    }
}

/// The client's last flight takes several datagrams; the one with its Finished is answered.
#[test]
fn the_last_flight_is_repeated_once_for_each_finished() {
    let mut world = world(Options { mtu: 300, ..Options::default() });
    let mut lost = 0;
    let sent = world.run_delayed(ms(40), LONG, |way, data| {
        let last = way == Way::ToClient && data[0] == 20;
        lost += usize::from(last);
        !(last && lost == 1)
    });
    assert!(world.server.is_connected() && world.client.completed);
    let last = |sent: &&Sent| sent.way == Way::ToClient && sent.data[0] == 20;
    assert_eq!(sent.iter().filter(last).count(), 2);
    world.assert_media_flows();
}
