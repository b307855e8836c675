use super::*;
use crate::addr::Name;

fn gro(segment: i32) -> Vec<u8> {
    let mut out = 20usize.to_ne_bytes().to_vec();
    for word in [libc::SOL_UDP, cmsg::UDP_GRO, segment] {
        out.extend(word.to_ne_bytes());
    }
    out
}

fn run(message: &RawMessage<'_>) -> (Vec<Vec<u8>>, BackendStats) {
    let (mut out, mut stats) = (Vec::new(), BackendStats::default());
    let n = deliver(message, &mut stats, &mut |d| out.push(d.data.to_vec()));
    assert_eq!(n, out.len());
    assert_eq!(stats.received_datagrams, n as u64);
    (out, stats)
}

#[test]
fn merged_datagrams_are_taken_apart() {
    let mut name = Name::EMPTY;
    let len = name.write("192.0.2.1:5".parse().unwrap(), false) as usize;
    let payload: Vec<u8> = (0..250).collect();
    for (segment, sizes) in [(100, vec![100, 100, 50]), (125, vec![125, 125]), (250, vec![250])] {
        let (out, _) = run(&RawMessage {
            name: &name.0[..len],
            control: &gro(segment),
            payload: &payload,
            truncated: false,
        });
        assert_eq!(out.iter().map(Vec::len).collect::<Vec<_>>(), sizes);
        assert_eq!(out.concat(), payload);
    }
}

#[test]
fn what_cannot_be_trusted_is_discarded_and_counted() {
    let mut name = Name::EMPTY;
    let len = name.write("192.0.2.1:5".parse().unwrap(), false) as usize;
    let name = &name.0[..len];
    let large = vec![1; MAX_DATAGRAM_BYTES + 1];
    for (name, payload, truncated) in [
        (name, &large[..], false),
        (name, &large[..0], false),
        (name, &large[..9], true),
        (&name[..0], &large[..9], false),
    ] {
        let (out, stats) = run(&RawMessage { name, control: &[], payload, truncated });
        assert_eq!((out.len(), stats.discarded), (0, 1));
    }
}

#[test]
fn kernel_drops_follow_a_counter_that_wraps() {
    let mut stats = BackendStats::default();
    for (counter, total) in [(5u32, 5u64), (u32::MAX, u64::from(u32::MAX)), (3, (1 << 32) + 3)] {
        let mut control = 20usize.to_ne_bytes().to_vec();
        control.extend(libc::SOL_SOCKET.to_ne_bytes());
        control.extend(cmsg::SO_RXQ_OVFL.to_ne_bytes());
        control.extend(counter.to_ne_bytes());
        let message = RawMessage { name: &[], control: &control, payload: &[], truncated: false };
        deliver(&message, &mut stats, &mut |_| {});
        assert_eq!(stats.kernel_drops, total);
    }
}
