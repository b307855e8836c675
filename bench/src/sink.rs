//! The other end of all measurements on sockets: one socket that stands for every receiver and
//! counts what comes.

use crate::Error;
use crate::way::{FIRST_RECEIVER, Teller, is_rtcp};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use weir_net::{BackendChoice, SocketConfig};
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
    /// Who tell what came, in the order of their addresses, and whom.
    tellers: Mutex<Option<(SocketAddr, Vec<Teller>)>>,
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
            let begin = Instant::now();
            let mut tellers: Option<(SocketAddr, Vec<Teller>)> = None;
            let mut out = TrainBuf::default();
            while !counts.over.load(Ordering::Relaxed) {
                let (mut rtp, mut other) = (0, 0);
                if tellers.is_none()
                    && let Ok(mut given) = counts.tellers.lock()
                {
                    tellers = given.take();
                }
                let arrival = i64::try_from(begin.elapsed().as_micros()).unwrap_or(0);
                // A receiver that waits would be woken by each train, at the sender's cost. On a
                // network the other end's wake-ups are not the sender's: look now and then.
                let received = backend.receive(Some(Duration::ZERO), &mut |datagram| {
                    if is_rtcp(datagram.data) {
                        other += 1;
                        return;
                    }
                    rtp += 1;
                    if let Some((_, tellers)) = &mut tellers
                        && let Some(IpAddr::V4(ip)) = datagram.dst
                    {
                        let number = u32::from(ip).wrapping_sub(FIRST_RECEIVER) as usize;
                        if let Some(teller) = tellers.get_mut(number) {
                            teller.note(datagram.data, arrival);
                        }
                    }
                });
                if let Some((server, tellers)) = &mut tellers {
                    let now = Instant::now();
                    for (number, teller) in (FIRST_RECEIVER..).zip(tellers) {
                        let source = Some(IpAddr::V4(Ipv4Addr::from(number)));
                        teller.due(now, |data| out.push(*server, source, &data));
                    }
                    backend.send(&mut out);
                    out.clear();
                }
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
        let ip = |n: u32| IpAddr::V4(Ipv4Addr::from(FIRST_RECEIVER + n));
        (0..).map(ip).take(count).map(|ip| SocketAddr::new(ip, self.port)).collect()
    }

    /// From now on the receivers tell `server` what comes, one of `tellers` for each address.
    pub fn tell(&self, server: SocketAddr, tellers: Vec<Teller>) {
        if !tellers.is_empty()
            && let Ok(mut place) = self.shared.tellers.lock()
        {
            *place = Some((server, tellers));
        }
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
