//! The other end of all measurements on sockets: one socket that stands for every receiver and
//! counts what comes.

use crate::Error;
use crate::way::{FIRST_RECEIVER, Teller, is_rtcp};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use weir_net::{Backend, BackendChoice, SocketConfig};
use weir_wire::train::TrainBuf;

/// Kernel buffers of all sockets here.
const BUFFER_BYTES: usize = 8 << 20;

/// Pause of a sink that found nothing: the buffer holds 3,500 packets of 1,200 bytes.
const PAUSE: Duration = Duration::from_millis(1);

/// A socket on the loopback interface, of any shard or sink.
#[must_use]
pub fn socket(ip: Ipv4Addr) -> SocketConfig {
    SocketConfig {
        listen: SocketAddr::from((ip, 0)),
        recv_buffer_bytes: BUFFER_BYTES,
        send_buffer_bytes: BUFFER_BYTES,
    }
}

#[derive(Default)]
struct Shared {
    rtp: AtomicU64,
    other: AtomicU64,
    over: AtomicBool,
}

/// A running sink. It ends when dropped.
pub struct Sink {
    shared: Arc<Shared>,
    port: u16,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Opens the socket and starts the thread that empties it.
    ///
    /// # Errors
    /// When there is no socket or no thread.
    pub fn start() -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let counts = Arc::clone(&shared);
        let (mut backend, _) = weir_net::open(BackendChoice::Mmsg, &socket(Ipv4Addr::UNSPECIFIED))?;
        let port = backend.local_addr().port();
        let thread = std::thread::Builder::new().name("sink".to_owned()).spawn(move || {
            while !counts.over.load(Ordering::Relaxed) {
                let (mut rtp, mut other) = (0, 0);
                // A receiver that waits would be woken by each train, at the sender's cost. On a
                // network the other end's wake-ups are not the sender's: look now and then.
                let received = backend.receive(Some(Duration::ZERO), &mut |datagram| {
                    if is_rtcp(datagram.data) {
                        other += 1;
                        return;
                    }
                    rtp += 1;
                });
                counts.rtp.fetch_add(rtp, Ordering::Relaxed);
                counts.other.fetch_add(other, Ordering::Relaxed);
                match received {
                    Err(_) => return,
                    Ok(received) if received.datagrams == 0 => std::thread::sleep(PAUSE),
                    Ok(_) => {}
                }
            }
        })?;
        Ok(Self { shared, port, thread: Some(thread) })
    }

    /// Addresses of `count` receivers, all of which end here: 127.1.0.1 onwards.
    #[must_use]
    pub fn addresses(&self, count: usize) -> Vec<SocketAddr> {
        addresses(self.port, count)
    }

    /// RTP packets so far.
    #[must_use]
    pub fn rtp(&self) -> u64 {
        self.shared.rtp.load(Ordering::Relaxed)
    }

    /// Other datagrams so far: RTCP.
    #[must_use]
    pub fn other(&self) -> u64 {
        self.shared.other.load(Ordering::Relaxed)
    }

    /// Sleeps until `rtp` packets have come, at most 50 ms: what is lost does not come.
    pub fn wait_for(&self, rtp: u64) {
        let deadline = Instant::now() + Duration::from_millis(50);
        while self.rtp() < rtp && Instant::now() < deadline {
            std::thread::sleep(PAUSE / 4);
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn addresses(port: u16, count: usize) -> Vec<SocketAddr> {
    let ip = |n: u32| IpAddr::V4(Ipv4Addr::from(FIRST_RECEIVER + n));
    (0..).map(ip).take(count).map(|ip| SocketAddr::new(ip, port)).collect()
}

/// The same without a thread: looked at by whoever measures, between two pieces of what is measured.
pub struct Ends {
    backend: Box<dyn Backend>,
    /// Who tell what came, in the order of their addresses; or nobody.
    pub tellers: Vec<Teller>,
    out: TrainBuf,
    /// RTP packets so far.
    pub rtp: u64,
}

impl Ends {
    /// Opens the socket.
    ///
    /// # Errors
    /// When there is none.
    pub fn new() -> Result<Self, Error> {
        let (backend, _) = weir_net::open(BackendChoice::Mmsg, &socket(Ipv4Addr::UNSPECIFIED))?;
        Ok(Self { backend, tellers: Vec::new(), out: TrainBuf::default(), rtp: 0 })
    }

    /// Addresses of `count` receivers, all of which end here.
    #[must_use]
    pub fn addresses(&self, count: usize) -> Vec<SocketAddr> {
        addresses(self.backend.local_addr().port(), count)
    }

    /// Takes everything that has come, at `arrival_us` by the receivers' clock.
    ///
    /// # Errors
    /// When the socket fails.
    pub fn take(&mut self, arrival_us: i64) -> Result<(), Error> {
        let (tellers, rtp) = (&mut self.tellers, &mut self.rtp);
        loop {
            let received = self.backend.receive(Some(Duration::ZERO), &mut |datagram| {
                if is_rtcp(datagram.data) {
                    return;
                }
                *rtp += 1;
                if let Some(IpAddr::V4(ip)) = datagram.dst {
                    let number = u32::from(ip).wrapping_sub(FIRST_RECEIVER) as usize;
                    if let Some(teller) = tellers.get_mut(number) {
                        teller.note(datagram.data, arrival_us);
                    }
                }
            })?;
            if received.datagrams == 0 {
                return Ok(());
            }
        }
    }

    /// Sends what the receivers have to tell at `now`. How many datagrams.
    pub fn tell(&mut self, now: Instant, server: SocketAddr) -> usize {
        for (number, teller) in (FIRST_RECEIVER..).zip(&mut self.tellers) {
            let source = Some(IpAddr::V4(Ipv4Addr::from(number)));
            teller.due(now, |data| self.out.push(server, source, &data));
        }
        let count = self.out.trains().len();
        self.backend.send(&mut self.out);
        self.out.clear();
        count
    }
}
