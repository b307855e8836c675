use super::*;
use serde_json::json;

crate::input! {
    /// For the tests.
    struct Sample {
        /// Name.
        required name: String = text(1, 5).trimmed();
        /// Size.
        optional size: Option<i64> = integer(1, 10);
        /// Inner.
        optional inner: Option<Inner> = nested::<Inner>();
    }
}

crate::input! {
    /// For the tests.
    struct Inner {
        /// On?
        optional on: Option<bool> = Flag;
    }
}

fn read(value: Value) -> Result<Sample, Vec<String>> {
    let mut errors = Vec::new();
    let map = value.as_object().cloned().unwrap_or_default();
    Sample::read(&map, "", &mut errors)
        .ok_or_else(|| errors.into_iter().map(|e| format!("{} {}", e.field, e.message)).collect())
}

#[test]
fn null_is_absence_and_unknown_fields_are_nothing() {
    let sample = read(json!({"name": " abc ", "size": null, "more": 1})).unwrap();
    assert_eq!((sample.name.as_str(), sample.size, sample.inner.is_none()), ("abc", None, true));
    let sample = read(json!({"name": "x", "inner": {"on": true}})).unwrap();
    assert_eq!(sample.inner.unwrap().on, Some(true));
    const { assert!(Sample::IS_REQUIRED && !Inner::IS_REQUIRED) };
}

#[test]
fn every_broken_field_is_named() {
    let errors = read(json!({"name": null, "size": 11, "inner": {"on": "x"}})).unwrap_err();
    assert_eq!(
        errors,
        ["name is required", "size must be from 1 to 10", "inner.on must be true or false"]
    );
}

#[test]
fn lengths_count_characters() {
    assert!(read(json!({"name": "测试测试测"})).is_ok());
    assert!(read(json!({"name": "测试测试测试"})).is_err());
    assert!(read(json!({"name": "   "})).is_err());
}

#[test]
fn addresses_look_like_addresses() {
    for good in ["a@b.c", "first.last+tag@mail.example.com"] {
        assert!(looks_like_email(good), "{good}");
    }
    for bad in ["nonsense", "a@b", "@b.c", "a@b.", "a b@c.d", "a@@b.c", "a@b..c"] {
        assert!(!looks_like_email(bad), "{bad}");
    }
    for good in ["https://example.com/a.png", "http://x"] {
        assert!(looks_like_url(good), "{good}");
    }
    for bad in ["nonsense", "javascript:alert(1)", "http://", "ftp://x/y", "https:///x"] {
        assert!(!looks_like_url(bad), "{bad}");
    }
}
