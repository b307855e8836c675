//! The operator's promise: SIGTERM ends a running meeting in order.

use crate::harness::{Call, Server};
use std::time::{Duration, Instant};

#[test]
fn in_the_middle_of_a_meeting() {
    let server = Server::start();
    let Call { mut anna, mut ben, .. } = Call::start(&server);
    let begin = Instant::now();
    server.process.signal("TERM");
    assert_eq!((anna.ws.closed(), ben.ws.closed()), (1001, 1001));
    let Server { mut process } = server;
    let left = Duration::from_secs(5).saturating_sub(begin.elapsed());
    let status = process.wait(left).expect("it did not end within 5 s");
    assert_eq!(status.code(), Some(0));
    let log = process.log();
    assert!(!log.contains("panicked") && !log.contains("WARN"), "{log}");
}
