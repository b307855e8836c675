//! The steps of a packet's way without sockets. Both `make bench` and criterion time them.

use crate::cpu::Stopwatch;
use crate::media::{FPS, PARTS, Publisher, sessions};
use crate::world::{drain, meeting};
use crate::{Error, PACKET_BYTES, ROUNDS};
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use weir_sfu::{Input, OneReceiver, Sample, Shard};
use weir_sfu_api::{CodecKind, SrtpProfile};
use weir_wire::payload::vp8;
use weir_wire::rtp::{FixedHeader, parse_header, set_sequence_number, write_header};
use weir_wire::train::TrainBuf;

/// Receivers in the steps of the shard.
const RECEIVERS: usize = 50;

/// Does a step so many times and says how much CPU time that took: others may use the machine too.
type Run = Box<dyn FnMut(u64) -> Result<Duration, Error>>;

/// One step.
pub struct Step {
    /// Its name, without spaces.
    pub name: &'static str,
    /// Once is one packet, and for the shard's steps one packet for one receiver.
    pub run: Run,
}

fn step(name: &'static str, mut once: impl FnMut() + 'static) -> Step {
    let run = move |times| {
        let mut watch = Stopwatch::new()?;
        watch.time(|| {
            for _ in 0..times {
                once();
            }
        })?;
        Ok(watch.spent())
    };
    Step { name, run: Box::new(run) }
}

/// All steps, in the packet's order.
///
/// # Errors
/// When the shard cannot be made.
pub fn all() -> Result<Vec<Step>, Error> {
    let (gcm, cm) = (SrtpProfile::AeadAes128Gcm, SrtpProfile::Aes128CmHmacSha1_80);
    Ok(vec![
        parse(),
        extensions(),
        open("srtp_open_gcm128", gcm),
        open("srtp_open_cm80", cm),
        shard("shard_in_and_route", Stage::In)?,
        select_and_map(),
        rewrite(),
        seal("srtp_seal_gcm128", gcm),
        seal("srtp_seal_cm80", cm),
        train(),
        shard("shard_out", Stage::Out)?,
    ])
}

/// CPU nanoseconds a step takes: the smallest of [`ROUNDS`] runs of 50 ms or more.
///
/// # Errors
/// When there are no CPU times.
pub fn measure(step: &mut Step) -> Result<f64, Error> {
    let mut times = 1_000;
    while (step.run)(times)? < Duration::from_millis(50) {
        times *= 2;
    }
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        best = best.min((step.run)(times)?.as_secs_f64() * 1e9 / times as f64);
    }
    Ok(best)
}

fn header(seq: u16) -> Vec<u8> {
    let fixed = FixedHeader {
        marker: false,
        payload_type: 96,
        sequence_number: seq,
        timestamp: 90_000,
        ssrc: 0x1234_5678,
    };
    let mut out = vec![0; 64];
    let len = write_header(&mut out, &fixed, &[(2, &[1, 2, 3]), (3, &[0, 1]), (4, b"v")]);
    out.truncate(len.expect("a small header"));
    out
}

fn parse() -> Step {
    let mut packet = header(7);
    packet.resize(PACKET_BYTES, 0);
    step("rtp_parse_header", move || {
        let _ = black_box(parse_header(black_box(&packet)));
    })
}

/// Everything that a header carries: fixed part and extensions.
fn extensions() -> Step {
    let mut packet = header(7);
    packet.resize(PACKET_BYTES, 0);
    step("rtp_parse_extensions", move || {
        let packet = black_box(packet.as_slice());
        if let Ok(header) = parse_header(packet) {
            for extension in header.extensions(packet).ranges() {
                black_box(extension);
            }
        }
    })
}

/// The decision for one receiver whose level stays, and its numbers.
fn select_and_map() -> Step {
    let now = Instant::now();
    let mut packet = Sample {
        stream: 1,
        seq: 1_000,
        timestamp: 0,
        codec: CodecKind::Vp8,
        frame_start: true,
        frame_end: true,
        layer: (0, 0),
        picture_id: Some(7),
        long_picture_id: true,
        tl0_pic_idx: Some(3),
        key_idx: Some(1),
        frame_number: None,
    };
    let mut receiver = OneReceiver::new().expect("a short name");
    let _ = receiver.offer(&packet, true, now);
    step("select_and_map", move || {
        packet.seq += 1;
        packet.timestamp = packet.timestamp.wrapping_add(3_000);
        let _ = black_box(receiver.offer(black_box(&packet), false, now));
    })
}

/// Replay protection lets each packet in once: the session is made anew when all are used up.
fn open(name: &'static str, profile: SrtpProfile) -> Step {
    const SEALED: u64 = 2_048;
    let (_, client) = sessions(profile, 1);
    let body = vec![0x5e; PACKET_BYTES - header(0).len() - client.rtp_overhead()];
    let packets: Vec<Vec<u8>> = (0..SEALED)
        .map(|index| {
            let mut out = vec![0; PACKET_BYTES];
            let sealed = client.seal_rtp(index, &header(index as u16), [&[], &body], 0, &mut out);
            assert_eq!(sealed, Some(PACKET_BYTES));
            out
        })
        .collect();
    let mut out = vec![0; PACKET_BYTES];
    let (mut server, _) = sessions(profile, 1);
    let mut next = 0;
    step(name, move || {
        if next == packets.len() {
            server = sessions(profile, 1).0;
            next = 0;
        }
        let packet = &packets[next];
        next += 1;
        let header = parse_header(packet).expect("our own header");
        let (seq, len) = (header.sequence_number, header.header_len);
        let opened = server.open_rtp(header.ssrc, seq, len, packet, &mut out);
        black_box(opened.expect("our own packet"));
    })
}

