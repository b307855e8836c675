//! A network of two: a pair of virtual interfaces, one of them in a namespace of its own, where the receivers
//! are. Unlike on the loopback interface trains are cut up on the sender's side, as by a network card that
//! cannot do it itself, and each packet goes the whole way through the other end's network stack.

use crate::cpu::Stopwatch;
use crate::floor::{Floor, Mix, WARM_UP_FRAMES, moments};
use crate::media::FPS;
use crate::report::Report;
use crate::running::{Running, THREADS};
use crate::sink::socket;
use crate::world::one_to_many;
use crate::{Error, ROUNDS, cpu};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use weir_net::{BackendChoice, GATHER};

/// Argument that makes this program the far end.
pub const FAR_END: &str = "far-end";
const NAMESPACE: &str = "weir-bench";
const NEAR: &str = "weirb0";
const FAR: &str = "weirb1";
/// The two ends, and the receivers' addresses behind the far one: 10.213.128.1 onwards.
const NEAR_IP: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 1);
const FAR_IP: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 2);
const RECEIVERS: &str = "10.213.128.0/17";
const FIRST: Ipv4Addr = Ipv4Addr::new(10, 213, 128, 1);
/// How often the far end looks for what came.
const LOOK: Duration = Duration::from_millis(1);
/// Frames of one measurement: two seconds.
const FRAMES: u32 = 2 * FPS;
/// Receivers.
const PEOPLE: usize = 200;

/// The pair and the namespace. It is taken down when dropped.
pub struct Veth(());

impl Veth {
    /// Sets it up; the inner error says in words why that cannot be.
    ///
    /// # Errors
    /// When it could be set up only in part.
    pub fn new() -> Result<Result<Self, String>, Error> {
        if let Err(reason) = run("ip", &["netns", "add", NAMESPACE]) {
            return Ok(Err(format!("needs root and iproute2: {reason}")));
        }
        let this = Self(());
        let near = format!("{NEAR_IP}/24");
        let far = format!("{FAR_IP}/24");
        let (near_gateway, far_gateway) = (NEAR_IP.to_string(), FAR_IP.to_string());
        let pair = ["link", "add", NEAR, "type", "veth", "peer", "name", FAR, "netns", NAMESPACE];
        run("ip", &pair)?;
        run("ip", &["address", "add", &near, "dev", NEAR])?;
        run("ip", &["link", "set", NEAR, "up"])?;
        run("ip", &["-n", NAMESPACE, "address", "add", &far, "dev", FAR])?;
        run("ip", &["-n", NAMESPACE, "link", "set", FAR, "up"])?;
        run("ip", &["-n", NAMESPACE, "link", "set", "lo", "up"])?;
        run("ip", &["-n", NAMESPACE, "route", "add", "default", "via", &near_gateway])?;
        // All receivers' addresses are the far end's own.
        run("ip", &["-n", NAMESPACE, "route", "add", "local", RECEIVERS, "dev", "lo"])?;
        run("ip", &["route", "add", RECEIVERS, "via", &far_gateway])?;
        let off = ["-K", NEAR, "tx-udp-segmentation", "off", "gso", "off"];
        if let Err(reason) = run("ethtool", &off) {
            return Ok(Err(format!("needs ethtool: {reason}")));
        }
        let inside = ["netns", "exec", NAMESPACE, "ethtool", "-K", FAR, "gro", "on"];
        run("ip", &inside)?;
        Ok(Ok(this))
    }
}

impl Drop for Veth {
    fn drop(&mut self) {
        // With one interface goes the other; with the namespace they would go a little later.
        let _ = run("ip", &["link", "delete", NEAR]);
        let _ = run("ip", &["netns", "delete", NAMESPACE]);
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} {}: {}", arguments.join(" "), said.trim()))
}

/// A sink in the namespace: this program again, which counts. It ends when its input does.
struct Far {
    process: Child,
    input: Option<ChildStdin>,
    port: u16,
    rtp: Arc<AtomicU64>,
}

