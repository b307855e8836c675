//! The shard's UDP socket and its options.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::check;
use crate::addr::Name;
use crate::api::SocketConfig;
use crate::cmsg::{SO_RXQ_OVFL, UDP_GRO};

/// Opens a non-blocking UDP socket that tells the local address of each datagram (PKTINFO) and
/// merges datagrams where the kernel can (UDP_GRO). `[::]` takes IPv4 too; where the machine has
/// no IPv6 it becomes `0.0.0.0` with the same port.
///
/// # Errors
/// The kernel's, when the address cannot be had.
pub fn bind(cfg: &SocketConfig) -> io::Result<UdpSocket> {
    match bind_to(cfg, cfg.listen) {
        Err(error)
            if cfg.listen.is_ipv6()
                && cfg.listen.ip().is_unspecified()
                && matches!(
                    error.raw_os_error(),
                    Some(libc::EAFNOSUPPORT | libc::EADDRNOTAVAIL)
                ) =>
        {
            tracing::info!("no IPv6 on this machine, listening on IPv4 alone");
            bind_to(cfg, SocketAddr::from((Ipv4Addr::UNSPECIFIED, cfg.listen.port())))
        }
        other => other,
    }
}

fn bind_to(cfg: &SocketConfig, listen: SocketAddr) -> io::Result<UdpSocket> {
    let ipv6 = listen.is_ipv6();
    let family = if ipv6 { libc::AF_INET6 } else { libc::AF_INET };
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: takes no pointers.
    let fd = check(unsafe { libc::socket(family, kind, libc::IPPROTO_UDP) })?;
    // SAFETY: the descriptor is new and nobody else has it.
    let socket = UdpSocket::from(unsafe { OwnedFd::from_raw_fd(fd) });

    if ipv6 {
        let only = i32::from(!listen.ip().is_unspecified());
        set(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, only)?;
        set(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
    } else {
        set(&socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
    }
    // Anybody can forge an ICMP message that lowers the path MTU and so refuses our trains:
    // ignore them (OMIT), do not set DF.
    let _ = set(&socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT);
    if ipv6 {
        let omit = libc::IPV6_PMTUDISC_OMIT;
        let _ = set(&socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, omit);
    }
    // Without them the socket works, only slower or less well measured.
    let _ = set(&socket, libc::SOL_UDP, UDP_GRO, 1);
    let _ = set(&socket, libc::SOL_SOCKET, SO_RXQ_OVFL, 1);
    set_buffer(&socket, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, cfg.recv_buffer_bytes);
    set_buffer(&socket, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, cfg.send_buffer_bytes);

    let mut name = Name::EMPTY;
    let len = name.write(listen, ipv6);
    // SAFETY: `name` holds a sockaddr of `len` bytes and lives across the call.
    check(unsafe { libc::bind(socket.as_raw_fd(), name.0.as_ptr().cast(), len) })?;
    Ok(socket)
}

/// Asks for a buffer size: by force (CAP_NET_ADMIN), else within the system's limit.
fn set_buffer(socket: &UdpSocket, forced: i32, limited: i32, bytes: usize) {
    // The kernel doubles the value.
    let value = i32::try_from(bytes).unwrap_or(i32::MAX / 2).min(i32::MAX / 2);
    if value > 0 && set(socket, libc::SOL_SOCKET, forced, value).is_err() {
        let _ = set(socket, libc::SOL_SOCKET, limited, value);
    }
}

fn set(socket: &UdpSocket, level: i32, option: i32, value: i32) -> io::Result<()> {
    let len = size_of::<i32>() as libc::socklen_t;
    // SAFETY: `value` is an int of `len` bytes and lives across the call.
    check(unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const value).cast(), len)
    })
    .map(drop)
}
