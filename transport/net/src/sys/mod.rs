//! System calls behind safe functions. The only folder of this crate with `unsafe` code.

mod buffers;
pub(crate) mod event;
pub(crate) mod interfaces;
pub(crate) mod mmsg;
pub(crate) mod ring;
pub(crate) mod slots;
pub(crate) mod socket;

use std::io;

/// The result of a call that answers -1 and `errno` on failure.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}
