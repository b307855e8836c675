//! `weir-load`: see docs/loadtest.md.

use std::process::ExitCode;

fn main() -> ExitCode {
    weir_loadtest::cli::main()
}
