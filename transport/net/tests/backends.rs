//! Both backends behave the same: every test runs against each.

mod common;

use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use common::{PATIENCE, backend, collect, ipv6, next, pattern, peer};
use weir_net::{Backend, BackendChoice, MAX_DATAGRAM_BYTES, MAX_DATAGRAMS_PER_CALL};
use weir_wire::train::TrainBuf;

macro_rules! on_both_backends {
    ($($name:ident),* $(,)?) => {
        mod mmsg {
            $(#[test] fn $name() { super::$name(super::BackendChoice::Mmsg); })*
        }
        mod io_uring {
            $(#[test] fn $name() { super::$name(super::BackendChoice::IoUring); })*
        }
    };
}

on_both_backends! {
    echoes_ipv4,
    echoes_ipv6,
    one_socket_serves_both_families,
    answers_from_the_address_that_was_asked,
    trains_arrive_as_datagrams,
    merged_input_is_taken_apart,
    more_trains_than_a_batch_arrive_in_order,
    waker_ends_a_wait_from_another_thread,
    wake_ups_before_a_wait_are_not_lost,
    timeout_ends_a_wait,
    a_failing_destination_does_not_stop_the_rest,
    a_burst_is_received_whole,
    more_datagrams_may_wait_than_there_are_buffers,
    a_panicking_sink_costs_nothing_but_its_datagram,
    traffic_both_ways_at_once_is_complete,
    oversize_datagrams_are_discarded,
    empty_datagrams_are_discarded,
    moves_to_its_thread_before_use,
    a_port_in_use_is_an_error,
    reopens_its_port_at_once,
}

fn echo(choice: BackendChoice, listen: &str, from: &str) {
    let Some(mut server) = backend(choice, listen) else { return };
    let peer = peer(from);
    let to = server.local_addr();
    assert_ne!(to.port(), 0);
    let mut trains = TrainBuf::default();
    for round in 0..5 {
        let data = pattern(round, 100 + round);
        peer.send_to(&data, to).unwrap();
        let got = collect(&mut *server, 1).remove(0);
        assert_eq!((got.src, got.dst), (peer.local_addr().unwrap(), Some(to.ip())));
        assert_eq!(got.data, data);
        trains.push(got.src, got.dst, &got.data);
        let report = server.send(&mut trains);
        assert!(trains.is_empty());
        assert_eq!((report.trains, report.datagrams, report.bytes), (1, 1, data.len()));
        assert_eq!(next(&peer), (data, to));
    }
    let stats = server.stats();
    assert_eq!((stats.received_datagrams, stats.sent_datagrams), (5, 5));
    assert_eq!((stats.send_errors, stats.discarded), (0, 0));
}

fn echoes_ipv4(choice: BackendChoice) {
    echo(choice, "127.0.0.1:0", "127.0.0.1:0");
}

fn echoes_ipv6(choice: BackendChoice) {
    if ipv6() {
        echo(choice, "[::1]:0", "[::1]:0");
    }
}

fn one_socket_serves_both_families(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "[::]:0") else { return };
    let port = server.local_addr().port();
    let mut trains = TrainBuf::default();
    for ip in ["127.0.0.1", "::1"] {
        let ip: IpAddr = ip.parse().unwrap();
        if ip.is_ipv6() && !ipv6() {
            continue;
        }
        let peer = peer(&SocketAddr::new(ip, 0).to_string());
        peer.send_to(b"who", (ip, port)).unwrap();
        let got = collect(&mut *server, 1).remove(0);
        // Plain IPv4, not the mapped form.
        assert_eq!((got.src, got.dst), (peer.local_addr().unwrap(), Some(ip)));
        // With and without a given source, single and as a train.
        for src in [Some(ip), None] {
            trains.push(got.src, src, b"alone");
            trains.push_with(got.src, src, 4, true, |out| {
                out.copy_from_slice(b"join");
                4
            });
            let report = server.send(&mut trains);
            assert_eq!((report.trains, report.datagrams, report.errors), (1, 2, 0));
            for text in [b"alone".as_slice(), b"join"] {
                assert_eq!(next(&peer), (text.to_vec(), SocketAddr::new(ip, port)));
            }
        }
    }
}

fn answers_from_the_address_that_was_asked(choice: BackendChoice) {
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let Some(mut server) = backend(choice, listen) else { return };
        let port = server.local_addr().port();
        let peer = peer("127.0.0.1:0");
        let mut trains = TrainBuf::default();
        for asked in ["127.0.0.2", "127.0.0.3", "127.0.0.1"] {
            let asked: IpAddr = asked.parse().unwrap();
            peer.send_to(b"hello", (asked, port)).unwrap();
            let got = collect(&mut *server, 1).remove(0);
            assert_eq!(got.dst, Some(asked));
            trains.push(got.src, got.dst, b"answer");
            server.send(&mut trains);
            assert_eq!(next(&peer).1, SocketAddr::new(asked, port), "{listen}");
        }
    }
}

