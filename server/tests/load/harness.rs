//! A server with a meeting, runs against it, and a proxy that loses packets.

use crate::common::Folder;
use crate::running::Running;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use weir_loadtest::engine::EngineConfig;
use weir_loadtest::plan::Verify;
use weir_loadtest::run::{Finished, RunConfig, run};
use weir_loadtest::scenario::Scenario;
use weir_loadtest::target::{Kind, TargetConfig};

/// A server of the test's own.
pub(crate) fn server(name: &str) -> Running {
    Running::start(Folder::new(&format!("load-{name}")), &[])
}

/// How the tool is to reach a server.
pub(crate) fn target(kind: Kind) -> TargetConfig {
    TargetConfig {
        kind,
        url: None,
        publish_url: None,
        play_url: None,
        token: None,
        rooms: Vec::new(),
        timeout: Duration::from_secs(30),
    }
}

/// Runs a scenario to its end.
pub(crate) fn load(name: &str, scenario: &str, target: TargetConfig, verify: Verify) -> Finished {
    let config = RunConfig {
        name: name.to_owned(),
        scenario: Scenario::parse(name, scenario, &[]).unwrap(),
        target,
        engine: EngineConfig { threads: 1, bind: "127.0.0.1".parse().unwrap(), seed: 1 },
        verify,
        server_pids: Vec::new(),
        concurrency: 10,
        quiet: true,
        command: Vec::new(),
    };
    tokio::runtime::Runtime::new().unwrap().block_on(run(config)).unwrap()
}

/// An account's meeting; gives its id and a token that lets guests in.
pub(crate) fn meeting(server: &Running) -> (String, String) {
    let account = json!({"username": "anna", "email": "anna@example.com", "password": "secret123"});
    post(server, "/api/v1/auth/register", None, &account);
    let login = post(server, "/api/v1/auth/login", None, &account);
    let token = login["token"].as_str();
    let meeting = json!({
        "title": "test", "start_time": "2030-01-01T10:00:00Z", "end_time": "2030-01-01T11:00:00Z",
        "max_participants": 100, "meeting_type": "video",
    });
    let id = post(server, "/api/v1/meetings", token, &meeting)["meeting_id"].to_string();
    let path = format!("/api/v1/meetings/{id}/access-tokens");
    let access = post(server, &path, token, &json!({"name": "load"}));
    (id, access["token"].as_str().unwrap().to_owned())
}

fn post(server: &Running, path: &str, token: Option<&str>, body: &Value) -> Value {
    let body = body.to_string();
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         {}Content-Length: {}\r\n\r\n{body}",
        bearer.unwrap_or_default(),
        body.len()
    );
    let (head, answer) = ask(&server.authority(), request.as_bytes());
    assert!(head.starts_with("HTTP/1.1 20"), "{path}: {head}{answer}");
    serde_json::from_str::<Value>(&answer).unwrap()["data"].clone()
}

/// Sends a request that closes the connection; head and body of the answer.
fn ask(authority: &str, request: &[u8]) -> (String, String) {
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (format!("{head}\r\n"), body.to_owned())
}

/// Stands before a server's WHIP and WHEP and its media port, loses 3 of each 100 RTP packets towards each
/// client, and keeps from the clients that they could ask for them again.
pub(crate) fn losing_proxy(server: &Running) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let authority = server.authority();
    std::thread::spawn(move || {
        let media = OnceLock::new();
        for mut stream in listener.incoming().flatten() {
            let request = read(&mut stream);
            let (head, body) = ask(&authority, &request);
            let body = change(&body, &media);
            let kept = head
                .lines()
                .filter(|line| !line.to_ascii_lowercase().starts_with("content-length"));
            let head: String = kept.map(|line| format!("{line}\r\n")).collect();
            let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    address
}

/// A request with the wish that the connection be closed after it.
fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap() == 0 {
            return request;
        }
        request.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    let mut lengths = head.lines().filter_map(|line| line.strip_prefix("content-length:"));
    let length = lengths.next().map_or(0, |length| length.trim().parse().unwrap());
    request.truncate(request.len() - 2);
    request.extend_from_slice(b"Connection: close\r\n\r\n");
    let begin = request.len();
    request.resize(begin + length, 0);
    stream.read_exact(&mut request[begin..]).unwrap();
    request
}

/// An answer with our media port in place of the server's, and without `nack`.
fn change(sdp: &str, media: &OnceLock<(SocketAddr, SocketAddr)>) -> String {
    let candidate = sdp.lines().find_map(|line| line.strip_prefix("a=candidate:"));
    let Some(candidate) = candidate else { return sdp.to_owned() };
    let words: Vec<&str> = candidate.split(' ').collect();
    let server = SocketAddr::new(words[4].parse().unwrap(), words[5].parse().unwrap());
    let (known, ours) = *media.get_or_init(|| (server, losing_port(server)));
    assert_eq!(known, server, "one shard has one port");
    let lines =
        sdp.lines().filter(|line| !(line.starts_with("a=rtcp-fb:") && line.ends_with(" nack")));
    let moved = lines.map(|line| {
        line.replace(&format!(" {} typ", server.port()), &format!(" {} typ", ours.port())) + "\r\n"
    });
    moved.collect()
}

/// Between clients and the server: what clients send goes through, of what the server sends 3 % do not.
fn losing_port(server: SocketAddr) -> SocketAddr {
    let front = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
    let address = front.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut backs: BTreeMap<SocketAddr, Arc<UdpSocket>> = BTreeMap::new();
        let mut buffer = vec![0; 65_536];
        while let Ok((length, client)) = front.recv_from(&mut buffer) {
            let back = backs.entry(client).or_insert_with(|| {
                let back = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
                back.connect(server).unwrap();
                let (front, from) = (Arc::clone(&front), Arc::clone(&back));
                std::thread::spawn(move || towards(&front, client, &from));
                back
            });
            let _ = back.send(&buffer[..length]);
        }
    });
    address
}

fn towards(front: &UdpSocket, client: SocketAddr, back: &UdpSocket) {
    let mut buffer = vec![0; 65_536];
    let mut rtp = 0_u32;
    while let Ok(length) = back.recv(&mut buffer) {
        let datagram = &buffer[..length];
        // RFC 7983 and RFC 5761: RTP, and not RTCP.
        let is_rtp =
            matches!(datagram, [128..=191, kind, ..] if !(64..=95).contains(&(kind & 0x7f)));
        rtp += u32::from(is_rtp);
        // 3 of 100, never two in a row.
        if !(is_rtp && rtp * 3 % 100 < 3) {
            let _ = front.send_to(datagram, client);
        }
    }
}
