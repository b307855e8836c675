//! Gathering puts off wake-ups and loses neither datagrams nor wake-ups nor deadlines.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{PATIENCE, backend, collect, peer};
use weir_net::{Backend, BackendChoice, GATHER_AT_MOST};

fn gathering(choice: BackendChoice) -> Option<Box<dyn Backend>> {
    let mut server = backend(choice, "127.0.0.1:0")?;
    // More than is allowed counts as what is allowed.
    server.gather(GATHER_AT_MOST * 1_000);
    Some(server)
}

fn all_datagrams_come_in_order(choice: BackendChoice) {
    let Some(mut server) = gathering(choice) else { return };
    let to = server.local_addr();
    let sender = thread::spawn(move || {
        let peer = peer("127.0.0.1:0");
        for i in 0..400u16 {
            peer.send_to(&i.to_be_bytes(), to).unwrap();
            // Now in bursts, now apart, now after it has fallen asleep.
            if i % 10 == 0 {
                thread::park_timeout(Duration::from_micros(u64::from(i) * 10));
            }
        }
    });
    let got = collect(&mut *server, 400);
    assert!(got.iter().zip(0u16..).all(|(got, i)| got.data == i.to_be_bytes()));
    sender.join().unwrap();
}

fn wake_ups_are_seen_amid_datagrams(choice: BackendChoice) {
    let Some(mut server) = gathering(choice) else { return };
    let (to, waker) = (server.local_addr(), server.waker());
    let peer = peer("127.0.0.1:0");
    let deadline = Instant::now() + PATIENCE;
    for _ in 0..20 {
        waker.wake();
        let (mut woken, mut got) = (false, 0);
        while !woken || got < 10 {
            assert!(Instant::now() < deadline);
            if got < 10 {
                peer.send_to(b"now", to).unwrap();
            }
            let received = server.receive(Some(PATIENCE), &mut |_| ()).unwrap();
            got += received.datagrams;
            woken |= received.woken;
        }
        // What is left of this round.
        while server.receive(Some(Duration::from_millis(5)), &mut |_| ()).unwrap().datagrams > 0 {}
    }
    assert_eq!(server.stats().wakeups, 20);
}

fn a_wait_ends_with_its_timeout(choice: BackendChoice) {
    let Some(mut server) = gathering(choice) else { return };
    for timeout in [Duration::ZERO, Duration::from_micros(50), Duration::from_millis(20)] {
        let (begin, end) = (Instant::now(), Instant::now() + PATIENCE);
        // A call may return early with nothing.
        while begin.elapsed() < timeout {
            let left = timeout.saturating_sub(begin.elapsed());
            assert_eq!(server.receive(Some(left), &mut |_| ()).unwrap().datagrams, 0);
        }
        server.receive(Some(timeout), &mut |_| ()).unwrap();
        assert!(Instant::now() < end);
    }
}

macro_rules! both {
    ($($name:ident)*) => {
        mod mmsg { $(#[test] fn $name() { super::$name(super::BackendChoice::Mmsg); })* }
        mod io_uring { $(#[test] fn $name() { super::$name(super::BackendChoice::IoUring); })* }
    };
}

both! {
    all_datagrams_come_in_order
    wake_ups_are_seen_amid_datagrams
    a_wait_ends_with_its_timeout
}
