//! A ring of provided buffers: memory the kernel takes for received messages by itself.

use std::sync::atomic::{AtomicU16, Ordering};
use std::{io, ptr, slice};

use io_uring::Submitter;
use io_uring::types::BufRingEntry;

/// Buffers in the ring. The kernel backs only the pages that messages have touched.
pub(super) const BUFFERS: u16 = 256;

/// Room for the largest message GRO makes (64 KiB), its header, sender and control messages.
const BUFFER_BYTES: usize = 65_536 + 256;

const RING_BYTES: usize = BUFFERS as usize * size_of::<BufRingEntry>();
const MAP_BYTES: usize = RING_BYTES + BUFFERS as usize * BUFFER_BYTES;

/// The ring and its buffers. Must live until the kernel has let go of them.
pub(super) struct BufferRing {
    /// Start of the mapping: first the ring's entries, then the buffers.
    map: *mut u8,
    tail: u16,
}

// SAFETY: the mapping belongs to this value alone and is not tied to a thread.
unsafe impl Send for BufferRing {}

impl BufferRing {
    /// Maps the memory and registers it as buffer group `group`.
    pub(super) fn new(submitter: &Submitter<'_>, group: u16) -> io::Result<Self> {
        // SAFETY: a new private mapping at an address of the kernel's choice.
        let map = unsafe {
            libc::mmap(
                ptr::null_mut(),
                MAP_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if map == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let mut ring = Self { map: map.cast(), tail: 0 };
        for id in 0..BUFFERS {
            ring.give(id);
        }
        ring.publish();
        // SAFETY: the mapping begins with a page-aligned ring of BUFFERS entries and lives as
        // long as `ring`; the owner drops that after the io_uring.
        unsafe { submitter.register_buf_ring_with_flags(map as u64, BUFFERS, group, 0)? };
        Ok(ring)
    }

    /// Puts buffer `id` back; the kernel sees it after [`publish`](Self::publish).
    pub(super) fn give(&mut self, id: u16) {
        let id = id % BUFFERS;
        let slot = usize::from(self.tail % BUFFERS);
        let addr = self.buffer(id) as u64;
        // SAFETY: `slot` is below BUFFERS; the mapping is zeroed or written by us, aligned to a
        // page, and the kernel does not read beyond the published tail.
        let entry = unsafe { &mut *self.map.cast::<BufRingEntry>().add(slot) };
        entry.set_addr(addr);
        entry.set_len(BUFFER_BYTES as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
    }

    /// Shows the kernel all buffers given back.
    pub(super) fn publish(&self) {
        // SAFETY: the mapping begins with the first entry of the ring, which holds the tail;
        // both sides use it atomically.
        let tail = unsafe { &*BufRingEntry::tail(self.map.cast()).cast::<AtomicU16>() };
        tail.store(self.tail, Ordering::Release);
    }

    /// The first `len` bytes of buffer `id`.
    ///
    /// # Safety
    /// A completion has handed out the buffer, and nothing is published while the bytes are used
    /// if it has been given back.
    pub(super) unsafe fn get(&self, id: u16, len: usize) -> &[u8] {
        // SAFETY: inside the mapping; the kernel does not write to a buffer it handed out.
        unsafe { slice::from_raw_parts(self.buffer(id % BUFFERS), len.min(BUFFER_BYTES)) }
    }

    fn buffer(&self, id: u16) -> *mut u8 {
        self.map.wrapping_add(RING_BYTES + usize::from(id) * BUFFER_BYTES)
    }
}

impl Drop for BufferRing {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nothing refers to it any more.
        unsafe { libc::munmap(self.map.cast(), MAP_BYTES) };
    }
}
