//! A configuration that cannot be used is refused with the key, the place, the value, and what
//! would be accepted.

mod common;

use common::{Folder, weir};

/// Runs `weir config check` and returns what it complains of; fails when it does not.
fn complaint(name: &str, file: &str, env: &[(&str, &str)]) -> String {
    let folder = Folder::new(name);
    folder.write("config.toml", file);
    let output = weir(&folder, &["config", "check"], env);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{name}: {text}");
    text
}

#[track_caller]
fn names(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is missing in: {text}");
    }
}

#[test]
fn config_errors_name_the_key() {
    // Name, file, what the error must contain.
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "unknown-key",
            "[media]\n\nshard = 2\n",
            &["media.shard ", "config.toml, line 3", "did you mean media.shards?"],
        ),
        ("unknown-section", "\n[rtp]\nx = 1\n", &["rtp ", "config.toml, line 2", "no such key"]),
        ("no-section", "log = \"info\"\n", &["log ", "line 1", "[log]"]),
        (
            "wrong-type",
            "[media]\nshards = \"two\"\n",
            &["media.shards", "line 2", "\"two\"", "0 (one per core) to 256"],
        ),
        ("negative", "[media]\nshards = -1\n", &["media.shards", "line 2", "-1", "0 (one per"]),
        ("too-many", "[media]\nshards = 257\n", &["media.shards", "line 2", "257", "to 256"]),
        (
            "long-gather",
            "[media]\ngather_us = 1001\n",
            &["media.gather_us", "line 2", "1001", "0 to 1000"],
        ),
        (
            "no-peers",
            "[media]\nroom_peers_per_shard = 0\n",
            &["media.room_peers_per_shard", "line 2", "1 to 4096"],
        ),
        (
            "many-peers",
            "[media]\nroom_peers_per_shard = 4097\n",
            &["media.room_peers_per_shard", "line 2", "4097", "1 to 4096"],
        ),
        (
            "bad-address",
            "[http]\nlisten = [\"0.0.0.0\"]\n",
            &["http.listen", "line 2", "0.0.0.0", "address"],
        ),
        ("no-address", "[http]\nlisten = []\n", &["http.listen", "line 2", "an empty list"]),
        ("bad-choice", "[media]\nbackend = \"dpdk\"\n", &["media.backend", "dpdk", "\"mmsg\""]),
        (
            "bad-profile",
            "[media]\nsrtp_profiles = [\"AEAD_AES_128_GCM\", \"AEAD_AES_128_GCM\"]\n",
            &["media.srtp_profiles", "at most once"],
        ),
        (
            "bad-codec",
            "[media]\ncodec_preference = [\"VP8\", \"H265\"]\n",
            &["media.codec_preference", "H265", "AV1"],
        ),
        ("bad-switch", "[csrf]\nstrict = \"yes\"\n", &["csrf.strict", "yes", "true or false"]),
        ("bad-level", "[log]\nlevel = \"inof\"\n", &["log.level", "inof", "\"info\""]),
        (
            "bad-range",
            "[http]\ntrusted_proxies = [\"10.0.0.0/40\"]\n",
            &["http.trusted_proxies", "10.0.0.0/40", "10.0.0.0/8"],
        ),
        (
            "bad-origin",
            "[http]\ncors_origins = [\"https://a.example/path\"]\n",
            &["http.cors_origins", "https://a.example/path", "line 2"],
        ),
        (
            "bad-url",
            "[http]\npublic_url = \"meet.example.org\"\n",
            &["http.public_url", "meet.example.org", "https://"],
        ),
        ("half-tls", "[http]\ntls_cert = \"c.pem\"\n", &["http.tls_key", "is missing"]),
        (
            "tls-files",
            "[http]\ntls_cert = \"c.pem\"\ntls_key = \"k.pem\"\n",
            &["http.tls_cert", "http.tls_key", "c.pem", "cannot be read"],
        ),
        (
            "ports-end",
            "[media]\nlisten = \"[::]:65535\"\nshards = 2\n",
            &["media.listen", "line 2", "65535", "2 shards"],
        ),
        (
            "announced",
            "[media]\nlisten = \"0.0.0.0:8801\"\nannounced_ips = [\"2001:db8::1\"]\n",
            &["media.announced_ips", "line 3", "IPv4 alone"],
        ),
        ("postgres", "[database]\nurl = \"postgres://u:hush@h/d\"\n", &["database.url", "sqlite:"]),
        (
            "half-admin",
            "[admin]\nusername = \"root\"\n",
            &["admin.email", "admin.password", "is missing"],
        ),
        ("not-toml", "[http]\nlisten =\n", &["config.toml, line 2", "not valid TOML"]),
    ];
    for (name, file, parts) in cases {
        names(&complaint(name, file, &[]), parts);
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let text = complaint(
        "at-once",
        "[media]\nshards = \"x\"\n[log]\nformat = \"xml\"\n",
        &[("WEIR__CSRF__STRICT", "maybe")],
    );
    names(&text, &["media.shards", "log.format", "csrf.strict"]);
}

#[test]
fn a_bad_variable_is_named() {
    let text = complaint("env-value", "", &[("WEIR__MEDIA__SHARDS", "many")]);
    names(&text, &["media.shards", "environment variable WEIR__MEDIA__SHARDS", "many", "256"]);
    let text = complaint("env-key", "", &[("WEIR__MEDIA__SHARD", "1")]);
    names(&text, &["media.shard ", "WEIR__MEDIA__SHARD", "did you mean media.shards?"]);
}

#[test]
fn secrets_are_not_repeated() {
    let text = complaint(
        "secrets",
        "[database]\nurl = \"postgres://u:hushhush@h/d\"\n",
        &[
            ("WEIR__ADMIN__PASSWORD", "abc"),
            ("WEIR__ADMIN__USERNAME", "root"),
            ("WEIR__ADMIN__EMAIL", "root@example.org"),
        ],
    );
    names(&text, &["admin.password", "database.url"]);
    assert!(!text.contains("hushhush") && !text.contains("abc"), "{text}");

    let text = complaint("secret-type", "[admin]\npassword = 987654321\n", &[]);
    names(&text, &["admin.password"]);
    assert!(!text.contains("987654321"), "{text}");
}

#[test]
fn a_named_file_must_exist() {
    let folder = Folder::new("no-file");
    let output = weir(&folder, &["config", "check", "--config", "none.toml"], &[]);
    assert_eq!(output.status.code(), Some(2));
    names(&String::from_utf8(output.stderr).unwrap(), &["none.toml", "cannot be read"]);
}

#[test]
fn a_good_configuration_passes() {
    let folder = Folder::new("good");
    folder.write("config.toml", "[http]\nlisten = \"127.0.0.1:8800\"\n");
    let output = weir(&folder, &["config", "check"], &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
