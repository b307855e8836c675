//! `media.backend = "mmsg"` in the configuration file.

use crate::harness::server::folder;
use crate::harness::{Call, Server};

#[test]
fn as_io_uring_does() {
    let folder = folder();
    folder.write("config.toml", "[media]\nbackend = \"mmsg\"\n");
    let server = Server::start_in(folder, &[]);
    let call = Call::start(&server);
    call.was_undisturbed();
    server.nothing_was_dropped();
    let metrics = server.metrics();
    assert_eq!(metrics.sum("weir_backend_info", &["kind=\"mmsg\""]), 1.0);
    assert_eq!(metrics.sum("weir_backend_info", &["kind=\"io_uring\""]), 0.0);
    // It was asked for.
    assert_eq!(metrics.sum("weir_backend_fallback", &[]), 0.0);
}
