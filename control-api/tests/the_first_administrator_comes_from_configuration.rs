use crate::common::{NoMedia, Server, get, temp_dir};
use std::sync::Arc;
use tokio::sync::mpsc;
use weir_control_api::{AdminBootstrap, ApiConfig, StartError};

fn boss(username: &str) -> Option<AdminBootstrap> {
    Some(AdminBootstrap {
        username: username.to_owned(),
        email: "boss@example.com".to_owned(),
        password: "secret1".to_owned(),
    })
}

async fn start(config: ApiConfig) -> Result<(), StartError> {
    let (_sender, events) = mpsc::channel(1);
    weir_control_api::build(config, Arc::new(NoMedia), events).await.map(drop)
}

#[tokio::test]
async fn once_and_never_by_promotion() {
    let server = Server::start_with(|c| c.admin = boss("boss")).await;
    let person = server.login("boss", "secret1").await;
    let data = server.call(get("/api/v1/users/profile").by(&person)).await.ok();
    assert_eq!(data["role"], "admin");
    server.person("ada").await;

    // The same directory again: fine for the administrator, an error for somebody else's name.
    let mut config = ApiConfig::new(server.dir.clone());
    config.admin = boss("Boss");
    start(config.clone()).await.unwrap();
    config.admin = boss("ada");
    let error = start(config.clone()).await.unwrap_err();
    assert!(matches!(error, StartError::Admin(_)), "{error}");
    config.admin = boss("x");
    assert!(start(config).await.is_err());
}

#[tokio::test]
async fn a_short_secret_refuses_the_start() {
    let dir = temp_dir();
    std::fs::write(dir.join("jwt.secret"), "too short").unwrap();
    let error = start(ApiConfig::new(dir.clone())).await.unwrap_err();
    assert!(error.to_string().contains("at least 32"), "{error}");
    std::fs::remove_dir_all(dir).unwrap();
}
