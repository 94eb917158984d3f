//! A list taken away as a file for spreadsheets: exactly the requests that its address finds, read and sent a
//! piece at a time. Answers come along when one procedure is asked for, for who may see them; sensitive ones
//! never do. The journal has a line for each request taken, which its owner sees as a reading.

use std::collections::BTreeMap;

use axum::{
    extract::{Query, rejection::QueryRejection},
    response::Response,
};
use db::{Json, args, row};
use forms::{answers::Answers, kinds::Narrows, model::Field};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    filters::{Asked, Cursor, Filters, Sort},
    list::{self, Versions, versions},
    store::{self, BULK},
    words,
};
use crate::{
    agents::Role,
    catalogue,
    error::Problem,
    journal::{self, Action, Line},
    platform::{
        attachment::{self, Sender},
        clock,
        sheet::{Cell, Format},
        zip::{self, Deflated, Out},
    },
    requests::{access, channel},
    visit::Agent,
};

type Wanted = Result<Query<Asked>, QueryRejection>;

pub async fn csv(agent: Agent, asked: Wanted) -> Result<Response, Problem> {
    send(agent, asked, Format::Csv).await
}

pub async fn xlsx(agent: Agent, asked: Wanted) -> Result<Response, Problem> {
    send(agent, asked, Format::Xlsx).await
}

pub async fn ods(agent: Agent, asked: Wanted) -> Result<Response, Problem> {
    send(agent, asked, Format::Ods).await
}

async fn send(agent: Agent, asked: Wanted, format: Format) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| WRONG)?;
    let filters = Filters::of(&agent, asked).await?;
    if !filters.errors.is_empty() {
        return Err(WRONG);
    }
    let export = Export::of(agent, filters).await?;
    list::searched(&export.agent, &export.filters).await?;
    journal::read(&export.agent, &Line::agent(&export.agent, Action::RequestsExported).detail(format.ending())).await?;
    let name = format!("demandes-{}.{}", export.agent.today(), format.ending());
    Ok(attachment::streamed(&name, format.media_type(), |sender| export.send(format, sender)))
}

/// Taking away more than was asked for would be worse than nothing.
const WRONG: Problem =
    Problem::Bad("Une date de cette liste n’existe pas. Revenez à la liste, corrigez-la, puis exportez de nouveau.");

struct Export {
    agent: Agent,
    filters: Filters,
    /// Questions whose answers have a column.
    fields: Vec<Field>,
}

row! {
    /// What lists do not show.
    struct More {
        id: Uuid,
        department_id: String,
        email: Option<String>,
        answers: Json<Answers>,
        ended_at: Option<Timestamp>,
    }
}

/// Whether its answers may be taken away.
fn open(field: &Field) -> bool {
    !field.sensitive && !field.kind.silent()
}

impl Export {
    async fn of(agent: Agent, mut filters: Filters) -> Result<Self, Problem> {
        filters.cursor = None;
        // The one order that nothing changes while it leaves.
        filters.sort = Sort::SENT;
        let current = catalogue::current(&agent).await?;
        let one = current.any(&filters.procedure);
        let ours =
            one.filter(|one| agent.role_on(&one.procedure.department, &one.procedure.id) >= Some(Role::Processor));
        let fields =
            ours.map(|one| one.procedure.fields().filter(|field| open(field)).cloned().collect()).unwrap_or_default();
        Ok(Self { agent, filters, fields })
    }

