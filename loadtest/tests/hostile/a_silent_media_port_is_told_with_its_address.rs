use super::harness::{deaf, run, whip};

#[test]
fn nobody_answers_the_checks() {
    let (_socket, media) = deaf();
    let url = format!("http://{}/whip", whip(media, |sdp| sdp));
    let ran = run(&["whip", "--publish-url", &url, "--play-url", &url]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let told = format!("no media connection (ICE and DTLS) to {media} within 1 s");
    assert!(ran.error.contains(&told), "{ran:?}");
}

#[test]
fn an_answer_without_candidates_says_so() {
    let (_socket, media) = deaf();
    let without = |sdp: String| {
        sdp.split_inclusive('\n').filter(|line| !line.contains("candidate")).collect::<String>()
    };
    let url = format!("http://{}/whip", whip(media, without));
    let ran = run(&["whip", "--publish-url", &url, "--play-url", &url]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.error.contains("no candidate over UDP"), "{ran:?}");
}
