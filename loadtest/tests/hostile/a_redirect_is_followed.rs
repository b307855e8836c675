use super::harness::{deaf, http, run, whip};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn a_307_takes_offer_and_body_along() {
    let (_socket, media) = deaf();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let behind = whip(media, move |sdp| {
        count.fetch_add(1, Ordering::Relaxed);
        sdp
    });
    let front = http(move |_| {
        let location = format!("Location: http://{behind}/elsewhere\r\n");
        ("307 Temporary Redirect", location, String::new())
    });
    let url = format!("http://{front}/whip");
    let ran = run(&["whip", "--publish-url", &url, "--play-url", &url]);
    // The media port is deaf: that is how far it must come.
    assert!(ran.error.contains("no media connection"), "{ran:?}");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn endless_redirects_end() {
    let front =
        http(|_| ("308 Permanent Redirect", "Location: /again\r\n".to_owned(), String::new()));
    let url = format!("http://{front}/whip");
    let ran = run(&["whip", "--publish-url", &url, "--play-url", &url]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.error.contains("redirects"), "{ran:?}");
}
