//! `guichet bench`.

use anyhow::Result;
use clap::Args;

#[derive(Args)]
pub struct Options {
    #[arg(long)]
    json: bool,
}

pub async fn run(_: Options) -> Result<()> {
    anyhow::bail!("not yet")
}
