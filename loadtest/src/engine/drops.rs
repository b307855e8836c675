//! What the kernel dropped at our sockets because we did not read in time, from /proc/net/udp.

use std::collections::HashMap;

/// Drops by local port. Sockets come and go; what was seen of them stays counted.
#[derive(Debug, Default)]
pub(super) struct Drops {
    /// Since this port was opened: what was seen last.
    ports: HashMap<u16, u64>,
    gone: u64,
}

impl Drops {
    /// A socket of ours was opened.
    pub(super) fn watch(&mut self, port: u16) {
        self.gone += self.ports.insert(port, 0).unwrap_or(0);
    }

    /// The sum so far, of all sockets that were ever seen.
    pub(super) fn look(&mut self) -> u64 {
        for path in ["/proc/net/udp", "/proc/net/udp6"] {
            let Ok(table) = std::fs::read_to_string(path) else { continue };
            self.take(&table);
        }
        self.gone + self.ports.values().sum::<u64>()
    }

    fn take(&mut self, table: &str) {
        for line in table.lines().skip(1) {
            let Some((port, drops)) = read(line) else { continue };
            if let Some(known) = self.ports.get_mut(&port) {
                *known = (*known).max(drops);
            }
        }
    }
}

/// Local port and drops of a line: `sl local_address rem_address st ... ref pointer drops`.
fn read(line: &str) -> Option<(u16, u64)> {
    let mut words = line.split_ascii_whitespace();
    let (_, port) = words.nth(1)?.rsplit_once(':')?;
    Some((u16::from_str_radix(port, 16).ok()?, words.last()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_those_of_our_ports_and_stay_when_a_port_is_used_again() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
        let line = |port: u16, drops: u64| {
            format!(
                " 1: 0100007F:{port:04X} 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 1 2 0 {drops}"
            )
        };
        let mut drops = Drops::default();
        drops.watch(4000);
        drops.take(&[head.to_owned(), line(4000, 7), line(4001, 9)].join("\n"));
        assert_eq!(drops.ports.values().sum::<u64>(), 7);
        drops.watch(4000);
        drops.take(&[head.to_owned(), line(4000, 2)].join("\n"));
        assert_eq!(drops.gone + drops.ports.values().sum::<u64>(), 9);
    }
}
