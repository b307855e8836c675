//! A shard with a publisher and its receivers, all of them keyed without a handshake.

use crate::floor::Mix;
use crate::media::{self, Offer, Publisher};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use weir_session::Certificate;
use weir_session::srtp::SrtpSession;
use weir_sfu::{Clock, Input, Output, Seed, Shard, ShardConfig};
use weir_sfu_api::{Command, PeerId, RequestId, Rights, RoomId, ShardId, SlotPolicy, SrtpProfile};

use crate::Error;
use crate::way::{FEEDBACK, REPORT, Teller};

/// A meeting of one publisher and the given receivers, in one shard.
///
/// # Errors
/// When no certificate can be made or the shard does not know its own peers.
pub fn meeting(
    now: Instant,
    profile: SrtpProfile,
    publisher: SocketAddr,
    receivers: &[SocketAddr],
) -> Result<(Shard, Publisher), Error> {
    let mut shard = shard(now)?;
    let room = RoomId(1);
    let client = join(&mut shard, now, profile, (0, room), publisher, Offer::PUBLISHER)?;
    for (n, receiver) in (1..).zip(receivers) {
        join(&mut shard, now, profile, (n, room), *receiver, Offer::RECEIVER)?;
    }
    Ok((shard, Publisher::new(client, media::VIDEO_BPS)))
}

/// The same with cameras of `mix`, each of which all receivers get; where they tell what came, also who
/// does that, in order. Receiver `n` has the keys of `media::sessions(_, publishers + n)`, from 0.
///
/// # Errors
/// As [`meeting`].
pub fn many(
    now: Instant,
    mix: Mix,
    publishers: &[SocketAddr],
    receivers: &[SocketAddr],
) -> Result<(Shard, Vec<Publisher>, Vec<Teller>), Error> {
    let mut shard = shard(now)?;
    let (room, profile) = (RoomId(1), SrtpProfile::AeadAes128Gcm);
    let mut cameras = Vec::new();
    for (n, publisher) in (0..).zip(publishers) {
        let client = join(&mut shard, now, profile, (n, room), *publisher, Offer::PUBLISHER)?;
        cameras.push(Publisher::new(client, mix.bps));
    }
    let offer = Offer { publishes: false, slots: publishers.len(), tells: mix.tells };
    let mut tellers = Vec::new();
    for (n, receiver) in (publishers.len() as u64..).zip(receivers) {
        let srtp = join(&mut shard, now, profile, (n, room), *receiver, offer)?;
        let share = n as f64 / receivers.len() as f64;
        let (feedback, report) = (FEEDBACK.mul_f64(share), REPORT.mul_f64(share));
        if mix.tells {
            tellers.push(Teller::new(srtp, now, feedback, report));
        }
    }
    Ok((shard, cameras, tellers))
}

/// One publisher, see [`many`].
///
/// # Errors
/// As [`meeting`].
pub fn one_to_many(
    now: Instant,
    mix: Mix,
    publisher: SocketAddr,
    receivers: &[SocketAddr],
) -> Result<(Shard, Publisher, Vec<Teller>), Error> {
    let (shard, mut cameras, tellers) = many(now, mix, &[publisher], receivers)?;
    Ok((shard, cameras.pop().ok_or("no publisher")?, tellers))
}

/// An empty shard, the same each time but for its certificate.
///
/// # Errors
/// When no certificate can be made.
pub fn shard(now: Instant) -> Result<Shard, Error> {
    Ok(Shard::new(ShardConfig {
        id: ShardId(0),
        seed: Seed { public: 1, secret: [1; 32] },
        certificate: Certificate::generate()?,
        candidates: Vec::new(),
        clock: Clock::new(now, Duration::from_secs(1_800_000_000)),
    }))
}

/// Peer `n` joins, offers, and is keyed without a handshake. Gives the client's end of its keys.
///
/// # Errors
/// When the shard does not know it afterwards.
pub fn join(
    shard: &mut Shard,
    now: Instant,
    profile: SrtpProfile,
    (n, room): (u64, RoomId),
    addr: SocketAddr,
    offer: Offer,
) -> Result<SrtpSession, Error> {
    let peer = PeerId(n);
    let description = Box::new(offer.description());
    let commands = [
        Command::Join {
            req: RequestId(n),
            peer,
            room,
            rights: Rights::ALL,
            slots: SlotPolicy::JoinOrder,
        },
        Command::Offer { req: RequestId(n), peer, description },
    ];
    for command in commands {
        shard.handle_input(now, Input::Command(command));
        drain(shard);
    }
    let (server, client) = media::sessions(profile, n);
    if !shard.key_peer(now, peer, addr, server) {
        return Err("the shard does not know its peer".into());
    }
    drain(shard);
    shard.send_trains(|_| ());
    Ok(client)
}

/// Forgets the shard's events; when it wants to be woken.
pub fn drain(shard: &mut Shard) -> Option<Instant> {
    loop {
        if let Output::Timeout(next) = shard.poll_output() {
            return next.map(|(at, _)| at);
        }
    }
}
