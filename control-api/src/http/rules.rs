//! Rules for the fields of JSON bodies. One rule both checks a value and describes it in the
//! OpenAPI document, so that the two cannot part ways.

use crate::{FieldError, Timestamp};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::{Map, Value};

/// The largest integer that survives a JavaScript number.
pub const LARGEST_ID: i64 = (1 << 53) - 1;

/// Checks one field.
pub trait Rule {
    /// What a good value becomes.
    type Value;

    /// The value, or `None` after adding to `errors`.
    fn check(
        &self,
        value: &Value,
        field: &str,
        errors: &mut Vec<FieldError>,
    ) -> Option<Self::Value>;

    /// As the OpenAPI document shows it.
    fn schema(&self, registry: &mut Registry) -> MetaSchemaRef;
}

fn wrong<T>(field: &str, message: impl Into<String>, errors: &mut Vec<FieldError>) -> Option<T> {
    errors.push(FieldError { field: field.to_owned(), message: message.into() });
    None
}

fn inline(schema: MetaSchema) -> MetaSchemaRef {
    MetaSchemaRef::Inline(Box::new(schema))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Any,
    Email,
    Url,
}

/// Text of a length counted in characters.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    min: usize,
    max: usize,
    trimmed: bool,
    no_controls: bool,
    shape: Shape,
}

/// Text of `min` to `max` characters, as it is.
#[must_use]
pub const fn text(min: usize, max: usize) -> Text {
    Text { min, max, trimmed: false, no_controls: false, shape: Shape::Any }
}

impl Text {
    /// White space at both ends is removed before the check.
    #[must_use]
    pub const fn trimmed(mut self) -> Self {
        self.trimmed = true;
        self
    }

    /// Control characters are refused.
    #[must_use]
    pub const fn without_controls(mut self) -> Self {
        self.no_controls = true;
        self
    }
}

/// A user name.
#[must_use]
pub const fn username() -> Text {
    text(3, 50).trimmed().without_controls()
}

/// A shown name.
#[must_use]
pub const fn nickname() -> Text {
    text(0, 50).trimmed().without_controls()
}

/// A new account password.
#[must_use]
pub const fn password() -> Text {
    text(6, 100)
}

/// An e-mail address.
#[must_use]
pub const fn email() -> Text {
    Text { shape: Shape::Email, ..text(3, 254).trimmed().without_controls() }
}

/// An http or https address, or empty to take it away.
#[must_use]
pub const fn url() -> Text {
    Text { shape: Shape::Url, ..text(0, 2048).trimmed().without_controls() }
}

fn looks_like_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '@' | '<' | '>' | ',' | ';' | '"');
    !local.is_empty()
        && local.len() <= 64
        && text.matches('@').count() == 1
        && text.chars().all(|c| plain(c) || c == '@')
        && domain.split('.').all(|label| !label.is_empty() && label.len() <= 63)
        && domain.contains('.')
}

fn looks_like_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = |rest: &str| rest.split(['/', '?', '#']).next().is_some_and(|h| !h.is_empty());
    rest.is_some_and(host) && !text.contains(|c: char| c.is_whitespace() || c == '"' || c == '<')
}

impl Rule for Text {
    type Value = String;

    fn check(&self, value: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<String> {
        let Some(text) = value.as_str() else { return wrong(field, "must be a string", errors) };
        let text = if self.trimmed { text.trim() } else { text };
        let length = text.chars().count();
        if length < self.min || length > self.max {
            let message = format!("must have {} to {} characters", self.min, self.max);
            return wrong(field, message, errors);
        }
        if self.no_controls && text.chars().any(char::is_control) {
            return wrong(field, "must not hold control characters", errors);
        }
        match self.shape {
            Shape::Email if !looks_like_email(text) => {
                wrong(field, "must be an e-mail address", errors)
            }
            Shape::Url if !text.is_empty() && !looks_like_url(text) => {
                wrong(field, "must be an http or https address", errors)
            }
            _ => Some(text.to_owned()),
        }
    }

    fn schema(&self, _registry: &mut Registry) -> MetaSchemaRef {
        inline(MetaSchema {
            min_length: (self.min > 0).then_some(self.min),
            max_length: (self.max < usize::MAX).then_some(self.max),
            format: match self.shape {
                Shape::Any => None,
                Shape::Email => Some("email"),
                Shape::Url => Some("uri"),
            },
            ..MetaSchema::new("string")
        })
    }
}

/// A whole number.
#[derive(Debug, Clone, Copy)]
pub struct Integer {
    min: i64,
    max: i64,
}

/// A whole number from `min` to `max`.
#[must_use]
pub const fn integer(min: i64, max: i64) -> Integer {
    Integer { min, max }
}

/// The id of a user; whether there is one is not its matter.
#[must_use]
pub const fn user_id() -> Integer {
    integer(1, LARGEST_ID)
}

impl Rule for Integer {
    type Value = i64;

    fn check(&self, value: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<i64> {
        let Some(number) = value.as_i64() else {
            return wrong(field, "must be a whole number", errors);
        };
        if (self.min..=self.max).contains(&number) {
            Some(number)
        } else {
            wrong(field, format!("must be from {} to {}", self.min, self.max), errors)
        }
    }

    fn schema(&self, _registry: &mut Registry) -> MetaSchemaRef {
        #[allow(clippy::cast_precision_loss, reason = "limits are below 2^53")]
        let (minimum, maximum) = (Some(self.min as f64), Some(self.max as f64));
        inline(MetaSchema { minimum, maximum, ..MetaSchema::new_with_format("integer", "int64") })
    }
}

/// True or false.
#[derive(Debug, Clone, Copy)]
pub struct Flag;

impl Rule for Flag {
    type Value = bool;

