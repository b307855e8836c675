//! After warm-up neither backend allocates on the packet's way.

mod common;

use common::{PATIENCE, backend};
use weir_net::BackendChoice;
use weir_wire::train::TrainBuf;

fn forwards_without_allocating(choice: BackendChoice) {
    let Some(mut server) = backend(choice, "[::]:0") else { return };
    let mut trains = TrainBuf::with_capacity(1 << 17, 256);
    let to = ([127, 0, 0, 1], server.local_addr().port()).into();
    // Sends to itself: a train, single datagrams, a refused destination.
    let mut round = || {
        let mut sent = 0;
        for (size, count) in [(1000, 20), (200, 1), (60, 5)] {
            for _ in 0..count {
                trains.push_with(to, Some([127, 0, 0, 1].into()), size, count > 1, |_| size);
                sent += 1;
            }
        }
        trains.push(([127, 0, 0, 1], 0).into(), None, b"no port");
        assert_eq!(server.send(&mut trains).datagrams, sent);
        let mut got = 0;
        while got < sent {
            got += server
                .receive(Some(PATIENCE), &mut |d| assert!(d.dst.is_some()))
                .unwrap()
                .datagrams;
        }
    };
    // Warm-up: each provided buffer and every queue has been used.
    (0..100).for_each(|_| round());
    let info = allocation_counter::measure(|| (0..200).for_each(|_| round()));
    assert_eq!((info.count_total, info.bytes_total), (0, 0));
}

#[test]
fn mmsg_forwards_without_allocating() {
    forwards_without_allocating(BackendChoice::Mmsg);
}

#[test]
fn io_uring_forwards_without_allocating() {
    forwards_without_allocating(BackendChoice::IoUring);
}
