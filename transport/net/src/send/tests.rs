use std::collections::VecDeque;
use std::net::SocketAddr;

use super::*;

/// A kernel that answers as scripted and keeps what it takes.
struct Kernel {
    taken: Vec<Vec<u8>>,
    answers: VecDeque<i32>,
    refuse_trains: Option<i32>,
    refuse_to: Option<SocketAddr>,
}

impl Transmit for Kernel {
    fn transmit(&mut self, trains: &mut TrainBuf, batch: &[Train], results: &mut [i32]) {
        assert!(batch.len() <= BATCH);
        for (train, result) in batch.iter().zip(results) {
            *result = match (self.answers.pop_front(), self.refuse_trains, self.refuse_to) {
                (Some(errno), ..) if errno != 0 => -errno,
                (_, Some(errno), _) if train.count > 1 => -errno,
                (.., Some(to)) if train.dst == to => -libc::EINVAL,
                _ => {
                    self.taken.extend(trains.datagrams(train).map(<[u8]>::to_vec));
                    train.len as i32
                }
            };
        }
    }
}

fn kernel() -> Kernel {
    Kernel { taken: Vec::new(), answers: VecDeque::new(), refuse_trains: None, refuse_to: None }
}

fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

fn fill(trains: &mut TrainBuf, port: u16, sizes: &[usize]) {
    for (i, size) in sizes.iter().enumerate() {
        trains.push_with(addr(port), None, *size, true, |out| {
            out.fill(i as u8);
            *size
        });
    }
}

fn sizes(kernel: &Kernel) -> Vec<usize> {
    kernel.taken.iter().map(Vec::len).collect()
}

#[test]
fn refused_trains_leave_as_single_datagrams() {
    let (mut sender, mut kernel, mut trains) = (Sender::new(), kernel(), TrainBuf::default());
    kernel.refuse_trains = Some(libc::EIO);
    fill(&mut trains, 1, &[100, 100, 40]);
    fill(&mut trains, 2, &[7]);
    let report = sender.send(&mut trains, &mut kernel);
    assert_eq!(sizes(&kernel), [7, 100, 100, 40]);
    assert_eq!((report.trains, report.datagrams, report.bytes), (2, 4, 247));
    assert_eq!((report.gso_fallbacks, report.errors), (1, 0));
    assert!(sender.gso_off && trains.is_empty());

    // From now on trains are not tried any more, and order is kept.
    kernel.taken.clear();
    fill(&mut trains, 1, &[90; 130]);
    fill(&mut trains, 2, &[9, 5]);
    let report = sender.send(&mut trains, &mut kernel);
    assert_eq!(sizes(&kernel), [vec![90; 130], vec![9, 5]].concat());
    assert_eq!((report.datagrams, report.gso_fallbacks), (132, 0));
}

#[test]
fn a_bad_destination_does_not_cost_the_others_their_trains() {
    let (mut sender, mut kernel, mut trains) = (Sender::new(), kernel(), TrainBuf::default());
    kernel.refuse_to = Some(addr(0));
    for _ in 0..10 {
        fill(&mut trains, 0, &[50, 50]);
        let report = sender.send(&mut trains, &mut kernel);
        assert_eq!((report.errors, report.datagrams, report.gso_fallbacks), (2, 0, 1));
    }
    assert!(!sender.gso_off);
}

#[test]
fn invalid_trains_are_given_up_after_some_in_a_row() {
    let (mut sender, mut kernel, mut trains) = (Sender::new(), kernel(), TrainBuf::default());
    for round in 1..=GSO_STRIKES {
        kernel.answers = VecDeque::from([libc::EINVAL]);
        fill(&mut trains, 1, &[50, 50]);
        let report = sender.send(&mut trains, &mut kernel);
        assert_eq!((report.gso_fallbacks, report.datagrams), (1, 2));
        assert_eq!(sender.gso_off, round == GSO_STRIKES);
    }
}

#[test]
fn full_buffers_and_errors_are_counted_apart() {
    let (mut sender, mut kernel, mut trains) = (Sender::new(), kernel(), TrainBuf::default());
    kernel.answers = VecDeque::from([libc::EAGAIN, 0, libc::EACCES, libc::ENOBUFS]);
    fill(&mut trains, 1, &[10, 10]);
    fill(&mut trains, 2, &[20, 20]);
    fill(&mut trains, 3, &[30, 30, 30]);
    fill(&mut trains, 4, &[40]);
    let report = sender.send(&mut trains, &mut kernel);
    assert_eq!(sizes(&kernel), [20, 20]);
    assert_eq!((report.dropped_would_block, report.errors), (3, 3));
}
