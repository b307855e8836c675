//! Runs a command where `io_uring_setup` is forbidden, as in many containers:
//! `without_io_uring COMMAND [ARGUMENT...]`.

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// The same number on every architecture.
const SYS_IO_URING_SETUP: i64 = 425;
const EPERM: u32 = 1;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args_os().skip(1);
    let command = words.next().ok_or("usage: without_io_uring COMMAND [ARGUMENT...]")?;
    let filter = SeccompFilter::new(
        [(SYS_IO_URING_SETUP, Vec::new())].into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(EPERM),
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter(&program)?;
    // Only comes back when it fails.
    Err(Command::new(command).args(words).exec().into())
}