    fn check(&self, value: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<bool> {
        value.as_bool().or_else(|| wrong(field, "must be true or false", errors))
    }

    fn schema(&self, _registry: &mut Registry) -> MetaSchemaRef {
        inline(MetaSchema::new("boolean"))
    }
}

/// A date and time.
#[derive(Debug, Clone, Copy)]
pub struct Time;

impl Rule for Time {
    type Value = Timestamp;

    fn check(&self, value: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<Timestamp> {
        value
            .as_str()
            .and_then(Timestamp::parse)
            .or_else(|| wrong(field, "must be an ISO 8601 date and time", errors))
    }

    fn schema(&self, _registry: &mut Registry) -> MetaSchemaRef {
        inline(MetaSchema::new_with_format("string", "date-time"))
    }
}

/// One of some words.
#[derive(Debug, Clone, Copy)]
pub struct Word<T> {
    words: &'static [&'static str],
    read: fn(&str) -> Option<T>,
}

/// One of `words`, turned into a value by `read`.
#[must_use]
pub const fn word<T>(words: &'static [&'static str], read: fn(&str) -> Option<T>) -> Word<T> {
    Word { words, read }
}

impl<T> Rule for Word<T> {
    type Value = T;

    fn check(&self, value: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<T> {
        value
            .as_str()
            .and_then(self.read)
            .or_else(|| wrong(field, format!("must be one of {}", self.words.join(", ")), errors))
    }

    fn schema(&self, _registry: &mut Registry) -> MetaSchemaRef {
        let enum_items = self.words.iter().map(|word| Value::from(*word)).collect();
        inline(MetaSchema { enum_items, ..MetaSchema::new("string") })
    }
}

/// A JSON object with fields of its own; made by [`crate::input`].
pub trait Input: Sized + Send {
    /// Name in the OpenAPI document.
    const NAME: &'static str;

    /// Whether any field is required, so that the body is.
    const IS_REQUIRED: bool;

    /// The object, or `None` after adding to `errors`.
    fn read(map: &Map<String, Value>, prefix: &str, errors: &mut Vec<FieldError>) -> Option<Self>;

    /// Registers the schema.
    fn register(registry: &mut Registry);
}

/// A nested object.
#[derive(Debug, Clone, Copy)]
pub struct Nested<T>(std::marker::PhantomData<fn() -> T>);

/// A nested object.
#[must_use]
pub const fn nested<T: Input>() -> Nested<T> {
    Nested(std::marker::PhantomData)
}

impl<T: Input> Rule for Nested<T> {
    type Value = T;

    fn check(&self, value: &Value, field: &str, errors: &mut Vec<FieldError>) -> Option<T> {
        let Some(map) = value.as_object() else { return wrong(field, "must be an object", errors) };
        T::read(map, &format!("{field}."), errors)
    }

    fn schema(&self, registry: &mut Registry) -> MetaSchemaRef {
        T::register(registry);
        MetaSchemaRef::Reference(T::NAME.to_owned())
    }
}

/// A field that must be there. `null` is absence.
pub fn required<R: Rule>(
    rule: &R,
    map: &Map<String, Value>,
    prefix: &str,
    name: &str,
    errors: &mut Vec<FieldError>,
) -> Option<R::Value> {
    let field = format!("{prefix}{name}");
    match map.get(name) {
        None | Some(Value::Null) => wrong(&field, "is required", errors),
        Some(value) => rule.check(value, &field, errors),
    }
}

/// A field that may be absent. The outer `None` is a broken rule.
pub fn optional<R: Rule>(
    rule: &R,
    map: &Map<String, Value>,
    prefix: &str,
    name: &str,
    errors: &mut Vec<FieldError>,
) -> Option<Option<R::Value>> {
    match map.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => rule.check(value, &format!("{prefix}{name}"), errors).map(Some),
    }
}

/// Declares a request body: `required name: Type = rule;` or `optional name: Option<Type> = rule;`.
#[macro_export]
macro_rules! input {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[doc = $doc:literal])* $need:ident $field:ident: $ty:ty = $rule:expr;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name { $($(#[doc = $doc])* $vis $field: $ty,)* }

        impl $crate::http::rules::Input for $name {
            const NAME: &'static str = stringify!($name);
            const IS_REQUIRED: bool = false $(|| $crate::input!(@is_required $need))*;

            fn read(
                map: &serde_json::Map<String, serde_json::Value>,
                prefix: &str,
                errors: &mut Vec<$crate::FieldError>,
            ) -> Option<Self> {
                $(let $field =
                    $crate::http::rules::$need(&$rule, map, prefix, stringify!($field), errors);)*
                Some(Self { $($field: $field?,)* })
            }

            fn register(registry: &mut poem_openapi::registry::Registry) {
                use $crate::http::rules::Rule;
                registry.create_schema::<Self, _>(Self::NAME.to_owned(), |registry| {
                    let mut required: Vec<&'static str> = Vec::new();
                    $(if $crate::input!(@is_required $need) {
                        required.push(stringify!($field));
                    })*
                    poem_openapi::registry::MetaSchema {
                        required,
                        properties: vec![$((stringify!($field), $rule.schema(registry)),)*],
                        ..poem_openapi::registry::MetaSchema::new("object")
                    }
                });
            }
        }
    };
    (@is_required required) => { true };
    (@is_required optional) => { false };
}

#[cfg(test)]
mod tests;
