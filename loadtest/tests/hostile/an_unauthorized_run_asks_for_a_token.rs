use super::harness::{http, run};

fn unauthorized() -> String {
    let address = http(|_| {
        let body = r#"{"code":401,"message":"unauthorized"}"#;
        ("401 Unauthorized", String::new(), body.to_owned())
    });
    address.to_string()
}

fn check(words: &[&str]) {
    let ran = run(words);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.error.contains("answered 401 Unauthorized (unauthorized)"), "{ran:?}");
    assert!(ran.error.contains("--token"), "{ran:?}");
}

#[test]
fn by_whip() {
    let url = format!("http://{}/whip/{{stream}}", unauthorized());
    check(&["whip", "--publish-url", &url, "--play-url", &url]);
}

#[test]
fn by_weirs_rest() {
    check(&["weir", "--url", &format!("http://{}", unauthorized())]);
}

#[test]
fn by_weirs_websocket() {
    let url = format!("http://{}", unauthorized());
    check(&["weir", "--url", &url, "--room", "1", "--token", "wrong"]);
}
