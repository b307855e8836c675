//! Defaults, then the file, then the environment.
//!
//! Each value is checked by itself first, so that an error names its key, its place and what is
//! accepted; then the merged table becomes a [`Config`].

use super::{Config, ConfigErrors, Origin, Problem};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What the names of our environment variables begin with: `WEIR__SECTION__KEY`.
const ENV_PREFIX: &str = "WEIR__";

/// The file that is read where none is named and it exists.
const DEFAULT_FILE: &str = "config.toml";

/// Keys of which the value is not repeated in an error.
const SECRET_KEYS: &[&str] = &["admin.password"];

/// What each key accepts, in words.
pub(super) const ACCEPTED: &[(&str, &str)] = &[
    ("http.listen", "one or several addresses with port, for example \"0.0.0.0:8800\""),
    ("http.public_url", "an http or https address such as \"https://meet.example.org\", or \"\""),
    ("http.tls_cert", "the path of a PEM file, or \"\""),
    ("http.tls_key", "the path of a PEM file, or \"\""),
    ("http.trusted_proxies", "a list of addresses or ranges such as \"10.0.0.0/8\""),
    ("http.cors_origins", "a list of origins such as \"https://app.example.org\""),
    ("media.listen", "an address with port, for example \"[::]:8801\""),
    ("media.announced_ips", "a list of addresses without port"),
    ("media.backend", "\"auto\", \"io_uring\" or \"mmsg\""),
    ("media.gather_us", "a number from 0 to 1000"),
    ("media.shards", "a number from 0 (one per core) to 256"),
    ("media.room_peers_per_shard", "a number from 1 to 4096"),
    (
        "media.codec_preference",
        "a list of \"VP8\", \"VP9\", \"H264\" and \"AV1\", each at most once",
    ),
    (
        "media.srtp_profiles",
        "a list of \"AEAD_AES_128_GCM\", \"AEAD_AES_256_GCM\", \"AES128_CM_HMAC_SHA1_80\" and \
         \"AES128_CM_HMAC_SHA1_32\", each at most once",
    ),
    ("database.url", "\"\" or an address that begins with \"sqlite:\""),
    ("data.dir", "the path of a folder"),
    ("auth.registration", "\"open\", \"invite\" or \"off\""),
    ("admin.username", "a user name, or \"\""),
    ("admin.email", "a mail address, or \"\""),
    ("admin.password", "6 to 100 characters, or \"\""),
    ("rate_limit.enabled", "true or false"),
    ("csrf.strict", "true or false"),
    ("ws.admission_by_join", "true or false"),
    ("ws.query_token", "true or false"),
    (
        "log.level",
        "\"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\", optionally with single modules \
         as in \"info,weir_sfu=debug\"",
    ),
    ("log.format", "\"text\" or \"json\""),
];

/// What `key` accepts.
pub(super) fn accepted(key: &str) -> &'static str {
    ACCEPTED.iter().find(|(name, _)| *name == key).map_or("another value", |(_, text)| *text)
}

/// Where each value that is not a default came from.
pub(super) type Origins = BTreeMap<String, Origin>;

/// Reads the configuration: defaults, then `file` (or `config.toml` of the current folder where it
/// exists), then the `WEIR__SECTION__KEY` variables of `env`.
///
/// # Errors
/// Everything that is wrong with it, in one list.
pub(crate) fn load(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Config, ConfigErrors> {
    let schema = schema();
    let mut merged = Table::new();
    let mut origins = Origins::new();
    let mut problems = Vec::new();

    let default_file = PathBuf::from(DEFAULT_FILE);
    let file = file.or_else(|| default_file.exists().then_some(default_file.as_path()));
    if let Some(path) = file {
        read_file(path, &schema, &mut merged, &mut origins, &mut problems);
    }
    read_env(env, &schema, &mut merged, &mut origins, &mut problems);

    for (key, origin) in &origins {
        if let Err(message) = check_value(key, &merged) {
            let origin = Some(origin.clone());
            problems.push(Problem { key: key.clone(), origin, message });
        }
    }
    if problems.is_empty() {
        match Config::deserialize_table(merged) {
            Ok(config) => {
                problems = super::validate::validate(&config, &origins);
                if problems.is_empty() {
                    return Ok(config);
                }
            }
            Err(message) => problems.push(Problem { key: String::new(), origin: None, message }),
        }
    }
    Err(ConfigErrors(problems))
}

impl Config {
    fn deserialize_table(table: Table) -> Result<Self, String> {
        Value::Table(table).try_into().map_err(|error: toml::de::Error| error.message().to_owned())
    }
}

/// Every key with its default, as a table of tables.
fn schema() -> Table {
    match Value::try_from(Config::default()) {
        Ok(Value::Table(table)) => table,
        other => unreachable!("the defaults are a table of tables: {other:?}"),
    }
}

fn lookup<'a>(table: &'a Table, section: &str, key: &str) -> Option<&'a Value> {
    table.get(section)?.as_table()?.get(key)
}

fn put(table: &mut Table, section: &str, key: &str, value: Value) {
    let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = section {
        section.insert(key.to_owned(), value);
    }
}

