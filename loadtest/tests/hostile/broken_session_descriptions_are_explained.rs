use super::harness::{deaf, run, whip};

fn check(change: impl Fn(String) -> String + Send + Sync + 'static, error: &str) {
    let (_socket, media) = deaf();
    let url = format!("http://{}/whip", whip(media, change));
    let ran = run(&["whip", "--publish-url", &url, "--play-url", &url]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.error.contains(error), "{ran:?}");
}

#[test]
fn no_session_description_at_all() {
    check(|_| "<html>oops</html>".to_owned(), "no session description");
}

#[test]
fn without_credentials_of_ice() {
    let without = |sdp: String| {
        let lines = sdp.split_inclusive('\n').filter(|line| !line.contains("ice-ufrag"));
        lines.collect::<String>()
    };
    check(without, "the answer has no ice-ufrag in m-line 0");
}

#[test]
fn with_a_track_refused() {
    check(
        |sdp| sdp.replacen("m=video 9", "m=video 0", 1),
        "the answer rejects m-line 0, in which we send VP8",
    );
}
