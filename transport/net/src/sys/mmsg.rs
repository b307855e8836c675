//! `recvmmsg` and `sendmmsg`.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use weir_wire::train::{Train, TrainBuf};

use super::slots::{EMPTY_IOV, MessageSlots, empty_header};
use super::{check, errno};
use crate::addr::{NAME_BYTES, Name};
use crate::cmsg::{CONTROL_BYTES, Control};
use crate::recv::RawMessage;

/// Room for one message: the largest that GRO makes.
const MESSAGE_BYTES: usize = 65_536;

/// A batch of received messages.
pub(crate) struct ReceiveBatch {
    headers: Box<[libc::mmsghdr]>,
    iovs: Box<[libc::iovec]>,
    names: Box<[Name]>,
    controls: Box<[Control]>,
    data: Box<[u8]>,
    filled: usize,
    next: usize,
}

// SAFETY: the raw pointers inside point into the boxes next to them; nothing is tied to a thread.
unsafe impl Send for ReceiveBatch {}

impl ReceiveBatch {
    /// Messages in a batch: 2 MiB of buffers, of which the kernel backs what is used.
    pub(crate) const LEN: usize = 32;

    pub(crate) fn new() -> Self {
        Self {
            headers: (0..Self::LEN).map(|_| empty_header()).collect(),
            iovs: vec![EMPTY_IOV; Self::LEN].into(),
            names: vec![Name::EMPTY; Self::LEN].into(),
            controls: vec![Control::EMPTY; Self::LEN].into(),
            data: vec![0; Self::LEN * MESSAGE_BYTES].into(),
            filled: 0,
            next: 0,
        }
    }

    /// Whether all messages have been taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.next >= self.filled
    }

    /// Receives what waits, up to [`Self::LEN`] messages, and returns their number. Messages not
    /// yet taken are lost.
    pub(crate) fn fill(&mut self, socket: BorrowedFd<'_>) -> io::Result<usize> {
        let (names, controls) = (self.names.as_mut_ptr(), self.controls.as_mut_ptr());
        let (iovs, data) = (self.iovs.as_mut_ptr(), self.data.as_mut_ptr());
        for (i, slot) in self.headers.iter_mut().enumerate() {
            // SAFETY: `i` is below LEN, the length of `iovs`; a plain store of an iovec.
            unsafe {
                iovs.add(i).write(libc::iovec {
                    iov_base: data.wrapping_add(i * MESSAGE_BYTES).cast(),
                    iov_len: MESSAGE_BYTES,
                });
            }
            let header = &mut slot.msg_hdr;
            header.msg_name = names.wrapping_add(i).cast();
            header.msg_namelen = NAME_BYTES as u32;
            header.msg_iov = iovs.wrapping_add(i);
            header.msg_iovlen = 1;
            header.msg_control = controls.wrapping_add(i).cast();
            header.msg_controllen = CONTROL_BYTES as _;
            header.msg_flags = 0;
        }
        (self.filled, self.next) = (0, 0);
        // SAFETY: every header points to a name, an iovec with its share of `data` and control
        // memory of the lengths given, all owned by `self`, which is borrowed across the call.
        let count = check(unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                Self::LEN as u32,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        });
        match count {
            Ok(count) => self.filled = (count as usize).min(Self::LEN),
            Err(error)
                if matches!(
                    error.raw_os_error(),
                    Some(libc::EBADF | libc::ENOTSOCK | libc::EFAULT | libc::EINVAL)
                ) =>
            {
                return Err(error);
            }
            // Nothing waits, a signal, or an error that an ICMP message left in the socket.
            Err(_) => {}
        }
        Ok(self.filled)
    }

    /// Takes the next message.
    pub(crate) fn pop(&mut self) -> Option<RawMessage<'_>> {
        let i = self.next;
        if i >= self.filled {
            return None;
        }
        self.next += 1;
        let header = &self.headers[i].msg_hdr;
        #[allow(clippy::unnecessary_cast, reason = "u32 with musl")]
        let control_len = header.msg_controllen as usize;
        let len = (self.headers[i].msg_len as usize).min(MESSAGE_BYTES);
        let start = i * MESSAGE_BYTES;
        Some(RawMessage {
            name: &self.names[i].0[..(header.msg_namelen as usize).min(NAME_BYTES)],
            control: &self.controls[i].0[..control_len.min(CONTROL_BYTES)],
            payload: &self.data[start..start + len],
            truncated: header.msg_flags & (libc::MSG_TRUNC | libc::MSG_CTRUNC) != 0,
        })
    }
}

/// Sends a batch without blocking and writes for each message the bytes sent or a negative
/// `errno`. Returns how many calls it took.
pub(crate) fn send_batch(
    socket: BorrowedFd<'_>,
    slots: &mut MessageSlots,
    trains: &TrainBuf,
    batch: &[Train],
    results: &mut [i32],
) -> u64 {
    let headers = slots.prepare(trains, batch);
    let total = headers.len().min(results.len());
    let (mut done, mut calls) = (0, 0);
    while done < total {
        calls += 1;
        // SAFETY: `done < total <= headers.len()`, so the rest of the headers is valid for
        // `total - done` elements; what they point to lives in `slots` and `trains`, both
        // borrowed across the call.
        let sent = unsafe {
            libc::sendmmsg(
                socket.as_raw_fd(),
                headers.as_mut_ptr().add(done),
                (total - done) as u32,
                libc::MSG_DONTWAIT as _,
            )
        };
        if sent > 0 {
            let end = total.min(done + sent as usize);
            for i in done..end {
                results[i] = i32::try_from(headers[i].msg_len).unwrap_or(i32::MAX);
            }
            done = end;
        } else {
            // The error is the first message's; the ones behind it get their turn.
            match errno() {
                libc::EINTR => {}
                errno => {
                    results[done] = -errno;
                    done += 1;
                }
            }
        }
    }
    calls
}
