use super::harness::run;

#[test]
fn a_url_of_the_wrong_kind() {
    let ran = run(&["weir", "--url", "ws://127.0.0.1:1"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.error.contains("http:// or https://"), "{ran:?}");
}

#[test]
fn whip_without_urls() {
    let ran = run(&["whip"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.error.contains("--publish-url"), "{ran:?}");
}

#[test]
fn a_change_of_what_is_not_there() {
    let ran = run(&["weir", "--set", "roles.vewer.count=1"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.error.contains("speaker, viewer"), "{ran:?}");
}
