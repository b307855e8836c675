//! What the server adds to a packet's way: from the publisher's call to the receiver's, over two hops
//! of the loopback interface, on the wall clock. Receivers that tell nothing: no pacer is in between.

use crate::floor::{self, Mix};
use crate::media::{Publisher, read_stamp, sessions};
use crate::running::{Running, THREADS};
use crate::sink::Sink;
use crate::world::many;
use crate::{Error, cpu};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use weir_net::BackendChoice;
use weir_sfu_api::SrtpProfile;
use weir_wire::rtp::parse_header;

/// Publishers and receivers of each.
pub const CROWDS: [(usize, usize); 4] = [(1, 50), (1, 200), (1, 1_000), (30, 30)];
/// Time before and of the measurement.
const WARM_UP: Duration = Duration::from_millis(500);
const MEASURED: Duration = Duration::from_secs(4);

/// What was measured, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Delay {
    /// Median.
    pub p50: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// The largest.
    pub max: f64,
    /// Packets a second to all receivers.
    pub rate: f64,
    /// Share of one core that the shard used.
    pub core: f64,
    /// Share of the packets due that came.
    pub delivered: f64,
}

/// A receiver that opens what comes and notes how long it took, in nanoseconds.
struct Probe {
    addr: SocketAddr,
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<u64>>,
}

impl Probe {
    fn start(base: Instant, n: u64) -> Result<Self, Error> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(100)))?;
        let addr = socket.local_addr()?;
        let over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&over);
        let (_, mut srtp) = sessions(SrtpProfile::AeadAes128Gcm, n);
        let thread = std::thread::Builder::new().name("probe".to_owned()).spawn(move || {
            let (mut data, mut plain) = ([0; 2_048], [0; 2_048]);
            let mut delays = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let Ok(len) = socket.recv(&mut data) else { continue };
                let now = base.elapsed().as_nanos() as u64;
                let packet = &data[..len];
                let Ok(header) = parse_header(packet) else { continue };
                let (seq, header_len) = (header.sequence_number, header.header_len);
                let opened = srtp.open_rtp(header.ssrc, seq, header_len, packet, &mut plain);
                let stamp = opened.ok().and_then(|opened| read_stamp(&plain[..opened.len]));
                // What left before the measurement has no stamp.
                if let Some(stamp) = stamp.filter(|stamp| *stamp > 0) {
                    delays.push(now.saturating_sub(stamp));
                }
            }
            delays
        })?;
        Ok(Self { addr, over, thread })
    }

    fn stop(self) -> Result<Vec<u64>, Error> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "a probe panicked".into())
    }
}

/// What `publishers` cost at each of `receivers`: the first, the middle and the last of them probe.
///
/// # Errors
/// When there are no sockets, threads or CPU times, or nothing comes.
pub fn measure(publishers: usize, receivers: usize) -> Result<Delay, Error> {
    let sink = Sink::start()?;
    let now = Instant::now();
    let mut addresses = sink.addresses(receivers);
    let mut probes = Vec::new();
    for position in [0, receivers / 2, receivers - 1] {
        let probe = Probe::start(now, (publishers + position) as u64)?;
        addresses[position] = probe.addr;
        probes.push(probe);
    }
    let mut sockets = Vec::new();
    for _ in 0..publishers {
        sockets.push(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?);
    }
    let sources = sockets.iter().map(UdpSocket::local_addr).collect::<Result<Vec<_>, _>>()?;
    let (shard, mut cameras, _) = many(now, Mix::default(), &sources, &addresses)?;
    let server = Running::start(shard, BackendChoice::Auto)??;
    for socket in &sockets {
        socket.connect(server.addr())?;
    }
    publish(&sockets, &mut cameras, WARM_UP, None)?;
    let (cpu_before, rtp_before) = (cpu::of_threads(&THREADS)?, sink.rtp());
    let sent = publish(&sockets, &mut cameras, MEASURED, Some(now))?;
    let (cpu_after, rtp_after) = (cpu::of_threads(&THREADS)?, sink.rtp());
    let mut delays = Vec::new();
    for probe in probes {
        delays.extend(probe.stop()?);
    }
    server.stop()?;
    if delays.is_empty() {
        return Err("nothing came at the probes".into());
    }
    delays.sort_unstable();
    let at = |share: f64| {
        let index = ((delays.len() as f64 * share) as usize).min(delays.len() - 1);
        delays[index] as f64 / 1e6
    };
    let seconds = MEASURED.as_secs_f64();
    Ok(Delay {
        p50: at(0.5),
        p99: at(0.99),
        max: at(1.0),
        rate: (sent * receivers) as f64 / seconds,
        core: (cpu_after - cpu_before).as_secs_f64() / seconds,
        delivered: (rtp_after - rtp_before) as f64 / (sent * (receivers - 3)) as f64,
    })
}

/// Sends frames and sound of all publishers, evenly apart, stamped from `base` on. How many packets.
fn publish(
    sockets: &[UdpSocket],
    cameras: &mut [Publisher],
    time: Duration,
    base: Option<Instant>,
) -> Result<usize, Error> {
    let frames = (time.as_secs_f64() * f64::from(crate::media::FPS)) as u32;
    let period = Duration::from_secs(1) / crate::media::FPS;
    let mut moments = Vec::new();
    for number in 0..sockets.len() {
        let later = period * number as u32 / sockets.len() as u32;
        let own = floor::moments(Mix::default(), frames);
        moments.extend(own.into_iter().map(|moment| (moment.at + later, number, moment.audio)));
    }
    moments.sort_unstable();
    let begin = Instant::now();
    let mut sent = 0;
    for (at, number, audio) in moments {
        std::thread::sleep((begin + at).saturating_duration_since(Instant::now()));
        let camera = &mut cameras[number];
        camera.stamp = base.map_or(0, |base| base.elapsed().as_nanos() as u64);
        let packets = if audio { vec![camera.audio()] } else { camera.frame() };
        for packet in &packets {
            sockets[number].send(packet)?;
        }
        sent += packets.len();
    }
    std::thread::sleep(Duration::from_millis(100));
    Ok(sent)
}
