//! Wall-clock time as the API shows it, and a clock that tests can turn.

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use time::OffsetDateTime;
use time::format_description::well_known::{Iso8601, Rfc3339};

/// Milliseconds since 1970-01-01T00:00:00Z. Shown as whole seconds with `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Later by `seconds`.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// `2025-10-02T10:00:00Z`.
    #[must_use]
    pub fn iso(self) -> String {
        OffsetDateTime::from_unix_timestamp(self.seconds())
            .ok()
            .and_then(|time| time.format(&Rfc3339).ok())
            .unwrap_or_else(|| "9999-12-31T23:59:59Z".to_owned())
    }

    /// Any ISO 8601 or RFC 3339 date and time; without an offset it is UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let time = OffsetDateTime::parse(text, &Rfc3339)
            .or_else(|_| OffsetDateTime::parse(text, &Iso8601::PARSING))
            .or_else(|_| {
                time::PrimitiveDateTime::parse(text, &Iso8601::PARSING)
                    .map(time::PrimitiveDateTime::assume_utc)
            })
            .ok()?;
        // Output has four digits of the year.
        if !(0..=9999).contains(&time.to_offset(time::UtcOffset::UTC).year()) {
            return None;
        }
        i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000)).ok().map(Self)
    }
}

impl Type for Timestamp {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string_date-time".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "date-time")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(Some(self).into_iter())
    }
}

impl ToJSON for Timestamp {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.iso()))
    }
}

impl ParseFromJSON for Timestamp {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let value = value.unwrap_or_default();
        let time = value.as_str().and_then(Self::parse);
        time.ok_or_else(|| ParseError::expected_type(value))
    }
}

/// The server's clock. Clones share the offset that tests add.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    offset_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
        let offset = self.offset_ms.load(Ordering::Relaxed);
        Timestamp(i64::try_from(now).unwrap_or(i64::MAX).saturating_add(offset))
    }

    /// Turns the clock forward, so that tests need not wait for something to expire.
    pub fn advance(&self, seconds: i64) {
        self.offset_ms.fetch_add(seconds.saturating_mul(1000), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn times_are_read_in_many_spellings_and_written_in_one() {
        for text in [
            "2025-10-03T10:00:00Z",
            "2025-10-03T10:00:00",
            "2025-10-03T10:00",
            "2025-10-03T12:00:00+02:00",
            "2025-10-03T10:00:00.250Z",
            "20251003T100000Z",
        ] {
            let time = Timestamp::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(time.iso(), "2025-10-03T10:00:00Z", "{text}");
        }
        for text in ["nonsense", "", "2025-13-01T00:00:00Z", "2025-10-03", "1696327200"] {
            assert!(Timestamp::parse(text).is_none(), "{text}");
        }
    }
}
