//! Socket addresses in the kernel's form (`sockaddr_in`, `sockaddr_in6`), read and written as
//! bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Size of `sockaddr_in6`, the longer one.
pub(crate) const NAME_BYTES: usize = 28;
const NAME_V4_BYTES: usize = 16;

/// A `sockaddr` of either family.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Name(pub(crate) [u8; NAME_BYTES]);

impl Name {
    pub(crate) const EMPTY: Self = Self([0; NAME_BYTES]);

    /// Writes `addr` for a socket of the given family and returns the length used. An IPv4
    /// destination of an IPv6 socket is mapped.
    pub(crate) fn write(&mut self, addr: SocketAddr, ipv6_socket: bool) -> u32 {
        self.0 = [0; NAME_BYTES];
        match addr {
            SocketAddr::V4(v4) if ipv6_socket => {
                let mapped = SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0);
                self.write_v6(mapped)
            }
            SocketAddr::V4(v4) => {
                self.0[0..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
                self.0[2..4].copy_from_slice(&v4.port().to_be_bytes());
                self.0[4..8].copy_from_slice(&v4.ip().octets());
                NAME_V4_BYTES as u32
            }
            SocketAddr::V6(v6) => self.write_v6(v6),
        }
    }

    fn write_v6(&mut self, addr: SocketAddrV6) -> u32 {
        self.0[0..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
        self.0[2..4].copy_from_slice(&addr.port().to_be_bytes());
        self.0[4..8].copy_from_slice(&addr.flowinfo().to_be_bytes());
        self.0[8..24].copy_from_slice(&addr.ip().octets());
        self.0[24..28].copy_from_slice(&addr.scope_id().to_ne_bytes());
        NAME_BYTES as u32
    }
}

/// Reads what the kernel wrote; a mapped address becomes plain IPv4.
pub(crate) fn read_name(name: &[u8]) -> Option<SocketAddr> {
    let (family, rest) = name.split_first_chunk::<2>()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    let port = u16::from_be_bytes(*port);
    match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_INET => {
            let ip = Ipv4Addr::from(*rest.first_chunk::<4>()?);
            Some(SocketAddr::V4(SocketAddrV4::new(ip, port)))
        }
        libc::AF_INET6 => {
            let (_flow, rest) = rest.split_first_chunk::<4>()?;
            let (ip, rest) = rest.split_first_chunk::<16>()?;
            let scope = u32::from_ne_bytes(*rest.first_chunk::<4>()?);
            Some(match unmap(Ipv6Addr::from(*ip)) {
                IpAddr::V4(ip) => SocketAddr::V4(SocketAddrV4::new(ip, port)),
                IpAddr::V6(ip) => SocketAddr::V6(SocketAddrV6::new(ip, port, 0, scope)),
            })
        }
        _ => None,
    }
}

/// A mapped address as plain IPv4, any other as it is.
pub(crate) fn unmap(ip: Ipv6Addr) -> IpAddr {
    ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_the_way_through_the_kernels_form() {
        let mut name = Name::EMPTY;
        for (text, ipv6) in
            [("192.0.2.7:9", false), ("192.0.2.7:65535", true), ("[2001:db8::1]:443", true)]
        {
            let addr: SocketAddr = text.parse().unwrap();
            let len = name.write(addr, ipv6) as usize;
            assert_eq!(len, if ipv6 { 28 } else { 16 });
            assert_eq!(read_name(&name.0[..len]), Some(addr));
            assert_eq!(read_name(&name.0[..7]), None);
        }
        assert_eq!(read_name(&[0; 28]), None);
    }
}
