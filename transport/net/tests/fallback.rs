//! Where io_uring is denied the server still runs, and says so once.
//!
//! A seccomp filter holds for the thread that sets it: each case runs on a thread of its own.

mod common;

use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;

use common::{collect, config, next, peer};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use weir_net::{BackendChoice, BackendKind, NetError, open, probe_io_uring};
use weir_wire::train::TrainBuf;

/// Makes `call` fail with `errno` on this thread; with `first_arg` only if that is its first.
fn deny(call: i64, first_arg: Option<u64>, errno: i32) {
    let rules = first_arg
        .map(|value| {
            let condition =
                SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
            SeccompRule::new(vec![condition.unwrap()]).unwrap()
        })
        .into_iter()
        .collect();
    let filter = SeccompFilter::new(
        [(call, rules)].into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno as u32),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[derive(Clone)]
struct Log(mpsc::Sender<Vec<u8>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn denied_io_uring_falls_back_with_one_log_line() {
    let (log, lines) = mpsc::channel();
    let log = Log(log);
    for (call, errno, text) in [
        (libc::SYS_io_uring_setup, libc::EPERM, "io_uring_setup"),
        (libc::SYS_io_uring_setup, libc::ENOSYS, "io_uring_setup"),
        (libc::SYS_io_uring_register, libc::EPERM, "io_uring_register"),
        (libc::SYS_io_uring_enter, libc::EPERM, "io_uring_enter"),
    ] {
        let writer = log.clone();
        thread::spawn(move || {
            deny(call, None, errno);
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
                .with_writer(move || writer.clone())
                .finish();
            let _guard = tracing::subscriber::set_default(subscriber);
            let (mut backend, fallback) =
                open(BackendChoice::Auto, &config("127.0.0.1:0")).unwrap();
            assert_eq!(backend.kind(), BackendKind::Mmsg);
            let reason = fallback.expect("a reason");
            assert!(reason.contains(text), "{reason}");

            // It carries datagrams.
            let peer = peer("127.0.0.1:0");
            peer.send_to(b"ping", backend.local_addr()).unwrap();
            let got = collect(&mut *backend, 1).remove(0);
            let mut trains = TrainBuf::default();
            trains.push(got.src, got.dst, &got.data);
            backend.send(&mut trains);
            assert_eq!(next(&peer).0, b"ping");

            // By name it is an error, and other choices log nothing.
            assert!(probe_io_uring().is_err());
            assert!(matches!(
                open(BackendChoice::IoUring, &config("127.0.0.1:0")),
                Err(NetError::IoUring { .. })
            ));
            let (backend, fallback) = open(BackendChoice::Mmsg, &config("127.0.0.1:0")).unwrap();
            assert_eq!((backend.kind(), fallback), (BackendKind::Mmsg, None));
        })
        .join()
        .unwrap();
    }
    drop(log);
    let log = String::from_utf8(lines.iter().flatten().collect()).unwrap();
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 1, "{log}");
    assert!(lines[0].contains("WARN") && lines[0].contains("io_uring_setup"), "{log}");
}

#[test]
fn without_ipv6_the_unspecified_address_means_ipv4() {
    thread::spawn(|| {
        deny(libc::SYS_socket, Some(libc::AF_INET6 as u64), libc::EAFNOSUPPORT);
        let (mut backend, _) = open(BackendChoice::Mmsg, &config("[::]:0")).unwrap();
        assert!(backend.local_addr().is_ipv4());
        let peer = peer("127.0.0.1:0");
        peer.send_to(b"4", ("127.0.0.1", backend.local_addr().port())).unwrap();
        assert_eq!(collect(&mut *backend, 1)[0].data, b"4");
        // An address that was named is not replaced by another.
        assert!(open(BackendChoice::Mmsg, &config("[::1]:0")).is_err());
    })
    .join()
    .unwrap();
}

#[test]
fn old_kernels_without_epoll_pwait2_wait_with_epoll_wait() {
    for errno in [libc::ENOSYS, libc::EPERM] {
        thread::spawn(move || {
            deny(libc::SYS_epoll_pwait2, None, errno);
            let (mut backend, _) = open(BackendChoice::Mmsg, &config("127.0.0.1:0")).unwrap();
            let peer = peer("127.0.0.1:0");
            peer.send_to(b"old", backend.local_addr()).unwrap();
            assert_eq!(collect(&mut *backend, 1)[0].data, b"old");
            backend.waker().wake();
            while !backend.receive(None, &mut |_| ()).unwrap().woken {}
        })
        .join()
        .unwrap();
    }
}
