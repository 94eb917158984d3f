//! Starts a throw-away PostgreSQL, runs a command with its address in the environment, stops it:
//! `cargo run -p db --features testing --example with-postgres -- cargo nextest run`

use std::process::{Command, ExitCode};

use db::testing::{Cluster, SERVER};

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(program) = words.next() else {
        eprintln!("with-postgres COMMAND…");
        return ExitCode::FAILURE;
    };
    let cluster = Cluster::start();
    match Command::new(program).args(words).env(SERVER, cluster.url("")).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        other => {
            eprintln!("{other:?}");
            ExitCode::FAILURE
        }
    }
}
