use crate::common::{Server, get};
use serde_json::Value;
use std::path::Path;

/// Set to write the document anew: `WEIR_WRITE_OPENAPI=1 cargo nextest run -p weir-control-api`.
const WRITE: &str = "WEIR_WRITE_OPENAPI";

#[tokio::test]
async fn and_the_committed_one_is_up_to_date() {
    let server = Server::start().await;
    let served = server.call(get("/openapi.json")).await;
    let text = format!("{}\n", serde_json::to_string_pretty(&served.json).unwrap());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == text, "openapi.json is out of date: run the test with {WRITE}=1");
}

#[tokio::test]
async fn with_good_references_and_one_name_for_each_operation() {
    let server = Server::start().await;
    let document = server.call(get("/openapi.json")).await.json;
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let mut names = std::collections::BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(!path.contains(':'), "{path}");
        for operation in methods.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{path}"));
            assert!(names.insert(name.to_owned()), "{name}");
        }
    }
    references(&document, &document);
}

fn references(document: &Value, part: &Value) {
    match part {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            map.values().for_each(|value| references(document, value));
        }
        Value::Array(list) => list.iter().for_each(|value| references(document, value)),
        _ => {}
    }
}
