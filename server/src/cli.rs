//! The command line. It sets nothing that the configuration sets, so no default of the command
//! line can hide a value of the file.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Weir: a selective-forwarding media server.
#[derive(Debug, Parser)]
#[command(name = "weir", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// Configuration file [default: config.toml of the current folder, where it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server
    Serve,
    /// Look at the configuration without starting
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make administrators and server keys
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Print the version
    Version,
}

/// `weir config ...`.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether the configuration can be used, and if not, why
    Check,
    /// Print the configuration in force, secrets left out
    Show,
}

/// `weir admin ...`.
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Make an administrator; an existing user is never promoted
    Create(NewAdmin),
    /// Make a server API key and print it once
    Key {
        /// What the key is for
        #[arg(long)]
        name: String,
    },
}

/// `weir admin create ...`.
#[derive(Args)]
pub(crate) struct NewAdmin {
    /// User name
    #[arg(long)]
    pub(crate) username: String,
    /// Mail address
    #[arg(long)]
    pub(crate) email: String,
    /// Password; other users of this machine can see it while the command runs
    #[arg(long, required_unless_present = "password_stdin", conflicts_with = "password_stdin")]
    pub(crate) password: Option<String>,
    /// Read the password from the first line of standard input
    #[arg(long)]
    pub(crate) password_stdin: bool,
}

impl std::fmt::Debug for NewAdmin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewAdmin").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn config_may_stand_before_or_after_the_command() {
        for args in [["weir", "--config", "a", "serve"], ["weir", "serve", "--config", "a"]] {
            let cli = Cli::try_parse_from(args).unwrap();
            assert_eq!(cli.config, Some(PathBuf::from("a")));
        }
    }

    #[test]
    fn an_administrator_needs_exactly_one_password() {
        let base = ["weir", "admin", "create", "--username", "a", "--email", "a@b"];
        let parse = |more: &[&str]| Cli::try_parse_from(base.iter().chain(more));
        assert!(parse(&[]).is_err());
        assert!(parse(&["--password", "x", "--password-stdin"]).is_err());
        assert!(parse(&["--password", "x"]).is_ok());
        assert!(parse(&["--password-stdin"]).is_ok());
    }
}
