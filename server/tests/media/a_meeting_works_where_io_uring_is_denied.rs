//! As in many containers: a seccomp filter refuses `io_uring_setup`. `auto` falls back, says so
//! once, and the meeting does not notice.

use crate::harness::{Call, Server};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// The same on every architecture.
const SYS_IO_URING_SETUP: i64 = 425;
const EPERM: u32 = 1;

/// Denies the call to this thread and to the processes it starts.
fn deny_io_uring() {
    let filter = SeccompFilter::new(
        [(SYS_IO_URING_SETUP, Vec::new())].into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(EPERM),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[test]
fn and_the_log_says_so_once() {
    let start = || {
        deny_io_uring();
        Server::start_with(&[("WEIR__MEDIA__SHARDS", "2"), ("WEIR__MEDIA__BACKEND", "auto")])
    };
    let server = std::thread::spawn(start).join().unwrap();
    let call = Call::start(&server);
    call.was_undisturbed();
    server.nothing_was_dropped();
    let metrics = server.metrics();
    assert_eq!(metrics.sum("weir_backend_info", &["kind=\"mmsg\""]), 1.0);
    assert_eq!(metrics.sum("weir_backend_fallback", &[]), 2.0, "both shards");
    let log = server.process.log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("io_uring"), "{log}");
}
