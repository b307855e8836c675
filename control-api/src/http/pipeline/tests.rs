use super::Pipeline;
use crate::{ApiConfig, MediaPlane};
use poem::Route;
use poem::endpoint::make_sync;
use poem::test::TestClient;
use std::sync::Arc;
use weir_sfu_api::{Command, ShardId};

struct NoMedia;

impl MediaPlane for NoMedia {
    fn shard_count(&self) -> u16 {
        0
    }

    fn send(&self, _shard: ShardId, _command: Command) {}
}

fn panics() -> &'static str {
    panic!("the secret reason")
}

#[tokio::test]
async fn a_panic_is_a_plain_500_and_the_server_goes_on() {
    let dir = std::env::temp_dir().join(crate::auth::secret::id("weir-pipeline-"));
    let app = crate::open(ApiConfig::new(dir.clone()), Arc::new(NoMedia)).await.unwrap();
    let sql =
        || async { Err::<&str, poem::Error>(crate::Error::from(sqlx::Error::PoolClosed).into()) };
    let routes = Route::new()
        .at("/panic", make_sync(|_| panics()))
        .at("/sql", poem::endpoint::make(move |_| sql()))
        .at("/fine", make_sync(|_| "fine"));
    let client = TestClient::new(Pipeline::new(app, routes));
    for path in ["/panic", "/sql"] {
        let answer = client.get(path).send().await;
        answer.assert_status(poem::http::StatusCode::INTERNAL_SERVER_ERROR);
        let text = answer.0.into_body().into_string().await.unwrap();
        assert!(text.contains("\"code\":500") && text.contains("internal server error"), "{text}");
        assert!(!text.contains("secret") && !text.contains("pool"), "{text}");
    }
    client.get("/fine").send().await.assert_text("fine").await;
    std::fs::remove_dir_all(dir).unwrap();
}
