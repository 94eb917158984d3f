//! Guichet: the one-stop online counter of a city. One binary, many roles.

mod accounts;
mod agents;
mod app;
mod authorities;
mod bench;
mod catalogue;
mod cli;
mod demo;
mod error;
mod migrations;
mod pages;
mod platform;
mod requests;
mod routes;
mod visit;
mod work;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
