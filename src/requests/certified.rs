//! What a verified identity fills in a request, and locks: the parts that the procedure's verified questions
//! ask for. The server types them at every reading, over whatever a browser sent. A request keeps which
//! parts were certified, by whom and when, and what its filer says is wrong.

use std::collections::BTreeMap;

use db::{Db, Json, Tx, args, row, sql};
use forms::{
    answers::{Answers, Json as Value, Raw},
    journey::{Reading, Section},
    kinds::Today,
    model::{Field, Procedure, REMARK},
};
use jiff::{Timestamp, civil::Date};
use serde_json::json;
use uuid::Uuid;

use crate::{
    identity,
    visit::{Visit, Visitor},
};

/// What is certified in a draft.
#[derive(Debug, Clone)]
pub struct Certified {
    pub source: String,
    pub at: Timestamp,
    /// « Identité vérifiée par FranceConnect le… ».
    told: String,
    /// By field: the identity as it was checked.
    identities: BTreeMap<String, Value>,
}

row! {
    #[derive(Debug, Clone)]
    pub struct Kept {
        pub field: String,
        pub source: String,
        pub verified_at: Timestamp,
        /// Names of members of the answer.
        pub parts: Json<Vec<String>>,
        pub remark: Option<String>,
    }
}

/// What is certified of one answer of a request, and how that is told.
#[derive(Debug, Clone)]
pub struct Mark {
    kept: Kept,
    told: String,
}

impl std::ops::Deref for Mark {
    type Target = Kept;

    fn deref(&self) -> &Kept {
        &self.kept
    }
}

fn remark_of(field: &Field) -> String {
    format!("{}.{REMARK}", field.id)
}

fn verified(procedure: &Procedure) -> impl Iterator<Item = &Field> {
    procedure.fields().filter(|field| field.verified)
}

/// What the visitor's account certifies in a new request; nothing is looked up where nothing is asked. Who acts
/// for somebody certifies nothing: their identity is not the one of whom the request is for.
pub async fn of_visitor(visitor: &Visitor, procedure: &Procedure) -> Result<Option<Certified>, db::Error> {
    match visitor.account().filter(|_| visitor.acting.is_none()) {
        Some(account) => of_account(visitor, account.id, procedure).await,
        None => Ok(None),
    }
}

/// The same for an account, whoever fills in.
pub async fn of_account(visit: &Visit, account: Uuid, procedure: &Procedure) -> Result<Option<Certified>, db::Error> {
    if verified(procedure).next().is_none() {
        return Ok(None);
    }
    let Some(found) = identity::find(&visit.db, account).await? else { return Ok(None) };
    let told = identity::sentence(visit, &found.source, found.verified_at).await?;
    let identities = verified(procedure).map(|field| (field.id.clone(), found.identity.0.clone())).collect();
    Ok(Some(Certified { source: found.source, at: found.verified_at, told, identities }))
}

/// What was certified in a request already sent: its corrections keep it.
pub fn of_request(marks: &[Mark], answers: &Answers) -> Option<Certified> {
    let first = marks.first()?;
    let identities =
        marks.iter().filter_map(|mark| Some((mark.field.clone(), only(answers.get(&mark.field)?, &mark.parts.0))));
    let (source, at, told) = (first.source.clone(), first.verified_at, first.told.clone());
    Some(Certified { source, at, told, identities: identities.collect() })
}

