//! What single values cannot show: ranges, and keys that must fit together.

use super::load::{Origins, accepted};
use super::{Config, Media, Problem};
use std::collections::HashSet;
use std::fs::File;

/// Checks a whole configuration. Empty when it can be used.
pub(super) fn validate(config: &Config, origins: &Origins) -> Vec<Problem> {
    let mut check = Check { origins, problems: Vec::new() };
    http(config, &mut check);
    media(&config.media, &mut check);
    store_and_admin(config, &mut check);
    check.problems
}

struct Check<'a> {
    origins: &'a Origins,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn fail(&mut self, key: &str, message: String) {
        let origin = self.origins.get(key).cloned();
        self.problems.push(Problem { key: key.to_owned(), origin, message });
    }

    fn refuse(&mut self, key: &str, value: impl std::fmt::Display) {
        self.fail(key, format!("{value} is not accepted: expected {}", accepted(key)));
    }
}

fn http(config: &Config, check: &mut Check<'_>) {
    let http = &config.http;
    if http.listen.0.is_empty() {
        check.refuse("http.listen", "an empty list");
    }
    let mut seen = HashSet::new();
    for addr in http.listen.0.iter().filter(|addr| addr.port() != 0) {
        if !seen.insert(addr) {
            check.fail("http.listen", format!("{addr} is listed twice"));
        }
    }
    if let Some(url) = http.public_url.get() {
        match origin_of(url) {
            Some((_, "" | "/")) => {}
            _ => check.refuse("http.public_url", format!("{url:?}")),
        }
    }
    for origin in &http.cors_origins {
        match origin_of(origin) {
            Some((_, "")) => {}
            _ => check.refuse("http.cors_origins", format!("{origin:?}")),
        }
    }
    match (http.tls_cert.get(), http.tls_key.get()) {
        (Some(_), None) => check.fail("http.tls_key", "is missing: http.tls_cert is set".into()),
        (None, Some(_)) => check.fail("http.tls_cert", "is missing: http.tls_key is set".into()),
        (Some(cert), Some(key)) => {
            for (name, path) in [("http.tls_cert", cert), ("http.tls_key", key)] {
                if let Err(error) = File::open(path) {
                    check.fail(name, format!("{path:?} cannot be read: {error}"));
                }
            }
        }
        (None, None) => {}
    }
}

/// Splits an absolute http(s) address into its origin and what follows; `None` where it is none.
fn origin_of(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, tail) = rest.split_at(end);
    let good = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    good.then(|| (url.get(..url.len() - tail.len()).unwrap_or_default(), tail))
}

fn media(media: &Media, check: &mut Check<'_>) {
    if media.shards > Media::MAX_SHARDS {
        check.refuse("media.shards", media.shards);
    }
    if media.gather_us > Media::MAX_GATHER_US {
        check.refuse("media.gather_us", media.gather_us);
    }
    if !(1..=Media::MAX_ROOM_PEERS).contains(&media.room_peers_per_shard) {
        check.refuse("media.room_peers_per_shard", media.room_peers_per_shard);
    }
    let (port, shards) = (media.listen.port(), media.shard_count().get());
    if port != 0 && port.checked_add(shards - 1).is_none() {
        let message = format!(
            "{shards} shards need the ports from {port} on, but ports end at 65535: choose a \
             lower port or fewer media.shards"
        );
        check.fail("media.listen", message);
    }
    if media.listen.ip().is_multicast() {
        check.refuse("media.listen", media.listen);
    }
    for ip in &media.announced_ips {
        if ip.is_unspecified() || ip.is_multicast() {
            let message = format!("{ip} is no address that a client could send to");
            check.fail("media.announced_ips", message);
        } else if ip.is_ipv6() && media.listen.is_ipv4() {
            let message =
                format!("{ip} cannot be reached: media.listen {} is IPv4 alone", media.listen);
            check.fail("media.announced_ips", message);
        }
    }
    let mut seen = HashSet::new();
    let unique = media.codec_preference.iter().all(|codec| seen.insert(codec));
    if !unique || media.codec_preference.is_empty() {
        check.refuse("media.codec_preference", format!("{:?}", media.codec_preference));
    }
    let mut seen = HashSet::new();
    let unique = media.srtp_profiles.iter().all(|profile| seen.insert(profile));
    if !unique || media.srtp_profiles.is_empty() {
        check.refuse("media.srtp_profiles", format!("{:?}", media.srtp_profiles));
    }
}

fn store_and_admin(config: &Config, check: &mut Check<'_>) {
    if let Some(url) = config.database.url.get()
        && !url.starts_with("sqlite:")
    {
        // The address may hold a password: only its scheme is repeated.
        let scheme = url.split(':').next().unwrap_or_default();
        check.refuse("database.url", format!("an address of kind {scheme:?}"));
    }
    if config.data.dir.as_os_str().is_empty() {
        check.refuse("data.dir", "an empty path");
    }
    let admin = &config.admin;
    let given = [
        ("admin.username", admin.username.get().is_some()),
        ("admin.email", admin.email.get().is_some()),
        ("admin.password", admin.password.reveal().is_some()),
    ];
    if given.iter().any(|(_, set)| *set) {
        for (key, _) in given.iter().filter(|(_, set)| !set) {
            check.fail(key, "is missing: an administrator needs all three [admin] keys".into());
        }
    }
    if let Some(password) = admin.password.reveal()
        && !(6..=100).contains(&password.chars().count())
    {
        check.refuse("admin.password", "the value");
    }
    if let Some(email) = admin.email.get()
        && !email.contains('@')
    {
        check.refuse("admin.email", format!("{email:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::origin_of;

    #[test]
    fn origins_are_told_from_paths() {
        assert_eq!(origin_of("https://a.example:8443"), Some(("https://a.example:8443", "")));
        assert_eq!(origin_of("http://[::1]:1/x"), Some(("http://[::1]:1", "/x")));
        assert_eq!(origin_of("ftp://a"), None);
        assert_eq!(origin_of("https://"), None);
        assert_eq!(origin_of("https://a b"), None);
    }
}