    async fn send(self, format: Format, sender: Sender) -> anyhow::Result<()> {
        let mut file = To::open(format, sender, &self).await?;
        let mut text = format.begin().to_owned();
        format.row(&mut text, &self.head());
        let mut rows = 1;
        let mut filters = self.filters.clone();
        'pages: loop {
            let mut page = store::lines(&self.agent, &filters, &BULK).await?;
            let more = page.len() > BULK.lines;
            page.truncate(BULK.lines);
            for cells in self.rows(&page).await? {
                if !format.fits(rows + 1) {
                    format.row(
                        &mut text,
                        &["La suite ne tient pas dans une feuille de ce format\u{a0}: exportez en CSV ou en ODS."
                            .into()],
                    );
                    break 'pages;
                }
                format.row(&mut text, &cells);
                rows += 1;
            }
            file.write(std::mem::take(&mut text)).await?;
            let Some(last) = page.last().filter(|_| more) else { break };
            filters.cursor = Some(Cursor { at: last.at(filters.sort), id: last.id, forward: true });
        }
        text.push_str(format.end());
        file.write(text).await?;
        file.close().await
    }

    fn head(&self) -> Vec<Cell> {
        const HEAD: [&str; 13] = [
            "Dossier",
            "Démarche",
            "Service",
            "Usager",
            "Bénéficiaire",
            "Courriel",
            "Canal",
            "Reçu le",
            "Échéance",
            "Statut",
            "Affecté à",
            "Terminé le",
            "Messages à lire",
        ];
        HEAD.into_iter().map(Cell::from).chain(self.fields.iter().map(|field| field.ask.as_str().into())).collect()
    }

    /// The rows of these lines, in their order; their readings are noted.
    async fn rows(&self, lines: &[store::Line]) -> anyhow::Result<Vec<Vec<Cell>>> {
        let agent = &self.agent;
        let ids: Vec<Uuid> = lines.iter().map(|line| line.id).collect();
        let query =
            db::Query::new("select r.id, r.department_id, r.email, r.answers, r.ended_at from request r where 1 = 1");
        let found: Vec<More> = agent.db.all(access::scope(query, agent).and_in("r.id", &ids), args![]).await?;
        let more: BTreeMap<Uuid, More> = found.into_iter().map(|one| (one.id, one)).collect();
        let read: Vec<(Uuid, &str)> = more.values().map(|one| (one.id, one.department_id.as_str())).collect();
        journal::read_many(agent, Action::RequestExported, &read).await?;
        let keys = lines.iter().map(|line| (line.procedure_id.clone(), line.procedure_version));
        let versions = versions(agent, keys).await.map_err(|problem| anyhow::anyhow!("{problem:?}"))?;
        // A request that has gone, or changed hands, between the two readings is left out.
        Ok(lines.iter().filter_map(|line| Some(self.row(line, more.get(&line.id)?, &versions))).collect())
    }

    fn row(&self, line: &store::Line, more: &More, versions: &Versions) -> Vec<Cell> {
        let agent = &self.agent;
        let day = |at: Timestamp| Cell::Day(Some(clock::day(at, &agent.site.zone)));
        let text = |text: Option<&str>| Cell::from(text.unwrap_or_default());
        let procedure = versions.get(&(line.procedure_id.clone(), line.procedure_version));
        let content = agent.role_on(&more.department_id, &line.procedure_id) >= Some(Role::Processor);
        let mut cells = vec![
            line.reference.as_str().into(),
            text(procedure.map(|one| one.title.as_str())),
            text(agent.department(&more.department_id)),
            text(line.filer_name.as_deref()),
            text(line.beneficiary.as_deref()),
            text(more.email.as_deref().filter(|_| content)),
            channel::words(&line.channel).into(),
            day(line.submitted_at),
            if line.ended { Cell::Day(None) } else { day(line.due_at) },
            procedure.map_or_else(|| line.state.clone(), |one| words::state(one, &line.state)).as_str().into(),
            text(line.holder_name.as_deref()),
            more.ended_at.map_or(Cell::Day(None), day),
            Cell::Text(if line.unread > 0 { line.unread.to_string() } else { String::new() }),
        ];
        // As the version of the request itself asked.
        let asked = |id: &str| procedure?.fields().find(|field| field.id == id).filter(|field| open(field));
        let answer = |field: &Field| {
            let asked = asked(&field.id).filter(|_| content)?;
            let told = asked.kind.export(more.answers.0.get(&field.id)?);
            // A day that is not known whole stays a text.
            let day = told.parse().ok().filter(|_| asked.kind.narrows() == Narrows::Days);
            Some(day.map_or(Cell::Text(told), |day| Cell::Day(Some(day))))
        };
        cells.extend(self.fields.iter().map(|field| answer(field).unwrap_or_else(|| Cell::from(""))));
        cells
    }
}

/// Where the rows go: as they are, or into an archive.
enum To {
    Plain(Sender),
    Archive(Box<(Out, Deflated)>),
}

impl To {
    async fn open(format: Format, sender: Sender, export: &Export) -> anyhow::Result<Self> {
        if format == Format::Csv {
            return Ok(Self::Plain(sender));
        }
        let (mut out, day) = (zip::out(sender), export.agent.today());
        for (path, content) in format.frame() {
            out.bytes(path, day, content.as_bytes().to_vec()).await?;
        }
        let sheet = out.open(format.sheet(), day).await?;
        Ok(Self::Archive(Box::new((out, sheet))))
    }

    async fn write(&mut self, text: String) -> anyhow::Result<()> {
        match self {
            Self::Plain(sender) => sender.send(Ok(text.into())).await?,
            Self::Archive(both) => {
                let (out, sheet) = both.as_mut();
                out.write(sheet, text.as_bytes()).await?;
            }
        }
        Ok(())
    }

    async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Archive(both) => {
                let (mut out, sheet) = *both;
                out.close(sheet).await?;
                out.end().await
            }
        }
    }
}
