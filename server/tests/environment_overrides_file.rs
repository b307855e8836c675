//! Defaults, then the file, then the environment: the later wins, for each type of value.

mod common;

use common::{Folder, show, weir};

#[test]
fn environment_overrides_file() {
    let folder = Folder::new("env-over-file");
    folder.write(
        "config.toml",
        "[http]\nlisten = \"127.0.0.1:1\"\n[media]\nshards = 3\nbackend = \"mmsg\"\n\
         [rate_limit]\nenabled = true\n",
    );
    let config = show(
        &folder,
        &[],
        &[
            ("WEIR__HTTP__LISTEN", "127.0.0.1:2, [::1]:3"),
            ("WEIR__HTTP__TRUSTED_PROXIES", "10.0.0.0/8"),
            ("WEIR__MEDIA__SHARDS", "5"),
            ("WEIR__RATE_LIMIT__ENABLED", "false"),
            ("WEIR__MEDIA__CODEC_PREFERENCE", "AV1,VP8"),
            ("WEIR__ADMIN__USERNAME", "12345"),
            ("WEIR__ADMIN__EMAIL", "root@example.org"),
            ("WEIR__ADMIN__PASSWORD", "987654"),
        ],
    );
    let expected: toml::Table = "
        [http]
        listen = [\"127.0.0.1:2\", \"[::1]:3\"]
        trusted_proxies = [\"10.0.0.0/8\"]
        [media]
        shards = 5
        backend = \"mmsg\"
        codec_preference = [\"AV1\", \"VP8\"]
        [rate_limit]
        enabled = false
        [admin]
        username = \"12345\"
        email = \"root@example.org\"
        password = \"(set, not shown)\"
    "
    .parse()
    .unwrap();
    for (section, keys) in &expected {
        for (key, value) in keys.as_table().unwrap() {
            assert_eq!(config[section].get(key), Some(value), "{section}.{key}");
        }
    }
}

#[test]
fn the_named_file_wins_over_the_one_lying_there() {
    let folder = Folder::new("named-file");
    folder.write("config.toml", "[media]\nshards = 3\n");
    let named = folder.write("other.toml", "[media]\nshards = 4\n");
    let config = show(&folder, &["--config", named.to_str().unwrap()], &[]);
    assert_eq!(config["media"]["shards"].as_integer(), Some(4));
}

#[test]
fn a_value_the_environment_does_not_name_stays() {
    let folder = Folder::new("stays");
    folder.write("config.toml", "[log]\nlevel = \"debug\"\nformat = \"json\"\n");
    let config = show(&folder, &[], &[("WEIR__LOG__LEVEL", "warn,weir_sfu=trace")]);
    assert_eq!(config["log"]["level"].as_str(), Some("warn,weir_sfu=trace"));
    assert_eq!(config["log"]["format"].as_str(), Some("json"));
}

#[test]
fn variables_of_other_programs_are_left_alone() {
    let folder = Folder::new("others");
    let output = weir(&folder, &["config", "check"], &[("WEIR_REQUIRE", "root"), ("WEIRD", "1")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
