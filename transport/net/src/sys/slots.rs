//! Message headers for sending, in memory that stays where it is.

use std::ptr;

use weir_wire::train::{Train, TrainBuf};

use crate::addr::{NAME_BYTES, Name};
use crate::cmsg::{CONTROL_BYTES, Control, build};

/// Headers, addresses and control messages of a batch of messages.
pub(crate) struct MessageSlots {
    headers: Box<[libc::mmsghdr]>,
    iovs: Box<[libc::iovec]>,
    names: Box<[Name]>,
    controls: Box<[Control]>,
    ipv6_socket: bool,
}

// SAFETY: the raw pointers inside point into the boxes next to them or, during a call, into a
// borrowed TrainBuf; nothing is tied to a thread.
unsafe impl Send for MessageSlots {}

pub(super) const EMPTY_IOV: libc::iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };

/// A header without pointers.
pub(super) fn empty_header() -> libc::mmsghdr {
    // SAFETY: a structure of integers and pointers, for which zero is valid.
    unsafe { std::mem::zeroed() }
}

impl MessageSlots {
    pub(crate) fn new(len: usize, ipv6_socket: bool) -> Self {
        Self {
            headers: (0..len).map(|_| empty_header()).collect(),
            iovs: vec![EMPTY_IOV; len].into(),
            names: vec![Name::EMPTY; len].into(),
            controls: vec![Control::EMPTY; len].into(),
            ipv6_socket,
        }
    }

    /// Fills one slot for each train of `batch` and returns the headers.
    ///
    /// The headers hold pointers to the bytes of `trains` and into `self`: they are valid until
    /// either is changed, moved out of or dropped. More trains than slots are left out.
    pub(super) fn prepare(&mut self, trains: &TrainBuf, batch: &[Train]) -> &mut [libc::mmsghdr] {
        let count = batch.len().min(self.headers.len());
        for (i, train) in batch.iter().take(count).enumerate() {
            let bytes = trains.bytes(train);
            let segment = (train.count > 1).then_some(train.segment);
            let name_len = self.names[i].write(train.dst, self.ipv6_socket);
            let control_len = build(&mut self.controls[i], self.ipv6_socket, train.src, segment);
            debug_assert!(name_len as usize <= NAME_BYTES && control_len <= CONTROL_BYTES);
            // The kernel only reads through this pointer.
            self.iovs[i] =
                libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
            let header = &mut self.headers[i].msg_hdr;
            header.msg_namelen = name_len;
            header.msg_controllen = control_len as _;
            header.msg_iovlen = 1;
        }
        // Pointers last, so that no later access through the boxes outdates them.
        let names = self.names.as_mut_ptr();
        let iovs = self.iovs.as_mut_ptr();
        let controls = self.controls.as_mut_ptr();
        for (i, slot) in self.headers.iter_mut().take(count).enumerate() {
            let header = &mut slot.msg_hdr;
            header.msg_name = names.wrapping_add(i).cast();
            header.msg_iov = iovs.wrapping_add(i);
            header.msg_control = if header.msg_controllen == 0 {
                ptr::null_mut()
            } else {
                controls.wrapping_add(i).cast()
            };
        }
        &mut self.headers[..count]
    }
}
