//! A socket: GRO in, GSO out.

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket};

/// Segments of one call, at most: the kernel's UDP_MAX_SEGMENTS is 64 or 128, and 64 KiB all together.
const MAX_SEGMENTS: usize = 44;

/// Errors in a row that are passed over in one call.
const ERRORS: usize = 16;

/// Switches GRO on and asks for buffers.
pub(super) fn prepare(
    socket: &UdpSocket,
    receive: usize,
    send: usize,
) -> std::io::Result<UdpSocketState> {
    let state = UdpSocketState::new(UdpSockRef::from(socket))?;
    // As much as net.core.rmem_max and wmem_max allow.
    let _ = state.set_recv_buffer_size(UdpSockRef::from(socket), receive);
    let _ = state.set_send_buffer_size(UdpSockRef::from(socket), send);
    Ok(state)
}

/// What sending and receiving goes through.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) socket: mio::net::UdpSocket,
    state: UdpSocketState,
}

impl Port {
    pub(super) fn new(socket: UdpSocket, state: UdpSocketState) -> Self {
        Self { socket: mio::net::UdpSocket::from_std(socket), state }
    }

    /// Receives a batch; 0 when there is nothing.
    pub(super) fn receive(&self, into: &mut [IoSliceMut<'_>], meta: &mut [RecvMeta]) -> usize {
        for _ in 0..ERRORS {
            match self.state.recv(UdpSockRef::from(&self.socket), into, meta) {
                Ok(count) => return count,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return 0,
                // ICMP's about what we sent earlier: checks to addresses where nobody listens. There may be more behind.
                Err(_) => {}
            }
        }
        0
    }

    /// Sends datagrams that lie one behind the other, those of equal size in a row in one call. Gives how many
    /// could not be handed over.
    pub(super) fn send(&self, to: SocketAddr, bytes: &[u8], sizes: &[u16]) -> usize {
        let mut at = 0;
        let mut refused = 0;
        let mut rest = sizes;
        while let Some(size) = rest.first().map(|size| usize::from(*size)) {
            let train = train(rest);
            let len: usize = rest[..train].iter().map(|size| usize::from(*size)).sum();
            let transmit = Transmit {
                destination: to,
                ecn: None,
                contents: &bytes[at..at + len],
                segment_size: (train > 1).then_some(size),
                src_ip: None,
            };
            if self.state.try_send(UdpSockRef::from(&self.socket), &transmit).is_err() {
                refused += train;
            }
            at += len;
            rest = &rest[train..];
        }
        refused
    }
}

/// How many datagrams go in one call: equal ones, and a shorter one at the end.
fn train(sizes: &[u16]) -> usize {
    let Some(first) = sizes.first() else { return 0 };
    let equal = sizes.iter().take(MAX_SEGMENTS).take_while(|size| *size == first).count();
    let shorter = sizes.get(equal).is_some_and(|next| next < first);
    equal + usize::from(shorter && equal < MAX_SEGMENTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_train_has_equal_segments_and_a_shorter_one_at_the_end() {
        assert_eq!(train(&[]), 0);
        assert_eq!(train(&[10, 10, 9, 10]), 3);
        assert_eq!(train(&[10, 11]), 1);
        assert_eq!(train(&[9, 10, 10]), 1);
        assert_eq!(train(&[100; 200]), MAX_SEGMENTS);
    }

    #[test]
    fn datagrams_arrive_as_they_were_sent() {
        let open = || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let state = prepare(&socket, 1 << 20, 1 << 20).unwrap();
            Port::new(socket, state)
        };
        let (a, b) = (open(), open());
        let to = b.socket.local_addr().unwrap();
        let sizes = [100, 100, 100, 40, 7, 900];
        let bytes: Vec<u8> = (0..sizes.iter().sum::<u16>()).map(|n| n as u8).collect();
        assert_eq!(a.send(to, &bytes, &sizes), 0);
        let mut got = Vec::new();
        let mut buffers = vec![vec![0; 1 << 16]; 4];
        while got.len() < sizes.len() {
            let mut slices: Vec<_> = buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
            let mut meta = [RecvMeta::default(); 4];
            let count = b.receive(&mut slices, &mut meta);
            for (buffer, meta) in buffers.iter().zip(&meta[..count]) {
                got.extend(buffer[..meta.len].chunks(meta.stride).map(<[u8]>::to_vec));
            }
        }
        let lens: Vec<u16> = got.iter().map(|datagram| datagram.len() as u16).collect();
        assert_eq!(lens, sizes);
        assert_eq!(got.concat(), bytes);
    }
}