impl Far {
    fn start() -> Result<Self, Error> {
        let mut process = Command::new("ip")
            .args(["netns", "exec", NAMESPACE])
            .arg(std::env::current_exe()?)
            .arg(FAR_END)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let mut lines = BufReader::new(output.ok_or("no output")?).lines();
        let port = lines.next().ok_or("the far end did not start")??.parse()?;
        let rtp = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&rtp);
        std::thread::Builder::new().name("sink".to_owned()).spawn(move || {
            for number in lines.map_while(Result::ok).filter_map(|line| line.parse().ok()) {
                count.store(number, Ordering::Relaxed);
            }
        })?;
        Ok(Self { process, input, port, rtp })
    }

    fn addresses(&self, count: usize) -> Vec<SocketAddr> {
        let ip = |n: u32| IpAddr::V4(Ipv4Addr::from(u32::from(FIRST) + n));
        (0..).map(ip).take(count).map(|ip| SocketAddr::new(ip, self.port)).collect()
    }

    /// How much has come when no more comes.
    fn came(&self) -> u64 {
        std::thread::sleep(Duration::from_millis(100));
        self.rtp.load(Ordering::Relaxed)
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

/// The far end: tells its port and then how many packets came, until its input ends.
///
/// # Errors
/// When there is no socket or nobody to tell.
pub fn far_end() -> Result<(), Error> {
    let (mut backend, _) = weir_net::open(BackendChoice::Mmsg, &socket(Ipv4Addr::UNSPECIFIED))?;
    let over = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&over);
    std::thread::spawn(move || {
        let _ = std::io::stdin().lines().count();
        end.store(true, Ordering::Relaxed);
    });
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}", backend.local_addr().port())?;
    output.flush()?;
    let (mut rtp, mut told) = (0_u64, 0);
    while !over.load(Ordering::Relaxed) {
        // Without waiting in the kernel, so that the sender need not wake us.
        let received = backend.receive(Some(Duration::ZERO), &mut |datagram| {
            // RFC 5761 4: 192 to 223 in the second byte is RTCP.
            rtp += u64::from(!datagram.data.get(1).is_some_and(|kind| (192..224).contains(kind)));
        })?;
        if received.datagrams == 0 {
            std::thread::sleep(LOOK);
            if told != rtp {
                told = rtp;
                writeln!(output, "{rtp}")?;
                output.flush()?;
            }
        }
    }
    Ok(())
}

/// What one measurement gave: CPU microseconds per packet, its share that came, datagrams a train.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// CPU microseconds per packet.
    pub us: f64,
    /// Share of the packets that came.
    pub delivered: f64,
    /// Datagrams a train.
    pub train: f64,
}