/// Sends trains of the given sizes and returns the datagrams.
fn push_train(trains: &mut TrainBuf, to: SocketAddr, sizes: &[usize]) -> Vec<Vec<u8>> {
    let datagrams: Vec<_> = sizes.iter().enumerate().map(|(i, s)| pattern(i, *s)).collect();
    for data in &datagrams {
        trains.push_with(to, None, data.len(), true, |out| {
            out.copy_from_slice(data);
            data.len()
        });
    }
    datagrams
}

fn trains_arrive_as_datagrams(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    let peer = peer("127.0.0.1:0");
    let to = peer.local_addr().unwrap();
    let mut trains = TrainBuf::default();
    for sizes in [vec![1200; 8], vec![1100, 1100, 1100, 37], vec![5], vec![900; 64]] {
        let expected = push_train(&mut trains, to, &sizes);
        assert_eq!(trains.trains().len(), 1);
        let report = server.send(&mut trains);
        assert_eq!((report.trains, report.datagrams), (1, sizes.len()));
        assert_eq!((report.bytes, report.gso_fallbacks), (sizes.iter().sum(), 0));
        for data in expected {
            assert_eq!(next(&peer).0, data);
        }
    }
    assert!(!server.stats().gso_off);
}

fn merged_input_is_taken_apart(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    let mut sender = backend(choice, "127.0.0.1:0").unwrap();
    let mut trains = TrainBuf::default();
    let mut expected = Vec::new();
    for sizes in [vec![1200; 40], vec![300, 300, 299], vec![8]] {
        expected.extend(push_train(&mut trains, server.local_addr(), &sizes));
    }
    sender.send(&mut trains);
    let got = collect(&mut *server, expected.len());
    for (got, expected) in got.iter().zip(&expected) {
        assert_eq!((got.src, &got.data), (sender.local_addr(), expected));
    }
    let stats = server.stats();
    assert_eq!(stats.received_datagrams, 44);
    assert!(stats.received_messages < 44, "the loopback keeps trains in one piece");
}

fn more_trains_than_a_batch_arrive_in_order(choice: BackendChoice) {
    let Some(mut sender) = backend(choice, "127.0.0.1:0") else { return };
    let peer = peer("127.0.0.1:0");
    let mut trains = TrainBuf::default();
    // Each datagram is longer than the one before, so none joins; the default receive buffer of
    // an ordinary socket holds them.
    for i in 0..150u16 {
        trains.push(peer.local_addr().unwrap(), None, &i.to_be_bytes());
    }
    let report = sender.send(&mut trains);
    assert_eq!((report.trains, report.datagrams), (150, 150));
    for i in 0..150u16 {
        assert_eq!(next(&peer).0, i.to_be_bytes());
    }
}

