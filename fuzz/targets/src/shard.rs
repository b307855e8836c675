//! A shard under lists of operations, with keyed peers that open what they are sent, against a model
//! of who must and must not receive what.

mod guest;
mod world;

use crate::bytes::Bytes;
use guest::{Publishing, SOURCES};
use weir_sfu_api::{PeerId, Rights, SlotPolicy, Tile, View};
use world::World;

/// Most operations of one run.
const OPERATIONS: usize = 400;

/// Lets people join, offer, send, ask, misbehave and leave, as the bytes say.
///
/// # Panics
/// When somebody gets what they must not have, misses what they must have, sits where they were not
/// told, or when anything is left after all have gone.
pub fn shard(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let mut world = World::new(bytes.u8().into());
    for _ in 0..OPERATIONS {
        if bytes.is_empty() {
            break;
        }
        act(&mut world, &mut bytes);
        world.check();
    }
    world.settle();
    world.finish();
}

fn rights(bits: u8) -> Rights {
    Rights {
        publish_audio: bits & 1 != 0,
        publish_video: bits & 2 != 0,
        publish_screen: bits & 4 != 0,
        subscribe: bits & 8 != 0,
    }
}

fn act(world: &mut World, bytes: &mut Bytes<'_>) {
    let [operation, who, argument] = bytes.array();
    let count = world.guests.len().max(1);
    let who = usize::from(who) % count;
    let mut some = |most: u8| bytes.take(usize::from(most));
    match operation % 20 {
        0 | 1 => {
            let policies = [SlotPolicy::JoinOrder, SlotPolicy::Dominant, SlotPolicy::Speakers];
            let policy = policies[usize::from(argument >> 2) % policies.len()];
            world.join(u64::from(argument & 1), policy, Rights::ALL);
        }
        2 => world.join(u64::from(argument & 1), SlotPolicy::JoinOrder, rights(argument >> 4)),
        _ if world.guests.is_empty() => {}
        3 => world.leave(who),
        4 => {
            let guest = &mut world.guests[who];
            guest.audio_slots = usize::from(argument & 3);
            guest.video_slots = usize::from(argument >> 2 & 3);
            world.offer(who);
        }
        5 => {
            let tracks = &mut world.guests[who].tracks;
            let track = usize::from(argument) % SOURCES.len();
            match tracks.get_mut(track) {
                Some(track) => track.stopped = !track.stopped,
                None => tracks.push(Publishing::new(who, tracks.len())),
            }
            world.offer(who);
        }
        6 => world.set_rights(who, rights(argument)),
        7 => world.set_rights(who, Rights::ALL),
        8 => world.mute(who, SOURCES[usize::from(argument) % SOURCES.len()], argument & 0x80 != 0),
        9 => {
            let tiles = some(argument % 16).chunks_exact(2).map(|pair| Tile {
                peer: PeerId(u64::from(pair[0] % 12) + 1),
                source: SOURCES[usize::from(pair[1]) % SOURCES.len()],
                width: u16::from(pair[1]) * 8,
                height: u16::from(pair[1]) * 4,
                max_fps: pair[0] & 0x1f,
                pinned: pair[1] & 0x40 != 0,
                paused: pair[1] & 0x80 != 0,
            });
            let view =
                View { tiles: tiles.collect(), last_n: (argument >> 4).into(), ..View::default() };
            world.view(who, view);
        }
        10..=12 => {
            let tracks = world.guests[who].tracks.len();
            if tracks > 0 {
                world.publish(who, usize::from(argument) % tracks, argument & 0x80 != 0);
            }
        }
        13 => world.publish_all(argument & 0x80 != 0),
        14 => world.ask_key_frames(who),
        15 => world.ask_again(who, argument),
        16 => {
            let data = some(argument);
            world.throw(if argument & 1 == 0 { Some(who) } else { None }, data);
        }
        17 => {
            let data = some(argument);
            world.throw_sealed(who, data);
        }
        18 => {
            let data = some(argument & 0x7c);
            world.throw_rtcp(who, data);
        }
        _ if argument == 0xff => world.close_room(u64::from(operation & 1)),
        _ => world.pass(u64::from(argument) * 4),
    }
}