/// The floor and both backends, or why a backend is not there.
pub type Row = (Measured, Vec<(&'static str, Result<Measured, String>)>);

impl Veth {
    /// One publisher of 1 Mbit/s and sound to so many receivers at the far end: the floor of that, and a
    /// shard with each backend, in turns, the smallest of [`ROUNDS`].
    ///
    /// # Errors
    /// When there are no sockets, threads, processes or CPU times.
    pub fn measure(&self, receivers: usize) -> Result<Row, Error> {
        let backends = [("mmsg", BackendChoice::Mmsg), ("io_uring", BackendChoice::IoUring)];
        let mut floor = self.floor(receivers)?;
        let mut shards = Vec::new();
        for (name, choice) in backends {
            shards.push((name, self.forward(receivers, choice)?));
        }
        for _ in 1..ROUNDS {
            let new = self.floor(receivers)?;
            floor = if new.us < floor.us { new } else { floor };
            for ((_, best), (_, choice)) in shards.iter_mut().zip(backends) {
                if let (Ok(best), Ok(new)) = (best, self.forward(receivers, choice)?)
                    && new.us < best.us
                {
                    *best = new;
                }
            }
        }
        Ok((floor, shards))
    }

    fn floor(&self, receivers: usize) -> Result<Measured, Error> {
        let far = Far::start()?;
        let receivers = far.addresses(receivers);
        let mut floor = Floor::new(NEAR_IP)?;
        let mut watch = Stopwatch::new()?;
        let (mix, mut warm_up) = (Mix::default(), (0, 0));
        let (mut sent, mut trains) = (0, 0);
        let begin = Instant::now();
        for moment in moments(mix, FRAMES + WARM_UP_FRAMES) {
            if moment.frame == WARM_UP_FRAMES && moment.first {
                watch.reset();
                warm_up = (sent, trains);
            }
            std::thread::sleep((begin + moment.at).saturating_duration_since(Instant::now()));
            let len = if moment.audio { mix.audio_len() } else { mix.video_len() };
            watch.time(|| {
                for receiver in &receivers {
                    floor.train(*receiver, moment.count, len);
                }
                floor.send();
            })?;
            trains += receivers.len();
            sent += receivers.len() * moment.count;
        }
        let measured = (sent - warm_up.0) as f64;
        Ok(Measured {
            us: watch.micros() / measured,
            delivered: far.came() as f64 / sent as f64,
            train: measured / (trains - warm_up.1) as f64,
        })
    }

    fn forward(
        &self,
        receivers: usize,
        choice: BackendChoice,
    ) -> Result<Result<Measured, String>, Error> {
        let far = Far::start()?;
        let publisher = UdpSocket::bind((NEAR_IP, 0))?;
        let addresses = far.addresses(receivers);
        let mix = Mix::default();
        let from = publisher.local_addr()?;
        let (shard, mut media, _) = one_to_many(Instant::now(), mix, from, &addresses)?;
        let running = match Running::start_at(shard, choice, GATHER, NEAR_IP)? {
            Ok(running) => running,
            Err(reason) => return Ok(Err(reason)),
        };
        publisher.connect(running.addr())?;
        let mut publish = |frames| -> Result<usize, Error> {
            let (begin, mut sent) = (Instant::now(), 0);
            for moment in moments(mix, frames) {
                std::thread::sleep((begin + moment.at).saturating_duration_since(Instant::now()));
                let packets = if moment.audio { vec![media.audio()] } else { media.frame() };
                for packet in &packets {
                    publisher.send(packet)?;
                }
                sent += packets.len();
            }
            Ok(sent)
        };
        publish(WARM_UP_FRAMES)?;
        let before = far.came();
        let cpu_before = cpu::of_threads(&THREADS)?;
        let published = publish(FRAMES)?;
        let got = (far.came() - before) as f64;
        let cpu_after = cpu::of_threads(&THREADS)?;
        let (stats, _) = running.stop()?;
        if got == 0.0 {
            return Err("nothing came at the far end".into());
        }
        Ok(Ok(Measured {
            us: (cpu_after - cpu_before).as_secs_f64() * 1e6 / got,
            delivered: got / (published * receivers) as f64,
            train: stats.sent_datagrams as f64 / stats.sent_trains as f64,
        }))
    }
}

/// Measures, and adds a row for each backend, with the floor over the same pair; where that cannot be, one
/// row that says why.
///
/// # Errors
/// As [`Veth::measure`].
pub fn add_to(report: &mut Report) -> Result<(), Error> {
    let veth = match Veth::new()? {
        Ok(veth) => veth,
        Err(reason) => {
            report.add("veth", "us/packet", None, None, format!("skipped: {reason}"), Value::Null);
            return Ok(());
        }
    };
    let (floor, shards) = veth.measure(PEOPLE)?;
    for (name, shard) in shards {
        let what = format!("veth, {name}, 1 Mbit/s to {PEOPLE}");
        match shard {
            Err(reason) => report.add(what, "us/packet", None, None, reason, Value::Null),
            Ok(shard) => {
                let note = format!(
                    "no segmentation offload; {:.1} a train, floor {:.1}; {:.1} % came",
                    shard.train,
                    floor.train,
                    shard.delivered * 100.0
                );
                let more =
                    json!({ "backend": name, "train": shard.train, "delivered": shard.delivered });
                report.add(what, "us/packet", Some(shard.us), Some(floor.us), note, more);
            }
        }
    }
    Ok(())
}