fn waker_ends_a_wait_from_another_thread(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    for _ in 0..20 {
        let waker = server.waker();
        let other = thread::spawn(move || waker.wake());
        // No timeout: only the waker ends this.
        while !server.receive(None, &mut |_| ()).unwrap().woken {}
        other.join().unwrap();
    }
    assert_eq!(server.stats().wakeups, 20);
}

fn wake_ups_before_a_wait_are_not_lost(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    let waker = server.waker();
    for _ in 0..3 {
        (0..10).for_each(|_| waker.wake());
        while !server.receive(Some(PATIENCE), &mut |_| ()).unwrap().woken {}
        // Ten calls are one wake-up.
        assert!(!server.receive(Some(Duration::ZERO), &mut |_| ()).unwrap().woken);
    }
    drop(server);
    waker.wake();
}

fn timeout_ends_a_wait(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    for timeout in [Duration::ZERO, Duration::from_micros(300), Duration::from_millis(20)] {
        let started = Instant::now();
        // A call may return early, never with something that did not happen.
        while started.elapsed() < timeout {
            let left = timeout - started.elapsed();
            let received = server.receive(Some(left), &mut |_| ()).unwrap();
            assert_eq!((received.datagrams, received.woken), (0, false));
        }
        let received = server.receive(Some(Duration::ZERO), &mut |_| ()).unwrap();
        assert_eq!(received.datagrams, 0);
    }
    // A few calls, not a spin.
    assert!(server.stats().syscalls() < 30, "{:?}", server.stats());
}

fn a_failing_destination_does_not_stop_the_rest(choice: BackendChoice) {
    let Some(mut sender) = backend(choice, "0.0.0.0:0") else { return };
    let peer = peer("127.0.0.1:0");
    let good = peer.local_addr().unwrap();
    // Broadcast without permission (EACCES), no port (EINVAL), the wrong family, and a source
    // that is not ours.
    let bad = ["255.255.255.255:9", "127.0.0.1:0", "[::1]:9"].map(|a| (a.parse().unwrap(), None));
    let foreign = (good, Some("192.0.2.254".parse().unwrap()));
    let mut trains = TrainBuf::default();
    let mut expected = Vec::new();
    for (to, src) in bad.into_iter().chain([foreign]) {
        expected.extend(push_train(&mut trains, good, &[700, 700, 30]));
        for _ in 0..2 {
            trains.push_with(to, src, 10, true, |_| 10);
        }
    }
    // Larger than any UDP datagram.
    trains.push(good, None, &vec![0; 65_530]);
    expected.extend(push_train(&mut trains, good, &[11]));
    let report = sender.send(&mut trains);
    assert_eq!((report.errors, report.datagrams), (9, expected.len()));
    assert_eq!(report.dropped_would_block, 0);
    let mut got: Vec<_> = expected.iter().map(|_| next(&peer).0).collect();
    got.sort();
    expected.sort();
    assert_eq!(got, expected);
    assert_eq!(sender.stats().send_errors, 9);
    assert!(!sender.stats().gso_off, "a bad destination must not cost the others their trains");
}

