//! Path and query parameters.

use super::rules::LARGEST_ID;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromParameter, ParseResult, Type};
use serde_json::Value;
use std::borrow::Cow;

macro_rules! parameter_type {
    ($name:ident, $schema:expr) => {
        impl Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new($schema))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(Some(self).into_iter())
            }
        }
    };
}

/// A number in a path. What is no number is the id of nothing: 0, which nothing has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub i64);

parameter_type!(Id, MetaSchema::new_with_format("integer", "int64"));

impl ParseFromParameter for Id {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        let id = if digits { value.parse().unwrap_or(0) } else { 0 };
        Ok(Self(if id <= LARGEST_ID { id } else { 0 }))
    }
}

/// `page`, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page(pub i64);

parameter_type!(
    Page,
    MetaSchema {
        minimum: Some(1.0),
        default: Some(Value::from(1)),
        ..MetaSchema::new_with_format("integer", "int64")
    }
);

impl ParseFromParameter for Page {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        whole(value, LARGEST_ID).map(Self)
    }
}

/// `page_size`, 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(pub i64);

parameter_type!(
    PageSize,
    MetaSchema {
        minimum: Some(1.0),
        maximum: Some(100.0),
        ..MetaSchema::new_with_format("integer", "int64")
    }
);

impl ParseFromParameter for PageSize {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        whole(value, 100).map(Self)
    }
}

fn whole<T: Type>(value: &str, most: i64) -> Result<i64, ParseError<T>> {
    match value.parse::<i64>() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        Ok(_) if most == LARGEST_ID => Err(ParseError::custom("must be at least 1")),
        Ok(_) => Err(ParseError::custom(format!("must be from 1 to {most}"))),
        Err(_) => Err(ParseError::custom("must be a whole number")),
    }
}

/// One page of a list.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    /// From 1.
    pub page: i64,
    /// 1 to 100.
    pub page_size: i64,
}

impl Paging {
    /// With the defaults of an endpoint.
    #[must_use]
    pub fn new(page: Option<Page>, page_size: Option<PageSize>, default_size: i64) -> Self {
        Self {
            page: page.map_or(1, |page| page.0),
            page_size: page_size.map_or(default_size, |size| size.0),
        }
    }

    /// Rows before this page.
    #[must_use]
    pub fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.page_size)
    }
}
