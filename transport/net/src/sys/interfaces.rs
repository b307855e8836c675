//! The machine's addresses.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ptr;

use super::check;
use crate::addr::{NAME_BYTES, read_name};

/// The addresses of all interfaces that are up: IPv4 before IPv6, loopback last, without
/// link-local IPv6 (fe80::/10) and duplicates. They become ICE host candidates.
///
/// # Errors
/// The kernel's, when it gives no list.
pub fn interface_addresses() -> io::Result<Vec<IpAddr>> {
    let mut list: *mut libc::ifaddrs = ptr::null_mut();
    // SAFETY: `list` is a valid place for the pointer.
    check(unsafe { libc::getifaddrs(&mut list) })?;
    let mut found = Vec::new();
    let mut at = list;
    while !at.is_null() {
        // SAFETY: not null, an entry of the list, which is freed below only.
        let entry = unsafe { &*at };
        at = entry.ifa_next;
        if entry.ifa_flags & libc::IFF_UP as u32 == 0 || entry.ifa_addr.is_null() {
            continue;
        }
        // SAFETY: not null; every sockaddr begins with its family.
        let len = match i32::from(unsafe { (*entry.ifa_addr).sa_family }) {
            libc::AF_INET => size_of::<libc::sockaddr_in>(),
            libc::AF_INET6 => size_of::<libc::sockaddr_in6>(),
            _ => continue,
        };
        let mut name = [0u8; NAME_BYTES];
        let name = &mut name[..len];
        // SAFETY: a sockaddr of this family has `len` bytes; `name` is ours and as long.
        unsafe { ptr::copy_nonoverlapping(entry.ifa_addr.cast(), name.as_mut_ptr(), len) };
        if let Some(ip) = read_name(name).as_ref().map(SocketAddr::ip)
            && !is_link_local_v6(ip)
            && !found.contains(&ip)
        {
            found.push(ip);
        }
    }
    // SAFETY: the list came from getifaddrs and is freed once; no borrow of it is left.
    unsafe { libc::freeifaddrs(list) };
    found.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6()));
    Ok(found)
}

fn is_link_local_v6(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if Ipv6Addr::is_unicast_link_local(&v6))
}
