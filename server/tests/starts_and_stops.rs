//! The process itself: it says when it is ready, serves over TCP and TLS on each address, and ends
//! in order on a signal.

mod common;
#[path = "common/running.rs"]
mod running;

use common::{Folder, weir};
use running::Running;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// From the signal to the end: the promise of the operator's page.
const PROMISED: Duration = Duration::from_secs(5);

/// Asks for `/health` on an open connection and returns the status line.
fn health(mut connection: impl Read + Write) -> String {
    connection
        .write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    // A TLS peer may close without saying so first; the answer is there by then.
    let _ = connection.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_signal_ends_it_with_zero_in_time() {
    for signal in ["TERM", "INT"] {
        let mut server = Running::start(Folder::new(&format!("stops-{signal}")), &[]);
        assert!(server.url.starts_with("http://localhost:"), "{}", server.url);
        assert_eq!(health(TcpStream::connect(server.authority()).unwrap()), "HTTP/1.1 200 OK");
        // Who keeps a connection open and says nothing must not keep the server from ending.
        let _idle = TcpStream::connect(server.authority()).unwrap();
        server.signal(signal);
        let status = server.wait(PROMISED).expect("it did not end in time");
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}

#[test]
fn every_address_is_served() {
    let ports =
        [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let listen = ports.map(|port| format!("127.0.0.1:{port}")).join(",");
    let _server = Running::start(Folder::new("addresses"), &[("WEIR__HTTP__LISTEN", &listen)]);
    for port in ports {
        let connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert_eq!(health(connection), "HTTP/1.1 200 OK");
    }
}

#[test]
fn tls_is_served_where_a_certificate_is_configured() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = Folder::new("tls");
    folder.write("cert.pem", &made.cert.pem());
    folder.write("key.pem", &made.signing_key.serialize_pem());
    let env = [("WEIR__HTTP__TLS_CERT", "cert.pem"), ("WEIR__HTTP__TLS_KEY", "key.pem")];
    let server = Running::start(folder, &env);
    assert!(server.url.starts_with("https://localhost:"), "{}", server.url);

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let tcp = TcpStream::connect(server.authority()).unwrap();
    assert_eq!(health(rustls::StreamOwned::new(client, tcp)), "HTTP/1.1 200 OK");
}

#[test]
fn what_keeps_it_from_starting_is_named() {
    let folder = Folder::new("not-starting");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let output = weir(&folder, &["serve"], &[("WEIR__HTTP__LISTEN", &listen)]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("http.listen") && text.contains(&listen), "{text}");

    folder.write("cert.pem", "no certificate");
    folder.write("key.pem", "no key");
    let env = [
        ("WEIR__HTTP__LISTEN", "127.0.0.1:0"),
        ("WEIR__HTTP__TLS_CERT", "cert.pem"),
        ("WEIR__HTTP__TLS_KEY", "key.pem"),
    ];
    let output = weir(&folder, &["serve"], &env);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("http.tls_cert"), "{text}");
}
