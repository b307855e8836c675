//! A shard with a publisher and its receivers, all of them keyed without a handshake.

use crate::media::{self, Publisher};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use weir_session::Certificate;
use weir_sfu::{Clock, Input, Output, Seed, Shard, ShardConfig};
use weir_sfu_api::{
    Command, MediaDescription, PeerId, RequestId, Rights, RoomId, ShardId, SlotPolicy, SrtpProfile,
};

use crate::Error;

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
    let mut shard = Shard::new(ShardConfig {
        id: ShardId(0),
        seed: Seed { public: 1, secret: [1; 32] },
        certificate: Certificate::generate()?,
        candidates: Vec::new(),
        clock: Clock::new(now, Duration::from_secs(1_800_000_000)),
    });
    let client = join(&mut shard, now, profile, 0, publisher, media::publishes())?;
    for (n, receiver) in (1..).zip(receivers) {
        join(&mut shard, now, profile, n, *receiver, media::receives())?;
    }
    Ok((shard, Publisher::new(client)))
}

fn join(
    shard: &mut Shard,
    now: Instant,
    profile: SrtpProfile,
    n: u64,
    addr: SocketAddr,
    description: MediaDescription,
) -> Result<weir_session::srtp::SrtpSession, Error> {
    let peer = PeerId(n);
    let commands = [
        Command::Join {
            req: RequestId(n),
            peer,
            room: RoomId(1),
            rights: Rights::ALL,
            slots: SlotPolicy::JoinOrder,
        },
        Command::Offer { req: RequestId(n), peer, description: Box::new(description) },
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
