use crate::common::{Server, get};

#[tokio::test]
async fn under_the_root_and_under_meeting_links() {
    let server = Server::start().await;
    for path in ["/", "/m/1234567890", "/m/1234567890/"] {
        let answer = server.call(get(path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").unwrap().starts_with("text/html"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert!(!answer.body.is_empty());
    }
    server.call(get("/assets/none.js")).await.refused(404, 404);
    server.call(get("/assets/../index.html")).await.refused(404, 404);
    let docs = server.call(get("/docs")).await;
    assert!(docs.header("content-type").unwrap().starts_with("text/html"));
    assert!(docs.header("content-security-policy").is_some());
}
