//! `--set roles.viewer.count=500`.

use super::Scenario;
use std::str::FromStr;
use toml::{Table, Value};

/// A change to a scenario from the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// What is changed: names between dots. In a list, an entry is named by its `name`, `source` or `rid`, or
    /// by its number from 0.
    path: Vec<String>,
    value: Value,
    /// As it was given, for errors.
    text: String,
}

impl FromStr for Override {
    type Err = String;

    /// `KEY=VALUE`; the value is TOML, or a string as it is.
    fn from_str(text: &str) -> Result<Self, String> {
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?}: write KEY=VALUE, as roles.viewer.count=500"))?;
        let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err(format!("{text:?}: the key has an empty part"));
        }
        let value = value.trim();
        let read = format!("value = {value}").parse::<Table>().ok();
        let value = read
            .and_then(|mut table| table.remove("value"))
            .unwrap_or_else(|| Value::String(value.to_owned()));
        Ok(Self { path, value, text: text.to_owned() })
    }
}

impl Override {
    /// Changes the table; gives the scenario that it is now.
    pub(super) fn apply(&self, table: &mut Table) -> Result<Scenario, String> {
        let told = |error: String| format!("--set {}: {error}", self.text);
        let (last, outer) = self.path.split_last().ok_or_else(|| told("no key".to_owned()))?;
        let mut at = Place::Table(table);
        for (depth, name) in outer.iter().enumerate() {
            // Roles and stages cannot be made here; tables below them may be absent.
            let may_make = depth >= 2;
            at = at.enter(name, may_make).map_err(told)?;
        }
        at.set(last, self.value.clone()).map_err(told)?;
        let scenario = table.clone().try_into::<Scenario>();
        scenario.map_err(|error| told(error.to_string().trim_end().to_owned()))
    }
}

/// Where the walk is.
enum Place<'a> {
    Table(&'a mut Table),
    List(&'a mut Vec<Value>),
}

impl<'a> Place<'a> {
    fn enter(self, name: &str, may_make: bool) -> Result<Self, String> {
        let value = match self {
            Self::Table(table) => {
                if may_make && !table.contains_key(name) {
                    table.insert(name.to_owned(), Value::Table(Table::new()));
                }
                let names = table.keys().cloned().collect::<Vec<_>>().join(", ");
                table.get_mut(name).ok_or_else(|| format!("no {name:?} there, but {names}"))?
            }
            Self::List(list) => {
                let index = find(list, name)?;
                list.get_mut(index).ok_or_else(|| format!("no {name:?} there"))?
            }
        };
        match value {
            Value::Table(table) => Ok(Self::Table(table)),
            Value::Array(list) => Ok(Self::List(list)),
            other => Err(format!("{name:?} is {other} and has nothing inside")),
        }
    }

    fn set(self, name: &str, value: Value) -> Result<(), String> {
        match self {
            Self::Table(table) => {
                table.insert(name.to_owned(), value);
            }
            Self::List(list) => {
                let index = find(list, name)?;
                if let Some(entry) = list.get_mut(index) {
                    *entry = value;
                }
            }
        }
        Ok(())
    }
}

fn find(list: &[Value], name: &str) -> Result<usize, String> {
    let named = |value: &Value| {
        let table = value.as_table()?;
        let key = ["name", "source", "rid"].into_iter().find_map(|key| table.get(key)?.as_str())?;
        Some(key.to_owned())
    };
    if let Some(index) = list.iter().position(|value| named(value).as_deref() == Some(name)) {
        return Ok(index);
    }
    if let Some(index) = name.parse::<usize>().ok().filter(|index| *index < list.len()) {
        return Ok(index);
    }
    let names: Vec<String> = list.iter().filter_map(named).collect();
    Err(format!("no {name:?} there, but {} (or a number from 0)", names.join(", ")))
}