fn a_burst_is_received_whole(choice: BackendChoice) {
    const BURST: usize = 5_000;
    // What the receive buffer of an unprivileged process holds twice.
    const ROUND: usize = 60;
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    let to = server.local_addr();
    // Four ordinary senders, so that nothing is merged, and each waits for the receiver: what is
    // tested is the receiver and not the size of the socket's buffer.
    let (allow, allowed): (Vec<_>, Vec<_>) =
        (0..4).map(|_| std::sync::mpsc::channel::<()>()).unzip();
    let senders: Vec<_> = allowed
        .into_iter()
        .enumerate()
        .map(|(s, allowed)| {
            thread::spawn(move || {
                let peer = peer("127.0.0.1:0");
                for i in (s..BURST).step_by(4) {
                    if i / 4 % (ROUND / 4) == 0 {
                        allowed.recv().unwrap();
                    }
                    peer.send_to(&[&i.to_be_bytes()[..], &[0; 1000]].concat(), to).unwrap();
                }
            })
        })
        .collect();
    let mut seen = vec![false; BURST];
    let (mut count, mut allowed) = (0, 0);
    let deadline = Instant::now() + PATIENCE;
    while count < BURST {
        assert!(Instant::now() < deadline, "{count} of {BURST}, {:?}", server.stats());
        if count + ROUND >= allowed {
            allowed += ROUND;
            for allow in &allow {
                let _ = allow.send(());
            }
        }
        let received = server
            .receive(Some(Duration::from_millis(50)), &mut |d| {
                let i = usize::from_be_bytes(*d.data.first_chunk().unwrap());
                assert!(!std::mem::replace(&mut seen[i], true), "{i} twice");
                assert_eq!(d.data.len(), 1008);
                count += 1;
            })
            .unwrap();
        assert!(received.datagrams <= MAX_DATAGRAMS_PER_CALL + 128);
    }
    senders.into_iter().for_each(|s| s.join().unwrap());
    let stats = server.stats();
    assert_eq!((stats.received_datagrams, stats.kernel_drops), (BURST as u64, 0));
}

fn more_datagrams_may_wait_than_there_are_buffers(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    let peer = peer("127.0.0.1:0");
    for _ in 0..2 {
        for i in 0..300u16 {
            peer.send_to(&i.to_be_bytes(), server.local_addr()).unwrap();
        }
        let got = collect(&mut *server, 300);
        assert!(got.iter().zip(0u16..).all(|(got, i)| got.data == i.to_be_bytes()));
    }
    assert_eq!(server.stats().kernel_drops, 0);
}

fn a_panicking_sink_costs_nothing_but_its_datagram(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    let peer = peer("127.0.0.1:0");
    let (mut panics, deadline) = (0, Instant::now() + PATIENCE);
    // More often than there are buffers.
    while panics < 300 && Instant::now() < deadline {
        peer.send_to(b"boom", server.local_addr()).unwrap();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            server
                .receive(Some(PATIENCE), &mut |_| std::panic::resume_unwind(Box::new(())))
                .unwrap();
        }));
        panics += usize::from(result.is_err());
    }
    assert_eq!(panics, 300);
    peer.send_to(b"fine", server.local_addr()).unwrap();
    assert_eq!(collect(&mut *server, 1).pop().unwrap().data, b"fine");
}

/// Two backends on two threads echo trains to each other while each also receives.
fn traffic_both_ways_at_once_is_complete(choice: BackendChoice) {
    const ROUNDS: usize = 200;
    const TRAIN: usize = 30;
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    let mut client = backend(choice, "127.0.0.1:0").unwrap();
    let (to, waker) = (server.local_addr(), server.waker());
    let echo = thread::spawn(move || {
        let mut trains = TrainBuf::default();
        loop {
            let received = server
                .receive(None, &mut |d| {
                    trains.push_with(d.src, d.dst, d.data.len(), true, |out| {
                        out.copy_from_slice(d.data);
                        d.data.len()
                    });
                })
                .unwrap();
            server.send(&mut trains);
            if received.woken {
                return server.stats();
            }
        }
    });
    let mut trains = TrainBuf::default();
    for round in 0..ROUNDS {
        // Several destinations' worth of trains: none joins another's.
        let mut expected = Vec::new();
        for size in [200 + round, 100 + round, 300 + round] {
            expected.extend(push_train(&mut trains, to, &[size; TRAIN]));
        }
        let report = client.send(&mut trains);
        assert_eq!(report.datagrams, 3 * TRAIN);
        let got = collect(&mut *client, 3 * TRAIN);
        assert!(got.into_iter().map(|g| g.data).eq(expected), "round {round}");
    }
    waker.wake();
    let stats = echo.join().unwrap();
    let total = (ROUNDS * 3 * TRAIN) as u64;
    assert_eq!((stats.received_datagrams, stats.sent_datagrams), (total, total));
    assert_eq!((stats.kernel_drops, stats.send_errors, stats.send_would_block), (0, 0, 0));
}

