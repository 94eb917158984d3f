//! How far drafts go in their form, counted without any trace of who fills them in: a draft moves a counter once
//! for each step that it reaches further than before, and nothing else is kept of it.

use db::{Tx, args, sql};
use forms::{journey::Reading, model::Procedure};
use jiff::civil::Date;
use uuid::Uuid;

use crate::{
    steering::{self, Fact, Measure, facts::WEB},
    visit::Visit,
};

/// The step after the last question and the last piece.
const CHECK: &str = "verifier";

/// A step that was completed, and where it led.
pub struct Reach {
    id: Uuid,
    /// Ranks of the step and of the one it led to, from 1.
    ranks: (i64, i64),
    /// « from>to ».
    what: String,
    department: String,
    procedure: String,
    day: Date,
}

/// The steps of a form, in order, by the ids that counters hold: pages, pieces (`+id`), the check page.
pub fn steps(procedure: &Procedure) -> Vec<String> {
    let pages = procedure.pages.iter().map(|page| page.id.clone());
    let pieces = procedure.pieces.iter().map(|piece| format!("+{}", piece.id));
    pages.chain(pieces).chain([CHECK.to_owned()]).collect()
}

/// A step as agents read it.
pub fn title(procedure: &Procedure, step: &str) -> String {
    let page = procedure.pages.iter().find(|page| page.id == step).map(|page| page.title.clone());
    let piece = || {
        let id = step.strip_prefix('+')?;
        let found = procedure.pieces.iter().find(|piece| piece.id == id)?;
        Some(format!("Pièce\u{a0}: {}", found.title))
    };
    let check = || (step == CHECK).then(|| "Vérification et envoi".to_owned());
    page.or_else(piece).or_else(check).unwrap_or_else(|| step.to_owned())
}

impl Reach {
    /// From the page of this index on.
    pub fn after_page(visit: &Visit, procedure: &Procedure, reading: &Reading<'_>, index: usize) -> Option<Self> {
        let from = &procedure.pages.get(index)?.id;
        let next = reading.next_shown(index).and_then(|next| procedure.pages.get(next)).map(|page| page.id.clone());
        let to = next.or_else(|| reading.pieces.first().map(|asked| format!("+{}", asked.piece.id)));
        Some(Self::between(visit, procedure, from, to))
    }

    /// From this piece on.
    pub fn after_piece(visit: &Visit, procedure: &Procedure, reading: &Reading<'_>, piece: &str) -> Self {
        let mut rest = reading.pieces.iter().map(|asked| &asked.piece.id).skip_while(|id| *id != piece).skip(1);
        Self::between(visit, procedure, &format!("+{piece}"), rest.next().map(|id| format!("+{id}")))
    }

    fn between(visit: &Visit, procedure: &Procedure, from: &str, to: Option<String>) -> Self {
        let to = to.unwrap_or_else(|| CHECK.to_owned());
        let steps = steps(procedure);
        let rank = |id: &str| {
            let index = steps.iter().position(|step| step == id).unwrap_or_default();
            i64::try_from(index).unwrap_or_default() + 1
        };
        Self {
            id: visit.id(),
            ranks: (rank(from), rank(&to)),
            what: format!("{from}>{to}"),
            department: procedure.department.clone(),
            procedure: procedure.id.clone(),
            day: visit.today(),
        }
    }

    /// Counts it, unless the draft had gone as far already, or on from this step already: who comes back and takes
    /// another way is counted again only from where they had stopped.
    pub async fn note(&self, tx: &mut Tx, draft: Uuid) -> Result<(), db::Error> {
        let (from, to) = self.ranks;
        let further = tx
            .run(
                sql!("update draft set furthest = $1 where authority_id = $2 and id = $3 and furthest < $1 and furthest <= $4"),
                args![to, tx.authority(), draft, from],
            )
            .await?;
        if further == 1 {
            let (department, procedure) = (&self.department, &self.procedure);
            let fact = Fact {
                day: self.day,
                department,
                procedure,
                measure: Measure::Page,
                what: &self.what,
                channel: WEB,
                days: None,
            };
            steering::note(tx, self.id, &fact).await?;
        }
        Ok(())
    }
}

/// Counts, as `id`, a draft that was sent.
pub async fn sent(tx: &mut Tx, id: Uuid, procedure: &Procedure, day: Date) -> Result<(), db::Error> {
    let what = format!("{CHECK}>");
    let (department, procedure) = (&procedure.department, &procedure.id);
    let fact = Fact { day, department, procedure, measure: Measure::Page, what: &what, channel: WEB, days: None };
    steering::note(tx, id, &fact).await
}
