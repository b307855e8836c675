use crate::common::{Server, get};

#[tokio::test]
async fn requests_are_counted_by_route() {
    let server = Server::start().await;
    let ada = server.person("ada").await;
    server.call(get("/api/v1/users/profile").by(&ada)).await.ok();
    server.call(get("/api/v1/users/profile")).await.refused(401, 401);
    server.call(get("/api/v1/nonesuch/secret")).await.refused(404, 404);
    let answer = server.call(get("/metrics")).await;
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("# TYPE weir_http_requests_total counter"), "{text}");
    for status in [200, 401] {
        let line = format!(
            "weir_http_requests_total{{method=\"GET\",route=\"users.profile_get\",status=\"{status}\"}} 1"
        );
        assert!(text.contains(&line), "{text}");
    }
    assert!(text.contains("route=\"other\",status=\"404\""), "{text}");
    assert!(!text.contains("nonesuch"), "{text}");
    let data = server.call(get("/health")).await.ok();
    assert_eq!(data["services"]["user"], "healthy");
    assert_eq!(data["services"]["ai"], "unavailable");
}
