use super::*;

fn dst(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

fn add(buf: &mut TrainBuf, port: u16, len: usize, join: bool) -> usize {
    buf.push_with(dst(port), None, len, join, |out| {
        out.fill(len as u8);
        len
    })
}

#[test]
fn equal_segments_to_one_receiver_share_a_train_and_a_shorter_one_ends_it() {
    let mut buf = TrainBuf::with_capacity(4096, 8);
    for len in [100, 100, 60, 60] {
        assert_eq!(add(&mut buf, 1, len, true), len);
    }
    let trains = buf.trains();
    assert_eq!(trains.len(), 2);
    assert_eq!((trains[0].count, trains[0].segment, trains[0].len), (3, 100, 260));
    assert_eq!((trains[1].count, trains[1].segment, trains[1].start), (1, 60, 260));
    let sizes: Vec<_> = buf.datagrams(&trains[0]).map(<[u8]>::len).collect();
    assert_eq!(sizes, [100, 100, 60]);
    assert_eq!(buf.bytes(&trains[1]), [60; 60]);
    assert_eq!(buf.byte_len(), 320);
}

#[test]
fn a_longer_segment_another_receiver_another_source_or_no_leave_starts_a_train() {
    let mut buf = TrainBuf::default();
    add(&mut buf, 1, 50, true);
    add(&mut buf, 1, 51, true);
    add(&mut buf, 2, 51, true);
    add(&mut buf, 2, 51, false);
    let src = Some(IpAddr::from([127, 0, 0, 1]));
    buf.push_with(dst(2), src, 51, true, |_| 51);
    assert_eq!(buf.trains().len(), 5);
    assert!(buf.trains().iter().all(|t| t.count == 1));
    assert_eq!(buf.trains()[4].src, src);
}

#[test]
fn a_train_stays_within_the_kernels_limits() {
    let mut buf = TrainBuf::default();
    for _ in 0..65 {
        add(&mut buf, 1, 10, true);
    }
    assert_eq!(buf.trains().iter().map(|t| t.count).collect::<Vec<_>>(), [MAX_SEGMENTS, 1]);
    buf.clear();
    for _ in 0..50 {
        add(&mut buf, 1, 1400, true);
    }
    assert!(buf.trains().iter().all(|t| t.len as usize <= MAX_TRAIN_BYTES));
    assert_eq!(buf.trains().iter().map(|t| t.count).collect::<Vec<_>>(), [46, 4]);
}

#[test]
fn what_is_not_written_leaves_no_trace() {
    let mut buf = TrainBuf::default();
    assert_eq!(buf.push_with(dst(1), None, 500, true, |_| 0), 0);
    assert!(buf.is_empty());
    assert_eq!(buf.byte_len(), 0);
    assert_eq!(buf.push_with(dst(1), None, 500, true, |_| 9000), 500, "no more than offered");
    assert_eq!(add(&mut buf, 1, 70_000, true), 0, "larger than any datagram");
    assert_eq!(buf.byte_len(), 500);
    buf.push(dst(1), None, b"ready");
    assert_eq!(buf.bytes(&buf.trains()[1]), b"ready");
    buf.clear();
    assert!(buf.is_empty());
    assert!(buf.trains().is_empty());
}