fn seal(name: &'static str, profile: SrtpProfile) -> Step {
    let (server, _) = sessions(profile, 1);
    let mut header = header(0);
    let body = vec![0x5e; PACKET_BYTES - header.len() - server.rtp_overhead()];
    let mut out = vec![0; PACKET_BYTES];
    let mut index = 0u64;
    step(name, move || {
        index += 1;
        set_sequence_number(&mut header, index as u16);
        black_box(server.seal_rtp(index, &header, [&[], &body], 0, &mut out));
    })
}

/// What a receiver's copy differs in: header and VP8 descriptor. The numbers themselves come from
/// the core's map, which `shard_in_and_route` contains.
fn rewrite() -> Step {
    let payload = [0x90, 0xf0, 0x80, 0x07, 0x01, 0x02, 0x11, 0, 0, 0x5e];
    let mut copy = payload;
    let mut out = [0; 64];
    let mut number = 0u16;
    step("rewrite_header_and_vp8", move || {
        number = number.wrapping_add(1);
        let fixed = FixedHeader {
            marker: false,
            payload_type: 96,
            sequence_number: number,
            timestamp: u32::from(number),
            ssrc: 0x1234_5678,
        };
        black_box(write_header(&mut out, &fixed, &[]));
        let parsed = vp8::parse(black_box(&payload)).expect("our own payload");
        vp8::rewrite(&mut copy, &parsed, Some(number), Some(number as u8), Some(3));
        black_box(&copy);
    })
}

/// A packet copied into a train of eight, without sealing.
fn train() -> Step {
    let packet = vec![0x5e; PACKET_BYTES];
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let mut trains = TrainBuf::default();
    let mut count = 0usize;
    step("train_push", move || {
        let to = SocketAddr::new(to.ip(), 9 + (count / 8) as u16);
        trains.push_with(to, None, PACKET_BYTES, true, |out| {
            out.copy_from_slice(&packet);
            packet.len()
        });
        count += 1;
        if count == 64 {
            black_box(trains.trains());
            trains.clear();
            count = 0;
        }
    })
}

/// Which half of a shard's work is timed.
#[derive(Clone, Copy)]
enum Stage {
    /// Parse, open, ingress, route, select and map: frames of [`PARTS`] packets.
    In,
    /// Lay out, pad, seal, put into trains.
    Out,
}

/// A frame through a whole shard in virtual time, without sockets; one of its halves is timed and
/// shared out among packets and receivers.
fn shard(name: &'static str, stage: Stage) -> Result<Step, Error> {
    let mut room = Room::new()?;
    let run = move |times| {
        let mut watches = [Stopwatch::new()?, Stopwatch::new()?];
        let mut done = 0u64;
        while done < times {
            if room.frames == ROOM_FRAMES {
                room = Room::new()?;
            }
            let sent = room.frame(&mut watches)?;
            if sent < PARTS * RECEIVERS {
                return Err(format!("{sent} packets left: receivers are missing").into());
            }
            done += sent as u64;
        }
        // More may have been done than was asked for: a frame is not to be had in parts.
        Ok(watches[stage as usize].spent().mul_f64(times as f64 / done as f64))
    };
    Ok(Step { name, run: Box::new(run) })
}

/// Frames in the life of a room: 25 s, for consent ends 30 s after the last check.
const ROOM_FRAMES: u32 = 25 * FPS;

/// A shard with one meeting in virtual time.
struct Room {
    now: Instant,
    publisher: SocketAddr,
    shard: Shard,
    media: Publisher,
    frames: u32,
}

impl Room {
    fn new() -> Result<Self, Error> {
        let now = Instant::now();
        let publisher = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let address = |n: u32| SocketAddr::from((Ipv4Addr::from(0x7f01_0001 + n), 9));
        let receivers: Vec<SocketAddr> = (0..).map(address).take(RECEIVERS).collect();
        let profile = SrtpProfile::AeadAes128Gcm;
        let (shard, media) = meeting(now, profile, publisher, &receivers)?;
        Ok(Self { now, publisher, shard, media, frames: 0 })
    }

    /// Times the way in and the way out of one frame. How many datagrams left.
    fn frame(&mut self, [into, out]: &mut [Stopwatch; 2]) -> Result<usize, Error> {
        self.now += Duration::from_secs(1) / FPS;
        self.frames += 1;
        let (now, src) = (self.now, self.publisher);
        let packets = self.media.frame();
        into.time(|| {
            for data in &packets {
                self.shard.handle_input(now, Input::Datagram { src, dst: None, data });
            }
        })?;
        out.time(|| self.shard.handle_input(now, Input::BatchEnd))?;
        let mut sent = 0;
        loop {
            let due = drain(&mut self.shard).is_some_and(|at| at <= now);
            self.shard.send_trains(|trains| {
                sent += trains.trains().iter().map(|train| usize::from(train.count)).sum::<usize>();
            });
            if due {
                self.shard.handle_input(now, Input::Timeout);
            } else if self.shard.wants_flush() {
                self.shard.handle_input(now, Input::BatchEnd);
            } else {
                return Ok(sent);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_does_its_work() {
        for mut step in all().unwrap() {
            (step.run)(5_000).unwrap();
        }
    }
}