/// The members of an identity that are named.
fn only(identity: &Value, parts: &[impl AsRef<str>]) -> Value {
    let members = identity.as_object().into_iter().flatten();
    let kept = members.filter(|(key, _)| parts.iter().any(|part| part.as_ref() == key.as_str()));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Types what is certified over what a browser sent for the fields that `keep` names. A remark is heard
/// only about what is certified.
pub fn overlay(
    certified: Option<&Certified>,
    procedure: &Procedure,
    today: Date,
    raw: &mut Raw,
    keep: impl Fn(&str) -> bool,
) {
    for field in verified(procedure).filter(|field| keep(&field.id)) {
        let identity = certified.and_then(|certified| certified.identities.get(&field.id));
        let parts = identity.map(|identity| field.kind.certify(&field.id, identity, Today(today), raw));
        if parts.unwrap_or_default().is_empty() {
            raw.0.remove(&remark_of(field));
        }
    }
}

impl Certified {
    /// By an agent who sees who it is for, and types it: what they type, once they have.
    pub async fn seen(visit: &Visit) -> Result<Self, db::Error> {
        let told = identity::sentence(visit, identity::COUNTER, visit.now).await?;
        Ok(Self { source: identity::COUNTER.to_owned(), at: visit.now, told, identities: BTreeMap::new() })
    }

    /// The same, of what was typed.
    pub fn of(&self, procedure: &Procedure, answers: &Answers) -> Self {
        let typed = verified(procedure).filter_map(|field| Some((field.id.clone(), answers.get(&field.id)?.clone())));
        Self { identities: typed.collect(), ..self.clone() }
    }

    /// The parts that this field takes, and their lines of text.
    fn parts(&self, field: &Field, today: Date) -> Option<(Vec<&'static str>, Vec<String>)> {
        let identity = self.identities.get(&field.id).filter(|_| field.verified)?;
        let parts = field.kind.certify(&field.id, identity, Today(today), &mut Raw::default());
        let lines = field.kind.display(&only(identity, &parts));
        (!parts.is_empty()).then_some((parts, lines))
    }

    /// For the field's template: `{parts, lines, told, remark}`; null when nothing of it is certified.
    pub fn view(&self, visit: &Visit, field: &Field, raw: &Raw) -> Value {
        let Some((parts, lines)) = self.parts(field, visit.today()) else { return Value::Null };
        json!({"parts": parts, "lines": lines, "told": self.told, "remark": raw.text(&remark_of(field))})
    }

    /// What a request sent now keeps of it: of the questions that are answered.
    pub fn marks(&self, reading: &Reading<'_>, raw: &Raw, today: Date) -> Vec<Mark> {
        let fields = reading.pages.iter().flat_map(|page| &page.fields).filter(|found| found.answer.is_some());
        fields
            .filter_map(|found| {
                let (parts, _) = self.parts(found.field, today)?;
                let remark = raw.text(&remark_of(found.field));
                let kept = Kept {
                    field: found.name.clone(),
                    source: self.source.clone(),
                    verified_at: self.at,
                    parts: Json(parts.into_iter().map(str::to_owned).collect()),
                    remark: (!remark.is_empty()).then(|| remark.to_owned()),
                };
                Some(Mark { kept, told: self.told.clone() })
            })
            .collect()
    }
}

/// Says, under each answer of which something is certified, what is and what the filer declares.
pub fn annotate(marks: &[Mark], answers: &Answers, sections: &mut [Section]) {
    for line in sections.iter_mut().flat_map(|section| &mut section.rows) {
        let Some(mark) = marks.iter().find(|mark| mark.field == line.path) else { continue };
        let told = mark.told.clone();
        let declared = answers.get(&mark.field).map(|answer| declared(answer, &mark.parts.0)).unwrap_or_default();
        // What is not certified is told: an agent must not take it for checked.
        line.lines.push(if declared.is_empty() {
            told
        } else {
            format!("{told}, sauf {} (déclaration de l’usager)", declared.join(", "))
        });
        if let Some(remark) = &mark.remark {
            line.lines.push(format!("L’usager signale une erreur\u{a0}: {remark}"));
        }
    }
}

/// Members of an answer that are given and not certified, in French.
fn declared(answer: &Value, parts: &[String]) -> Vec<&'static str> {
    const WORDS: [(&str, &str); 5] = [
        ("nom_naissance", "le nom de naissance"),
        ("nom_usage", "le nom d’usage"),
        ("prenoms", "les prénoms"),
        ("date_naissance", "la date de naissance"),
        ("lieu_naissance", "le lieu de naissance"),
    ];
    let only_declared = |key: &str| answer.get(key).is_some() && !parts.iter().any(|part| part == key);
    WORDS.into_iter().filter(|(key, _)| only_declared(key)).map(|(_, words)| words).collect()
}

pub async fn of(visit: &Visit, request: Uuid) -> Result<Vec<Mark>, db::Error> {
    let all: Vec<Kept> = visit
        .db
        .all(
            sql!(
                "select field, source, verified_at, parts, remark from request_certified where authority_id = $1 and request_id = $2 order by field"
            ),
            args![visit.db.authority(), request],
        )
        .await?;
    let mut marks = Vec::new();
    for kept in all {
        let told = identity::sentence(visit, &kept.source, kept.verified_at).await?;
        marks.push(Mark { kept, told });
    }
    Ok(marks)
}

/// Keeps the marks of a request, in the transaction that sends it.
pub async fn keep(tx: &mut Tx, request: Uuid, marks: &[Mark]) -> Result<(), db::Error> {
    for mark in marks {
        tx.run(
            sql!(
                "insert into request_certified (authority_id, request_id, field, source, verified_at, parts, remark) values ($1, $2, $3, $4, $5, $6, $7)"
            ),
            args![tx.authority(), request, &mark.field, &mark.source, mark.verified_at, &mark.parts, &mark.remark],
        )
        .await?;
    }
    Ok(())
}

/// Keeps what the filer says, in a correction, of what was certified; silence changes nothing.
pub async fn hear(tx: &mut Tx, request: Uuid, marks: &[Mark]) -> Result<(), db::Error> {
    for mark in marks.iter().filter(|mark| mark.remark.is_some()) {
        tx.run(
            sql!("update request_certified set remark = $1 where authority_id = $2 and request_id = $3 and field = $4"),
            args![&mark.remark, tx.authority(), request, &mark.field],
        )
        .await?;
    }
    Ok(())
}

row! {
    struct Exported {
        request_id: Uuid,
        field: String,
        source: String,
        verified_at: Timestamp,
        parts: Json<Vec<String>>,
        remark: Option<String>,
    }
}

/// What is certified in the requests of an account, by request, for its owner's copy of their data.
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<(Uuid, Value)>, db::Error> {
    let marks: Vec<Exported> = db
        .all(
            sql!(
                "select c.request_id, c.field, c.source, c.verified_at, c.parts, c.remark from request_certified c join request r on r.authority_id = c.authority_id and r.id = c.request_id
                 where r.authority_id = $1 and r.account_id = $2 order by c.request_id, c.field"
            ),
            args![db.authority(), account],
        )
        .await?;
    let one = |mark: Exported| {
        let told = json!({
            "question": mark.field, "source": mark.source, "verifie_le": mark.verified_at.to_string(), "parties": mark.parts.0, "remarque": mark.remark,
        });
        (mark.request_id, told)
    };
    Ok(marks.into_iter().map(one).collect())
}
