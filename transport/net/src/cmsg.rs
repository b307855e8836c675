//! Control messages (cmsg(3)), read and written as bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::addr::unmap;

/// Room for the control messages of one message: the largest set that is received (both PKTINFO
/// forms, GRO and overflow) needs 112 bytes.
pub(crate) const CONTROL_BYTES: usize = 128;

/// Control messages of one message.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Control(pub(crate) [u8; CONTROL_BYTES]);

impl Control {
    pub(crate) const EMPTY: Self = Self([0; CONTROL_BYTES]);
}

const WORD: usize = size_of::<usize>();
/// `CMSG_LEN(0)`: length word, level and type.
const HEADER: usize = (WORD + 8).next_multiple_of(WORD);

// libc lacks these on some targets. linux/udp.h
pub(crate) const UDP_SEGMENT: i32 = 103;
pub(crate) const UDP_GRO: i32 = 104;
// asm-generic/socket.h
pub(crate) const SO_RXQ_OVFL: i32 = 40;

/// What the control messages of a received message say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// Local address the message was sent to.
    pub(crate) dst: Option<IpAddr>,
    /// Bytes of each merged datagram (UDP_GRO); `None` when the message is one datagram.
    pub(crate) segment: Option<usize>,
    /// Datagrams dropped so far because the receive buffer was full (wraps).
    pub(crate) drops: Option<u32>,
}

/// Reads the control messages of a received message; what it does not know it skips.
pub(crate) fn parse(mut control: &[u8]) -> Meta {
    let mut meta = Meta::default();
    while let (Some(len), Some(level), Some(kind)) = (
        control.first_chunk::<WORD>().map(|b| usize::from_ne_bytes(*b)),
        int(control, WORD),
        int(control, WORD + 4),
    ) {
        let Some(data) = control.get(HEADER..len) else { break };
        match (level, kind) {
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                // in_pktinfo: interface, spec_dst (the local address), addr (the header's).
                if let Some(ip) = data.get(4..).and_then(|d| d.first_chunk::<4>()) {
                    meta.dst = Some(IpAddr::V4(Ipv4Addr::from(*ip)));
                }
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                if let Some(ip) = data.first_chunk::<16>() {
                    meta.dst = Some(unmap(Ipv6Addr::from(*ip)));
                }
            }
            (libc::SOL_UDP, UDP_GRO) => {
                meta.segment =
                    int(data, 0).and_then(|s| usize::try_from(s).ok()).filter(|s| *s > 0);
            }
            (libc::SOL_SOCKET, SO_RXQ_OVFL) => {
                meta.drops = data.first_chunk().map(|b| u32::from_ne_bytes(*b));
            }
            _ => {}
        }
        let Some(rest) = control.get(len.next_multiple_of(WORD)..) else { break };
        control = rest;
    }
    meta
}

fn int(bytes: &[u8], at: usize) -> Option<i32> {
    bytes.get(at..)?.first_chunk().map(|b| i32::from_ne_bytes(*b))
}

/// Writes the control messages of a train: the address it leaves from and the bytes of a
/// segment. Returns the length used, 0 for none.
pub(crate) fn build(
    control: &mut Control,
    ipv6_socket: bool,
    src: Option<IpAddr>,
    segment: Option<u16>,
) -> usize {
    let mut used = 0;
    // On an IPv6 socket the kernel takes a mapped address for an IPv4 destination.
    match src.filter(|ip| !ip.is_unspecified() && !ip.is_multicast()) {
        Some(IpAddr::V4(ip)) if ipv6_socket => {
            used = put_pktinfo6(control, used, ip.to_ipv6_mapped());
        }
        Some(IpAddr::V4(ip)) => {
            // in_pktinfo: interface 0 (any), spec_dst, addr (ignored).
            let mut info = [0u8; 12];
            info[4..8].copy_from_slice(&ip.octets());
            used = put(control, used, libc::IPPROTO_IP, libc::IP_PKTINFO, &info);
        }
        Some(IpAddr::V6(ip)) => used = put_pktinfo6(control, used, ip),
        None => {}
    }
    if let Some(segment) = segment {
        used = put(control, used, libc::SOL_UDP, UDP_SEGMENT, &segment.to_ne_bytes());
    }
    used
}

fn put_pktinfo6(control: &mut Control, at: usize, ip: Ipv6Addr) -> usize {
    // in6_pktinfo: address, interface 0 (any).
    let mut info = [0u8; 20];
    info[..16].copy_from_slice(&ip.octets());
    put(control, at, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info)
}

/// Appends one control message. The two that exist fit by far.
fn put(control: &mut Control, at: usize, level: i32, kind: i32, data: &[u8]) -> usize {
    let len = HEADER + data.len();
    let out = &mut control.0[at..at + len.next_multiple_of(WORD)];
    out.fill(0);
    out[..WORD].copy_from_slice(&len.to_ne_bytes());
    out[WORD..WORD + 4].copy_from_slice(&level.to_ne_bytes());
    out[WORD + 4..WORD + 8].copy_from_slice(&kind.to_ne_bytes());
    out[HEADER..len].copy_from_slice(data);
    at + len.next_multiple_of(WORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_writes() {
        let mut control = Control::EMPTY;
        let v4: IpAddr = "127.0.0.2".parse().unwrap();
        let v6: IpAddr = "2001:db8::5".parse().unwrap();
        for (ip, ipv6) in [(v4, false), (v4, true), (v6, true)] {
            let len = build(&mut control, ipv6, Some(ip), Some(1200));
            assert_eq!(parse(&control.0[..len]).dst, Some(ip));
        }
        assert_eq!(build(&mut control, true, None, None), 0);
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        assert_eq!(build(&mut control, true, Some(any), None), 0);
    }

    #[test]
    fn broken_control_messages_are_left_alone() {
        assert_eq!(parse(&[]), Meta::default());
        assert_eq!(parse(&[0; CONTROL_BYTES]), Meta::default());
        assert_eq!(parse(&[255; CONTROL_BYTES]), Meta::default());
        let mut control = Control::EMPTY;
        let len = put(&mut control, 0, libc::SOL_UDP, UDP_GRO, &700i32.to_ne_bytes());
        assert_eq!(parse(&control.0[..len]).segment, Some(700));
        for cut in 0..HEADER + 4 {
            assert_eq!(parse(&control.0[..cut]).segment, None, "{cut}");
        }
    }
}
