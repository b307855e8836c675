//! A large meeting and a join storm: real sockets, one shard, clients that decrypt and check
//! everything. The clients share the machine with the shard.

use crate::crowd::Crowd;
use crate::running::{Running, THREADS};
use crate::{Error, cpu};
use std::time::{Duration, Instant};
use weir_net::BackendChoice;
use weir_session::Certificate;
use weir_sfu::{Clock, Seed, Shard, ShardConfig};
use weir_sfu_api::{Command, MediaKind, ShardId, SlotPolicy, View};
use weir_sim::{PeerSetup, Source};

/// Pictures and voices that each participant of a large meeting receives.
const TILES: usize = 9;
const VOICES: usize = 3;
/// Small pictures: 320x180 at 15 frames per second, one packet each.
const TILE_FPS: u32 = 15;
const TILE_BPS: u64 = 100_000;
/// Participants whose microphone is on.
const TALKERS: u64 = 20;
const ROOM: u64 = 1;
/// Time before and of the measurement.
const WARM_UP: Duration = Duration::from_secs(4);
const MEASURED: Duration = Duration::from_secs(5);

/// What a large meeting took.
#[derive(Debug, Clone)]
pub struct Meeting {
    /// People in it.
    pub participants: usize,
    /// RTP packets a second that came at clients.
    pub rate: f64,
    /// Share of those the clients should have got: nine pictures, three voices.
    pub delivered: f64,
    /// Share of one core that the shard used.
    pub core: f64,
    /// CPU microseconds of the shard per packet.
    pub us: f64,
    /// Drops the shard counted, by reason.
    pub drops: Vec<(&'static str, u64)>,
}

/// What a storm of joins took, in milliseconds from the join command to the first whole picture.
#[derive(Debug, Clone)]
pub struct Storm {
    /// Joins.
    pub joins: usize,
    /// Who saw a picture at the end.
    pub saw: usize,
    /// Median.
    pub p50: f64,
    /// 95 of 100 are below.
    pub p95: f64,
    /// The slowest.
    pub max: f64,
}

fn shard(now: Instant) -> Result<Shard, Error> {
    Ok(Shard::new(ShardConfig {
        id: ShardId(0),
        seed: Seed { public: 1, secret: [1; 32] },
        certificate: Certificate::generate()?,
        candidates: Vec::new(),
        clock: Clock::new(now, Duration::from_secs(1_800_000_000)),
    }))
}

fn participant(id: u64) -> PeerSetup {
    let camera = Source { fps: TILE_FPS, bitrate_bps: TILE_BPS, ..Source::camera() };
    let setup = PeerSetup::new(id, ROOM).slots(VOICES, TILES).publish(camera);
    let setup = PeerSetup { policy: SlotPolicy::Speakers, handshake: true, ..setup };
    if id <= TALKERS { setup.publish(Source::microphone()) } else { setup }
}

/// Starts `people` clients one after another over `time`.
fn fill(crowd: &mut Crowd, server: &Running, people: usize, time: Duration) -> Result<(), Error> {
    let begin = Instant::now();
    for number in 0..people {
        let at = begin + time.mul_f64(number as f64 / people as f64);
        crowd.run(server, at)?;
        let id = crowd.members.len() as u64 + 1;
        let number = crowd.add(participant(id));
        for command in crowd.join_commands(number) {
            server.command(command)?;
        }
        let view = Box::new(View { last_n: TILES as u16, ..View::default() });
        server.command(Command::SetView { peer: crowd.members[number].peer.id(), view })?;
    }
    crowd.run(server, begin + time)
}

/// A meeting of `participants`, each with nine tiles and three voices, on one shard.
///
/// # Errors
/// When there are no sockets, threads or CPU times, or nobody can join.
pub fn meeting(participants: usize) -> Result<Meeting, Error> {
    let now = Instant::now();
    let server = Running::start(shard(now)?, BackendChoice::Auto)??;
    let mut crowd = Crowd::new(now)?;
    fill(&mut crowd, &server, participants, Duration::from_secs(participants as u64 / 40))?;
    crowd.run(&server, Instant::now() + WARM_UP)?;
    let count =
        |crowd: &Crowd| crowd.received(MediaKind::Audio).0 + crowd.received(MediaKind::Video).0;
    let (cpu_before, before, from) = (cpu::of_threads(&THREADS)?, count(&crowd), Instant::now());
    crowd.run(&server, from + MEASURED)?;
    let (cpu_after, after) = (cpu::of_threads(&THREADS)?, count(&crowd));
    let time = from.elapsed().as_secs_f64();
    let (_, stats) = server.stop()?;
    let got = (after - before) as f64;
    let wanted = participants as f64 * (TILES as f64 * f64::from(TILE_FPS) + VOICES as f64 * 50.0);
    let spent = (cpu_after - cpu_before).as_secs_f64();
    Ok(Meeting {
        participants,
        rate: got / time,
        delivered: got / time / wanted,
        core: spent / time,
        us: spent * 1e6 / got.max(1.0),
        drops: stats.drops,
    })
}

/// `joins` people join within `time`, with real handshakes.
///
/// # Errors
/// As [`meeting`].
pub fn storm(joins: usize, time: Duration) -> Result<Storm, Error> {
    let now = Instant::now();
    let server = Running::start(shard(now)?, BackendChoice::Auto)??;
    let mut crowd = Crowd::new(now)?;
    fill(&mut crowd, &server, joins, time)?;
    crowd.run(&server, Instant::now() + Duration::from_secs(3))?;
    server.stop()?;
    let mut times: Vec<f64> = crowd
        .members
        .iter()
        .filter_map(|member| Some((member.first_frame? - member.joined).as_secs_f64() * 1e3))
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        times.get(index.min(times.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    };
    Ok(Storm { joins, saw: times.len(), p50: at(0.5), p95: at(0.95), max: at(1.0) })
}
