//! A letter put together: a template, a request and what the agent gives. Nothing is written here, so that the
//! very same is shown before it is sent.

use std::collections::{BTreeMap, BTreeSet};

use db::Db;
use forms::{
    answers::Answers,
    due,
    model::Procedure,
    text::{self, Block, Known, MOTIVATION},
};
use jiff::{Timestamp, civil::Date};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use super::{
    model::{self, Author, Template},
    store,
};
use crate::{
    authorities::{self, Department},
    platform::{clock, french},
    requests::{
        fire,
        model::{Decision, Request},
    },
    visit::Visit,
};

/// What a letter is about.
pub struct About<'a> {
    pub procedure: &'a Procedure,
    pub reference: &'a str,
    pub department_id: &'a str,
    pub submitted_at: Timestamp,
    pub filer: Option<&'a str>,
    pub beneficiary: Option<&'a str>,
    pub answers: &'a Answers,
    /// What agents answered.
    pub given: &'a Answers,
    pub author: &'a Author,
    pub decision: Option<&'a Decision>,
    /// The agent's own paragraph.
    pub motivation: &'a str,
    /// Leaves room for a hand.
    pub to_post: bool,
    /// Nobody's: what is missing is shown by its label.
    pub sample: bool,
    /// Last day of the legal delay, once it runs.
    pub legal_day: Option<Date>,
}

impl<'a> About<'a> {
    pub fn request(visit: &Visit, request: &'a Request, procedure: &'a Procedure, author: &'a Author) -> Self {
        let nothing = BTreeMap::new();
        let legal_day = due::legal_end(procedure, &request.life(), fire::context(visit, &nothing));
        Self {
            procedure,
            reference: &request.reference,
            department_id: &request.department_id,
            submitted_at: request.submitted_at,
            filer: request.filer_name.as_deref(),
            beneficiary: request.beneficiary.as_deref(),
            answers: &request.answers.0,
            given: &request.given.0,
            author,
            decision: None,
            motivation: "",
            to_post: false,
            sample: false,
            legal_day,
        }
    }
}

/// A letter, ready to be read and sent.
#[derive(Debug, Clone)]
pub struct Composed {
    pub code: String,
    pub version: i64,
    /// For agents and in the list of documents.
    pub title: String,
    /// What [`letters::LETTER`] sets.
    pub content: Json,
    /// Whether its template has a place for the agent's own paragraph.
    pub takes_motivation: bool,
    /// Made of an earlier version, which fits the request as the present one does not.
    pub earlier: bool,
}

