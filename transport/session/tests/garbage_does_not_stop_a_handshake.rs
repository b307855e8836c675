use crate::common::dtls::{DtlsClient, Options};
use crate::common::{Way, World};
use std::time::Duration;

/// A small generator: the tests must be the same every time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Bytes that begin like a DTLS record, more or less.
    fn datagram(&mut self) -> Vec<u8> {
        let len = self.next() as usize % 100;
        let mut bytes: Vec<u8> = (0..len).map(|_| self.next() as u8).collect();
        let kind = 20 + (self.next() % 44) as u8;
        let shape = self.next() % 4;
        if let [first, ..] = &mut bytes[..] {
            *first = kind;
        }
        if shape > 0 && bytes.len() > 14 {
            let body = (bytes.len() - 13) as u8;
            bytes[0] = [20, 21, 23][shape as usize - 1];
            bytes[1..13].copy_from_slice(&[0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, body]);
        }
        bytes
    }
}

#[test]
fn before_and_between_the_flights() {
    for is_client in [true, false] {
        let mut noise = Noise(0x9e37_79b9);
        let mut world = World::new(DtlsClient::new(Options { is_client, ..Options::default() }));
        world.check(world.src);
        for _ in 0..20 {
            let garbage = noise.datagram();
            world.server.handle_dtls(world.now, world.src, &garbage).unwrap_err();
        }
        world.client.start(world.now);
        // One step at a time, with garbage in between.
        for _ in 0..20 {
            world.step(&mut |_, _| true);
            for _ in 0..3 {
                let garbage = noise.datagram();
                let _ = world.server.handle_dtls(world.now, world.src, &garbage);
            }
        }
        assert!(world.connected_with().is_some(), "{:?}", world.events);
        world.assert_media_flows();
    }
}

#[test]
fn damaged_copies_of_the_peers_datagrams_never_panic() {
    for seed in 1..60 {
        let mut noise = Noise(seed);
        let mut world = World::new(DtlsClient::new(Options::default()));
        world.check(world.src);
        world.client.start(world.now);
        let mut seen = Vec::new();
        world.run(Duration::from_secs(20), |way, data| {
            if way == Way::ToServer {
                seen.push(data.to_vec());
            }
            noise.next() & 3 != 0
        });
        let mut other = World::new(DtlsClient::new(Options::default()));
        other.check(other.src);
        for mut data in seen {
            let at = noise.next() as usize % data.len();
            data[at] ^= 1 << (noise.next() % 8);
            let _ = other.server.handle_dtls(other.now, other.src, &data);
            data.truncate(noise.next() as usize % data.len());
            let _ = other.server.handle_dtls(other.now, other.src, &data);
        }
        other.drain();
        assert_eq!(other.connected_with(), None);
    }
}

#[test]
fn forged_plain_records_after_the_handshake_are_ignored() {
    let mut world = World::new(DtlsClient::new(Options::default()));
    world.connect();
    let mut noise = Noise(77);
    for _ in 0..200 {
        let garbage = noise.datagram();
        let _ = world.server.handle_dtls(world.now, world.src, &garbage);
    }
    let alert = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 50, 0, 2, 2, 40];
    assert!(world.server.handle_dtls(world.now, world.src, &alert).is_err());
    world.drain();
    assert!(world.server.is_connected());
    world.assert_media_flows();
}
