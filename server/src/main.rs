//! The `weir` binary: reads the configuration, starts shards and control plane, and ends them in
//! order. The composition root and nothing else.

mod admin;
mod api;
mod cli;
mod config;
mod listen;
mod logging;
mod serve;
mod shards;
mod shutdown;

use clap::Parser as _;
use cli::{AdminCommand, Cli, Command, ConfigCommand};
use config::{Config, ConfigErrors};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Usage and configuration: 2, as clap does. All else: 1.
            let code = if error.is::<ConfigErrors>() { 2 } else { 1 };
            let _ = writeln!(std::io::stderr(), "weir: {error:#}");
            ExitCode::from(code)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let file = cli.config.as_deref();
    match cli.command {
        Command::Serve => serve::serve(load(file)?),
        Command::Config(ConfigCommand::Check) => {
            load(file)?;
            say("the configuration is good")
        }
        Command::Config(ConfigCommand::Show) => say(toml::to_string(&load(file)?)?.trim_end()),
        Command::Admin(AdminCommand::Create(new)) => admin::create(&load(file)?, new),
        Command::Admin(AdminCommand::Key { name }) => admin::key(&load(file)?, &name),
        Command::Version => say(concat!("weir ", env!("CARGO_PKG_VERSION"))),
    }
}

fn load(file: Option<&Path>) -> Result<Config, ConfigErrors> {
    config::load(file, std::env::vars_os())
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