impl Composed {
    /// Changes with the least of its words.
    pub fn digest(&self) -> String {
        let hash = Sha256::digest(format!("{}\n{}", self.version, self.content).as_bytes());
        hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Why a letter cannot be made of a template for this request.
#[derive(Debug, Clone)]
pub struct Unfit {
    /// For the agent.
    pub sentences: Vec<String>,
    /// The latest version that fits, when it is not the present one.
    pub earlier: Option<i64>,
    /// Whether the present template has a place for the agent's own paragraph, as far as it is known.
    pub takes_motivation: bool,
}

impl Unfit {
    fn one(sentence: String) -> Self {
        Self { sentences: vec![sentence], earlier: None, takes_motivation: false }
    }
}

/// Puts a letter together, of its present template; of version `version` when that is the latest that fits and the
/// present one does not.
pub async fn compose(
    visit: &Visit,
    code: &str,
    version: Option<i64>,
    about: &About<'_>,
) -> anyhow::Result<Result<Composed, Unfit>> {
    let Some(present) = store::template(&visit.db, about.department_id, code, None).await? else {
        return Ok(Err(Unfit::one(format!("Le modèle « {code} » n’existe pas dans ce service."))));
    };
    let department = authorities::department(&visit.db, about.department_id).await?;
    let Some(department) = department else { return Ok(Err(Unfit::one("Ce service n’existe plus.".to_owned()))) };
    let fitting = earlier(&visit.db, &present, about.procedure).await?;
    let chosen = match fitting.filter(|fitting| version == Some(*fitting)) {
        Some(version) => store::template(&visit.db, about.department_id, code, Some(version)).await?,
        None => None,
    };
    Ok(match chosen {
        Some(chosen) => fill(visit, &chosen, &department, about).map(|letter| Composed { earlier: true, ..letter }),
        None => fill(visit, &present, &department, about).map_err(|unfit| Unfit { earlier: fitting, ..unfit }),
    })
}

/// The latest of the earlier versions that names only what this procedure has.
async fn earlier(db: &Db, template: &Template, procedure: &Procedure) -> Result<Option<i64>, db::Error> {
    let names = model::names(procedure);
    if template.parse(&names).is_ok() {
        return Ok(None);
    }
    let versions = store::versions(db, &template.department_id, &template.code).await?;
    Ok(versions.iter().find(|one| one.parse(&names).is_ok()).map(|one| one.version))
}

/// The pure part of [`compose`].
pub fn fill(visit: &Visit, template: &Template, department: &Department, about: &About<'_>) -> Result<Composed, Unfit> {
    let names = model::names(about.procedure);
    let parsed = template.parse(&names).map_err(|mistakes| {
        let told = mistakes.iter().map(|one| {
            format!(
                "Le modèle « {} » ne convient pas à cette demande, faite avec une autre version de la démarche. {}",
                template.title, one.message
            )
        });
        Unfit { sentences: told.collect(), earlier: None, takes_motivation: false }
    })?;
    let takes_motivation = parsed.body.names(MOTIVATION);
    let mut known = known(visit, department, about);
    if about.sample {
        known.stand_in(&names);
    }
    let (subject, body) = (parsed.subject.fill(&known, visit.today()), parsed.body.fill(&known, visit.today()));
    let (subject, body) = match (subject, body) {
        (Ok(subject), Ok(body)) => (subject, body),
        (subject, body) => {
            let missing = subject.err().into_iter().chain(body.err()).flatten();
            let told =
                missing.map(|label| format!("Cette demande n’a pas de réponse à « {label} », que la lettre reprend."));
            return Err(Unfit { sentences: told.collect(), earlier: None, takes_motivation });
        }
    };
    let mut content = content(visit, department, about, &text::plain(&subject.blocks), &body.blocks);
    if !template.is_certificate() {
        addressed(&mut content, about);
    }
    if let Some(decision) = about.decision {
        decided(&mut content, decision, &body.used);
    }
    Ok(Composed {
        code: template.code.clone(),
        version: template.version,
        title: template.title.clone(),
        content: Json::Object(content),
        takes_motivation,
        earlier: false,
    })
}

/// What every letter says.
fn content(
    visit: &Visit,
    department: &Department,
    about: &About<'_>,
    subject: &str,
    body: &[Block],
) -> Map<String, Json> {
    let content = json!({
        "authority": {"name": visit.site.name},
        "department": department.for_letters(),
        "reference": about.reference,
        "procedure": about.procedure.title,
        "received": french::datetime(about.submitted_at, &visit.site.zone),
        "place": visit.site.settings.short,
        "date": french::date(visit.today()),
        "subject": subject,
        "body": body,
        "author": about.author_json(),
    });
    let mut content = if let Json::Object(content) = content { content } else { Map::new() };
    if about.to_post {
        content.insert("by_hand".into(), json!(true));
    }
    content
}

fn addressed(content: &mut Map<String, Json>, about: &About<'_>) {
    let name = about.filer.unwrap_or("Madame, Monsieur");
    content.insert("recipient".into(), json!({"name": name, "address": address(about)}));
}

/// The code of letters that an agent wrote without a template.
pub const FREE: &str = "libre";

/// A letter that an agent wrote.
pub fn written(visit: &Visit, department: &Department, about: &About<'_>, subject: &str, body: &[Block]) -> Composed {
    let mut content = content(visit, department, about, subject, body);
    addressed(&mut content, about);
    Composed {
        code: FREE.to_owned(),
        version: 0,
        title: subject.to_owned(),
        content: Json::Object(content),
        takes_motivation: false,
        earlier: false,
    }
}

/// The words of a template for this request, to be changed by hand: its subject, and its text as markup. What the
/// request does not have is the label of its question in brackets: see [`holes`].
///
/// # Errors
/// Why it does not suit the request, for the agent.
pub fn begun(
    visit: &Visit,
    template: &Template,
    department: &Department,
    about: &About<'_>,
) -> Result<(String, String), Vec<String>> {
    let names = model::names(about.procedure);
    let parsed =
        template.parse(&names).map_err(|wrong| wrong.into_iter().map(|one| one.message).collect::<Vec<_>>())?;
    let mut known = known(visit, department, about);
    known.stand_in(&names);
    let (subject, body) = (parsed.subject.fill(&known, visit.today()), parsed.body.fill(&known, visit.today()));
    match (subject, body) {
        (Ok(subject), Ok(body)) => Ok((text::plain(&subject.blocks).replace('\n', " "), text::source(&body.blocks))),
        (subject, body) => Err(subject.err().into_iter().chain(body.err()).flatten().collect()),
    }
}

/// The labels in brackets that nobody replaced.
pub fn holes(procedure: &Procedure, text: &str) -> Vec<String> {
    let holes = model::names(procedure);
    let holes = holes.variables().iter().map(|one| format!("[{}]", one.label));
    holes.filter(|hole| text.contains(hole.as_str())).collect()
}

/// What the law wants on a decision, but what its text shows already.
fn decided(content: &mut Map<String, Json>, decision: &Decision, shown: &BTreeSet<String>) {
    let given = |text: &Option<String>| text.as_deref().map(paragraphs).filter(|all| !all.is_empty());
    let facts = if decision.favourable { "closing" } else { "facts" };
    for (key, text, path) in [
        ("ground", &decision.ground, "decision.motif"),
        (facts, &decision.facts, "decision.faits"),
        ("appeal", &decision.appeal, ""),
    ] {
        if let Some(paragraphs) = given(text).filter(|_| !shown.contains(path)) {
            content.insert(key.to_owned(), json!(paragraphs));
        }
    }
}

fn paragraphs(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n").split("\n\n").map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

impl About<'_> {
    /// Nobody signs what the platform writes by itself.
    fn author_json(&self) -> Json {
        let Author { name, quality, service, delegation } = self.author;
        if name.is_empty() {
            return Json::Null;
        }
        json!({"name": name, "quality": quality, "service": service, "delegation": delegation})
    }
}

/// Where somebody can be written to: the answer `adresse` of kind address.
pub fn address(about: &About<'_>) -> Vec<String> {
    let field = about.procedure.fields().find(|field| field.id == "adresse" && field.kind.name() == "address");
    let answer = field.and_then(|field| Some((field, about.answers.get(&field.id)?)));
    answer.map(|(field, answer)| field.kind.display(answer)).unwrap_or_default()
}

fn known(visit: &Visit, department: &Department, about: &About<'_>) -> Known {
    let mut known = general(visit, department);
    let decision = about.decision;
    known.set("demande.reference", about.reference);
    known.set("demande.demarche", &about.procedure.title);
    known.set_date("demande.envoyee_le", clock::day(about.submitted_at, &visit.site.zone));
    if let Some(day) = about.legal_day {
        known.set_date("demande.delai_legal", day);
    }
    known.set("usager.nom", about.filer.unwrap_or_default());
    known.set("usager.adresse", &address(about).join("\n"));
    known.set("beneficiaire.nom", about.beneficiary.unwrap_or_default());
    known.set("agent.nom", &about.author.name);
    known.set("agent.qualite", &about.author.quality);
    known.set("decision.motif", decision.and_then(|one| one.ground.as_deref()).unwrap_or_default());
    known.set("decision.faits", decision.and_then(|one| one.facts.as_deref()).unwrap_or_default());
    known.set_date("lettre.date", visit.today());
    known.set(MOTIVATION, about.motivation);
    known.answer(about.procedure, about.answers, about.given);
    known
}

/// What is the same for every request of a department.
pub fn general(visit: &Visit, department: &Department) -> Known {
    let (mut known, settings) = (Known::default(), &visit.site.settings);
    known.set("service.nom", &department.name);
    known.set("service.adresse", department.address.as_deref().unwrap_or_default());
    known.set("service.telephone", department.phone.as_deref().unwrap_or_default());
    known.set("service.courriel", department.email.as_deref().unwrap_or_default());
    known.set("collectivite.nom", &visit.site.name);
    known.set("collectivite.adresse", &settings.address);
    known.set("collectivite.telephone", &settings.phone);
    known.set("collectivite.site", &settings.site);
    known
}