fn oversize_datagrams_are_discarded(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    let peer = peer("127.0.0.1:0");
    let to = server.local_addr();
    for size in [65_507, MAX_DATAGRAM_BYTES + 1, MAX_DATAGRAM_BYTES] {
        peer.send_to(&pattern(0, size), to).unwrap();
    }
    let got = collect(&mut *server, 1);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].data, pattern(0, MAX_DATAGRAM_BYTES));
    assert_eq!(server.stats().discarded, 2);
}

fn empty_datagrams_are_discarded(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    let peer = peer("127.0.0.1:0");
    for data in [b"".as_slice(), b"", b"x"] {
        peer.send_to(data, server.local_addr()).unwrap();
    }
    assert_eq!(collect(&mut *server, 1)[0].data, b"x");
    assert_eq!(server.stats().discarded, 2);
}

fn moves_to_its_thread_before_use(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "127.0.0.1:0") else { return };
    let (to, waker) = (server.local_addr(), server.waker());
    let peer = peer("127.0.0.1:0");
    peer.send_to(b"early", to).unwrap();
    let shard = thread::spawn(move || {
        let got = collect(&mut *server, 1).remove(0);
        let mut trains = TrainBuf::default();
        trains.push(got.src, got.dst, &got.data);
        server.send(&mut trains);
        while !server.receive(None, &mut |_| ()).unwrap().woken {}
    });
    assert_eq!(next(&peer), (b"early".to_vec(), to));
    waker.wake();
    shard.join().unwrap();
}

fn a_port_in_use_is_an_error(choice: BackendChoice) {
    let Some(server) = backend(choice, "127.0.0.1:0") else { return };
    let taken = server.local_addr().to_string();
    let error = weir_net::open(choice, &common::config(&taken)).err().expect("taken");
    assert!(error.to_string().contains(&taken), "{error}");
}

fn reopens_its_port_at_once(choice: BackendChoice) {
    let Some(mut first) = backend(choice, "127.0.0.1:0") else { return };
    let listen = first.local_addr().to_string();
    first.receive(Some(Duration::ZERO), &mut |_| ()).unwrap();
    drop(first);
    let mut second = backend(choice, &listen).unwrap();
    let peer = peer("127.0.0.1:0");
    peer.send_to(b"again", &listen).unwrap();
    assert_eq!(collect(&mut *second, 1)[0].data, b"again");
}

#[test]
fn interfaces_list_loopback_last_and_no_link_local() {
    let all = weir_net::interface_addresses().unwrap();
    let first_loopback = all.iter().position(IpAddr::is_loopback);
    if let Some(at) = first_loopback {
        assert!(all[at..].iter().all(IpAddr::is_loopback), "{all:?}");
    }
    for ip in &all {
        assert!(!matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local()), "{ip}");
    }
}

#[test]
fn backends_can_be_sent_to_their_thread() {
    fn is_send<T: Send + ?Sized>() {}
    is_send::<dyn Backend>();
    is_send::<weir_net::Waker>();
}

#[test]
fn an_io_uring_refuses_a_second_thread() {
    let Some(mut server) = backend(BackendChoice::IoUring, "127.0.0.1:0") else { return };
    server.receive(Some(Duration::ZERO), &mut |_| ()).unwrap();
    let to = server.local_addr();
    thread::spawn(move || {
        // Kernels before 6.1 have no owner: there it works.
        let mut trains = TrainBuf::default();
        trains.push(to, None, b"x");
        server.send(&mut trains);
        assert!(trains.is_empty());
        let _ = server.receive(Some(Duration::ZERO), &mut |_| ());
    })
    .join()
    .unwrap();
}
