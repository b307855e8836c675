//! Whose datagram is it? A shard's tables from user name fragments and addresses to peers.

use std::collections::HashMap;
use std::net::SocketAddr;

use foldhash::fast::FixedState;

use crate::limits::MAX_ADDRESSES_PER_PEER;

/// Peers by the user name fragment we gave them and by their authenticated addresses.
///
/// The tables are never iterated, so that their order cannot leak into behaviour.
#[derive(Debug)]
pub struct Demux {
    ufrags: HashMap<String, u32, FixedState>,
    addrs: HashMap<SocketAddr, u32, FixedState>,
    by_key: HashMap<u32, Vec<SocketAddr>, FixedState>,
}

impl Demux {
    /// Empty tables. `seed` keeps clients from choosing colliding addresses.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            ufrags: HashMap::with_hasher(FixedState::with_seed(seed)),
            addrs: HashMap::with_hasher(FixedState::with_seed(seed)),
            by_key: HashMap::with_hasher(FixedState::with_seed(seed)),
        }
    }

    /// A user name fragment of ours belongs to the peer `key`.
    pub fn insert_ufrag(&mut self, local_ufrag: &str, key: u32) {
        self.ufrags.insert(local_ufrag.to_owned(), key);
    }

    /// Forgets a user name fragment of ours.
    pub fn remove_ufrag(&mut self, local_ufrag: &str) {
        self.ufrags.remove(local_ufrag);
    }

    /// An address belongs to the peer `key` from now on, whoever had it before: its check was
    /// authenticated. False when the peer has [`MAX_ADDRESSES_PER_PEER`] already; take
    /// [`crate::StunOutcome::evicted`] away first.
    pub fn insert_addr(&mut self, addr: SocketAddr, key: u32) -> bool {
        if self.addrs.get(&addr) == Some(&key) {
            return true;
        }
        let full = self.by_key.get(&key).is_some_and(|addrs| addrs.len() >= MAX_ADDRESSES_PER_PEER);
        if full {
            return false;
        }
        self.remove_addr(&addr);
        self.addrs.insert(addr, key);
        self.by_key.entry(key).or_default().push(addr);
        true
    }

    /// Forgets an address.
    pub fn remove_addr(&mut self, addr: &SocketAddr) {
        if let Some(key) = self.addrs.remove(addr)
            && let Some(addrs) = self.by_key.get_mut(&key)
        {
            addrs.retain(|a| a != addr);
            if addrs.is_empty() {
                self.by_key.remove(&key);
            }
        }
    }

    /// Forgets all addresses of a peer that has gone.
    pub fn remove_key(&mut self, key: u32) {
        for addr in self.by_key.remove(&key).unwrap_or_default() {
            self.addrs.remove(&addr);
        }
    }

    /// The peer that sends from `addr`.
    #[must_use]
    pub fn by_addr(&self, addr: &SocketAddr) -> Option<u32> {
        self.addrs.get(addr).copied()
    }

    /// The peer we gave this user name fragment.
    #[must_use]
    pub fn by_ufrag(&self, local_ufrag: &str) -> Option<u32> {
        self.ufrags.get(local_ufrag).copied()
    }

    /// Entries in all tables together: 0 when all peers have gone.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ufrags.len().saturating_add(self.addrs.len())
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn an_address_belongs_to_the_last_peer_that_proved_it() {
        let mut demux = Demux::new(1);
        demux.insert_ufrag("aaaa", 1);
        assert!(demux.insert_addr(addr(1), 1));
        assert!(demux.insert_addr(addr(1), 2));
        assert_eq!(demux.by_addr(&addr(1)), Some(2));
        demux.remove_key(1);
        assert_eq!(demux.by_addr(&addr(1)), Some(2));
        demux.remove_key(2);
        demux.remove_ufrag("aaaa");
        assert!(demux.is_empty());
    }

    #[test]
    fn a_peer_has_a_bounded_number_of_addresses() {
        let mut demux = Demux::new(1);
        for port in 1..=MAX_ADDRESSES_PER_PEER as u16 {
            assert!(demux.insert_addr(addr(port), 7));
        }
        assert!(!demux.insert_addr(addr(100), 7));
        assert!(demux.insert_addr(addr(1), 7), "known already");
        demux.remove_addr(&addr(1));
        assert!(demux.insert_addr(addr(100), 7));
        assert_eq!(demux.by_addr(&addr(1)), None);
    }
}
