//! What can be typed.

use crate::plan::Verify;
use crate::report::Threshold;
use crate::scenario::{Override, Time};
use crate::target::Kind;
use clap::{Parser, Subcommand};
use std::net::IpAddr;
use std::path::PathBuf;

/// Load-tests WebRTC servers with thousands of real clients in one process
#[derive(Debug, Parser)]
#[command(
    name = "weir-load",
    version,
    after_help = "\
Exit codes: 0 all went well, 1 a threshold was missed, 2 the command line or the scenario is wrong,
3 the server cannot be reached or refuses, 4 this machine does not let us.

More in docs/loadtest.md."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a scenario against a server
    Run(Box<Run>),
    /// Print reports of several servers side by side, as Markdown
    Compare(Compare),
    /// List the built-in scenarios
    Scenarios,
    /// Print a built-in scenario, to copy and change
    Show {
        /// Its name
        scenario: String,
    },
    /// Look whether a scenario file is good, without running it
    Check {
        /// A file, or a built-in one's name
        scenario: String,
        /// Change it first: KEY=VALUE
        #[arg(long, value_name = "KEY=VALUE", value_parser = parse::<Override>)]
        set: Vec<Override>,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:

  weir-load compare weir=weir-1.json weir=weir-2.json janus=janus-1.json janus=janus-2.json")]
pub(super) struct Compare {
    /// What --json wrote, with a name for the column: NAME=FILE. Of several with a name, the one with the
    /// least CPU a packet is taken
    #[arg(required = true, value_name = "NAME=FILE")]
    pub(super) reports: Vec<String>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:

  # 200 viewers for a minute against a Weir on this machine, with what it costs there
  weir-load run one_to_many --target weir --url http://127.0.0.1:8800 \\
      --receivers 200 --duration 60s --server-name weir --html report.html

  # any server with WHIP and WHEP
  weir-load run one_to_many --target whip --token SECRET \\
      --publish-url https://sfu.example/{stream}/whip --play-url https://sfu.example/{stream}/whep

  # Janus' VideoRoom, frames paced instead of in bursts
  weir-load run one_to_many --target janus --url ws://127.0.0.1:8188 \\
      --set roles.speaker.publish.camera.pacing=paced

  # a scenario of your own, which fails the build when joins get slow
  weir-load show meeting > mine.toml
  weir-load run mine.toml --target weir --url http://127.0.0.1:8800 --threshold 'join_p95 < 150ms'")]
pub(super) struct Run {
    /// A built-in scenario (see `weir-load scenarios`) or a TOML file
    pub(super) scenario: String,
    /// What the server speaks
    #[arg(long, value_enum)]
    pub(super) target: Kind,
    /// The server's API: http://HOST:8800 for weir, ws://HOST:8188 for janus
    #[arg(long)]
    pub(super) url: Option<String>,
    /// whip: where to publish; {room} and {stream} are filled in
    #[arg(long, value_name = "URL")]
    pub(super) publish_url: Option<String>,
    /// whip: where to play (WHEP); with {stream} each stream is played on a connection of its own
    #[arg(long, value_name = "URL")]
    pub(super) play_url: Option<String>,
    /// Bearer token (janus: its token or API secret), or @FILE; weir makes an account of its own without
    #[arg(long)]
    pub(super) token: Option<String>,
    /// A room that exists, may be given several times; without, rooms are made and removed
    #[arg(long, value_name = "ID")]
    pub(super) room: Vec<String>,
    /// Change the scenario: roles.viewer.count=500, stages.hold.duration=10s,
    /// roles.speaker.publish.camera.bitrate=2.5M
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse::<Override>)]
    pub(super) set: Vec<Override>,
    /// How many only receive, where one role does
    #[arg(long, value_name = "N", overrides_with = "receivers")]
    pub(super) receivers: Option<u32>,
    /// How many rooms
    #[arg(long, value_name = "N")]
    pub(super) rooms: Option<u32>,
    /// Length of the last stage in which nobody comes or goes: 30s, 5m
    #[arg(long, value_parser = parse::<Time>, overrides_with = "duration")]
    pub(super) duration: Option<Time>,
    /// One more threshold: 'loss < 0.5%', 'added_delay_p99 < 20ms', 'join_p95 < 150ms'
    #[arg(long, value_name = "TEXT", value_parser = parse::<Threshold>)]
    pub(super) threshold: Vec<Threshold>,
    /// Watch CPU and memory of this process of the server; may be given several times
    #[arg(long, value_name = "PID")]
    pub(super) server_pid: Vec<u32>,
    /// The same by name
    #[arg(long, value_name = "NAME")]
    pub(super) server_name: Vec<String>,
    /// How received packets are looked at: all are decrypted and compared, about one in sixteen, or
    /// none (count)
    #[arg(long, value_parser = verify)]
    pub(super) verify: Option<Verify>,
    /// Threads for media; one core fewer than there are without
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
    /// Address that media is sent from; needed where the server is not on the default route
    #[arg(long, value_name = "IP")]
    pub(super) bind: Option<IpAddr>,
    /// How many may be joining at a time
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(super) concurrency: usize,
    /// The longest that one step of joining may take
    #[arg(long, default_value = "10s", value_parser = parse::<Time>)]
    pub(super) timeout: Time,
    /// Of everything drawn by lot: the same seed, the same media and the same impairments
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Write all figures as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write a report with plots, which opens without network
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Show nothing while it runs
    #[arg(long)]
    pub(super) quiet: bool,
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, String>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| error.to_string())
}

fn verify(text: &str) -> Result<Verify, String> {
    match text {
        "all" => Ok(Verify::All),
        "sample" => Ok(Verify::Sample),
        "count" => Ok(Verify::Count),
        _ => Err("write all, sample or count".to_owned()),
    }
}
