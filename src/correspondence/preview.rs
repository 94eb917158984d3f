//! What a template gives on a real request, or on one that is made up.

use forms::{
    answers::{Answers, Input},
    journey::Files,
    kinds::Today,
    model::{Field, Procedure},
    workflow::Transition,
};
use jiff::civil::Date;
use serde_json::{Value as Json, json};

use super::{
    compose::{self, About, Composed},
    model::{Author, Template},
};
use crate::{
    authorities::Department,
    catalogue,
    error::Problem,
    journal::{Action, Line},
    requests::{self, model::Decision},
    visit::Agent,
};

/// A letter as it would be, and of which request.
pub struct Preview {
    pub letter: Option<Composed>,
    /// The reference of a request, or nothing.
    pub of: String,
    /// Why there is none.
    pub problems: Vec<String>,
}

impl Preview {
    fn none(of: &str, problem: &str) -> Self {
        Self { letter: None, of: of.to_owned(), problems: vec![problem.to_owned()] }
    }

    pub fn json(&self) -> Json {
        json!({"content": self.letter.as_ref().map(|letter| &letter.content), "of": self.of, "problems": self.problems})
    }
}

/// `reference`: of a request that the agent processes; empty: a sample.
pub async fn of(
    agent: &Agent,
    template: &Template,
    department: &Department,
    senders: &[&Procedure],
    reference: &str,
) -> Result<Preview, Problem> {
    let author = Author {
        name: agent.account.full_name(),
        quality: agent.account.quality.clone().unwrap_or_else(|| "Qualité de qui signe".to_owned()),
        service: department.name.clone(),
        delegation: None,
    };
    if reference.is_empty() {
        return sample(agent, template, department, senders.first().copied(), &author).await;
    }
    let wanted = requests::model::canonical_reference(reference);
    let missing = "Aucun dossier de ce service n’a cette référence.";
    let Some(id) = requests::store::by_reference(&agent.db, &wanted).await? else {
        return Ok(Preview::none(reference, missing));
    };
    let opened =
        requests::open_at_desk::<requests::Process>(agent, id, Line::agent(agent, Action::RequestOpened)).await;
    let request = match opened {
        Ok(request) if request.department_id == department.id => request,
        Ok(_) | Err(Problem::NotFound | Problem::Forbidden(_)) => return Ok(Preview::none(reference, missing)),
        Err(other) => return Err(other),
    };
    let procedure = catalogue::version(agent, &request.procedure_id, request.procedure_version).await?;
    let decision = requests::store::decision(&agent.db, id).await?.or_else(|| decision(agent, template, &procedure));
    let about = About { decision: decision.as_ref(), ..About::request(agent, &request, &procedure, &author) };
    Ok(told(agent, template, department, &about, &wanted))
}

async fn sample(
    agent: &Agent,
    template: &Template,
    department: &Department,
    procedure: Option<&Procedure>,
    author: &Author,
) -> Result<Preview, Problem> {
    let Some(procedure) = procedure else {
        return Ok(Preview::none(
            "",
            "Aucune démarche publiée n’envoie cette lettre : donnez la référence d’un dossier.",
        ));
    };
    let answers = answers(procedure, agent.today());
    let decision = decision(agent, template, procedure);
    let reference = format!("{}-7F3K-29", agent.site.settings.prefix);
    let filer = requests::model::filer_name(&answers);
    let beneficiary = procedure.beneficiary_of(&answers);
    let about = About {
        procedure,
        reference: &reference,
        department_id: &department.id,
        submitted_at: agent.now,
        filer: filer.as_deref(),
        beneficiary: beneficiary.as_deref(),
        answers: &answers,
        given: &Answers::new(),
        author,
        decision: decision.as_ref(),
        motivation: "Le paragraphe que l’agent ajoute à cette lettre.",
        to_post: false,
        sample: true,
        legal_day: Some(agent.today()),
    };
    Ok(told(agent, template, department, &about, ""))
}

/// An answer to every question, whatever rules say of them together.
fn answers(procedure: &Procedure, today: Date) -> Answers {
    let raw = procedure.sample(today);
    let one = |field: &Field| {
        let parsed = field.kind.parse(field, Input { raw: &raw, name: &field.id }, Today(today));
        Some((field.id.clone(), parsed.ok()??))
    };
    let mut answers: Answers = procedure.fields().filter_map(one).collect();
    answers.extend(procedure.read(&raw, &Files::new(), today).answers);
    answers
}

fn told(agent: &Agent, template: &Template, department: &Department, about: &About<'_>, of: &str) -> Preview {
    match compose::fill(agent, template, department, about) {
        Ok(letter) => Preview { letter: Some(letter), of: of.to_owned(), problems: Vec::new() },
        Err(unfit) => Preview { letter: None, of: of.to_owned(), problems: unfit.sentences },
    }
}

/// A made-up decision, for a letter that tells one.
fn decision(agent: &Agent, template: &Template, procedure: &Procedure) -> Option<Decision> {
    let sends = |one: &&Transition| one.letter() == Some(template.code.as_str());
    let favourable = procedure.workflow.transitions.iter().find(sends)?.decides()?;
    let text = |text: &str| Some(text.to_owned());
    Some(Decision {
        favourable,
        author_name: String::new(),
        author_quality: String::new(),
        author_department: String::new(),
        ground: text("Le texte et l’article sur lesquels se fonde la décision.").filter(|_| !favourable),
        facts: text("Les faits retenus dans ce dossier.").filter(|_| !favourable),
        appeal: Some(requests::appeal(&agent.site, procedure)).filter(|_| !favourable),
        delegation_id: None,
        at: agent.now,
    })
}