fn read_file(
    path: &Path,
    schema: &Table,
    merged: &mut Table,
    origins: &mut Origins,
    problems: &mut Vec<Problem>,
) {
    let whole = |line: Option<usize>, message: String| Problem {
        key: String::new(),
        origin: line.map(|line| Origin::File { path: path.to_owned(), line }),
        message,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("the file {} cannot be read: {error}", path.display());
            return problems.push(whole(None, message));
        }
    };
    let line_of =
        |offset: usize| 1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count();
    let parsed = toml::de::DeTable::parse(&text)
        .and_then(|spans| text.parse::<Table>().map(|values| (spans, values)));
    let (spans, mut values) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let line = line_of(error.span().map_or(0, |span| span.start));
            let message = format!("not valid TOML: {}", error.message());
            return problems.push(whole(Some(line), message));
        }
    };
    for (section, content) in spans.get_ref() {
        let name: &str = section.get_ref();
        let at = |span: std::ops::Range<usize>| Origin::File {
            path: path.to_owned(),
            line: line_of(span.start),
        };
        let Some(known) = schema.get(name).and_then(Value::as_table) else {
            problems.push(unknown(name, at(section.span()), schema));
            continue;
        };
        let Some(content) = content.get_ref().as_table() else {
            let message = format!("is a section: write [{name}] and its keys below it");
            let origin = Some(at(section.span()));
            problems.push(Problem { key: name.to_owned(), origin, message });
            continue;
        };
        for key in content.keys() {
            let full = format!("{name}.{}", key.get_ref());
            if !known.contains_key(key.get_ref().as_ref()) {
                problems.push(unknown(&full, at(key.span()), schema));
                continue;
            }
            let value = values.get_mut(name).and_then(Value::as_table_mut);
            if let Some(value) = value.and_then(|table| table.remove(key.get_ref().as_ref())) {
                put(merged, name, key.get_ref(), value);
                origins.insert(full, at(key.span()));
            }
        }
    }
}

fn read_env(
    env: impl IntoIterator<Item = (OsString, OsString)>,
    schema: &Table,
    merged: &mut Table,
    origins: &mut Origins,
    problems: &mut Vec<Problem>,
) {
    // In order of their names, so that errors come in the same order each time.
    let ours: BTreeMap<String, OsString> = env
        .into_iter()
        .filter_map(|(name, value)| {
            let name = name.to_str()?.to_owned();
            name.starts_with(ENV_PREFIX).then_some((name, value))
        })
        .collect();
    for (name, raw) in ours {
        let full = name.trim_start_matches(ENV_PREFIX).replace("__", ".").to_lowercase();
        let origin = Origin::Env(name);
        let (section, key) = full.split_once('.').unwrap_or((&full, ""));
        let Some(default) = lookup(schema, section, key) else {
            problems.push(unknown(&full, origin, schema));
            continue;
        };
        let Some(text) = raw.to_str() else {
            let message = "the value is not UTF-8".to_owned();
            problems.push(Problem { key: full, origin: Some(origin), message });
            continue;
        };
        match env_value(text, default) {
            Some(value) => {
                put(merged, section, key, value);
                origins.insert(full.clone(), origin);
            }
            None => {
                let message =
                    format!("{} is not accepted: expected {}", shown(&full, text), accepted(&full));
                problems.push(Problem { key: full.clone(), origin: Some(origin), message });
            }
        }
    }
}

/// A variable's text as a value of the same type as the default; `None` where it cannot be one.
fn env_value(text: &str, default: &Value) -> Option<Value> {
    Some(match default {
        Value::Boolean(_) => Value::Boolean(match text.trim() {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => return None,
        }),
        Value::Integer(_) => Value::Integer(text.trim().parse().ok()?),
        Value::Array(_) => Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| Value::String(part.to_owned()))
                .collect(),
        ),
        _ => Value::String(text.to_owned()),
    })
}

/// Whether the value of `key` (`section.name`) is of its type, looked at by itself.
fn check_value(key: &str, merged: &Table) -> Result<(), String> {
    let Some((section, name)) = key.split_once('.') else { return Ok(()) };
    let Some(value) = lookup(merged, section, name) else { return Ok(()) };
    let mut alone = Table::new();
    put(&mut alone, section, name, value.clone());
    Config::deserialize_table(alone).map(drop).map_err(|why| {
        let (value, expected) = (shown(key, &value.to_string()), accepted(key));
        let why = if SECRET_KEYS.contains(&key) { String::new() } else { format!(" ({why})") };
        format!("{value} is not accepted: expected {expected}{why}")
    })
}

fn shown(key: &str, value: &str) -> String {
    if SECRET_KEYS.contains(&key) { "the value".to_owned() } else { value.to_owned() }
}

fn unknown(key: &str, origin: Origin, schema: &Table) -> Problem {
    let known = schema.iter().flat_map(|(section, content)| {
        let keys = content.as_table().into_iter().flat_map(Table::keys);
        keys.map(move |key| format!("{section}.{key}"))
    });
    let message = match known.min_by_key(|known| distance(known, key)) {
        Some(near) if distance(&near, key) <= 3 => {
            format!("there is no such key; did you mean {near}?")
        }
        _ => "there is no such key; config.toml as shipped lists all of them".to_owned(),
    };
    Problem { key: key.to_owned(), origin: Some(origin), message }
}

/// Levenshtein distance, for suggestions.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let best = (diagonal + usize::from(from != *to)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_says_what_it_accepts() {
        let keys: Vec<String> = schema()
            .iter()
            .flat_map(|(section, content)| {
                let keys: Vec<_> = content.as_table().unwrap().keys().cloned().collect();
                keys.into_iter().map(move |key| format!("{section}.{key}"))
            })
            .collect();
        let mut told: Vec<&str> = ACCEPTED.iter().map(|(key, _)| *key).collect();
        told.sort_unstable();
        let mut keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, told);
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("media.shards", "media.shard"), 1);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
