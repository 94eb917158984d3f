//! A linked service of the sample city, with the references of a few bills: the example of the documentation.

use anyhow::{Result, anyhow, ensure};

use crate::{
    links::{self, Declaration, Import, Report},
    visit::Visit,
};

const DECLARATION: &str = include_str!("../../docs/examples/dechets.toml");
const REFERENCES: &str = include_str!("../../docs/examples/dechets.csv");

pub async fn make(visit: &Visit) -> Result<()> {
    let declaration = Declaration::read("dechets.toml", DECLARATION)?;
    links::put(&visit.db, &declaration, visit.now).await?;
    let Some(service) = links::find(&visit.db, &declaration.id).await? else { return Ok(()) };
    let told = |problem| anyhow!("{problem:?}");
    let mut import = Import::begin(visit, &service).await.map_err(told)?;
    import.push(REFERENCES.as_bytes()).await.map_err(told)?;
    let report = import.end(false).await.map_err(told)?;
    ensure!(matches!(report, Report::Loaded(_)), "sample references: {report:?}");
    Ok(())
}
