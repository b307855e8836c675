use super::harness::run;
use std::net::TcpListener;

#[test]
fn nobody_listens() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (target, scheme) in [("weir", "http"), ("janus", "ws")] {
        let ran = run(&[target, "--url", &format!("{scheme}://{address}")]);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.error.contains("cannot connect to"), "{ran:?}");
        assert!(ran.error.contains("refused"), "{ran:?}");
    }
}
