//! Who signs a decision, and by what right: the author is named on it (CRPA L111-2, L212-1), and is who has a
//! delegation in force that day, where the procedure decides and for whatever is sent by letter.

use forms::workflow::Transition;

use super::{Opened, give::Typed};
use crate::{
    correspondence::Author,
    delegations::{self, Delegation, Scope},
    error::Problem,
    requests::{access::Process, model::Decision},
    visit::Agent,
};

const NO_QUALITY: &str = "Votre qualité n’est pas renseignée : elle doit figurer sur la décision. Demandez à l’administrateur de l’ajouter à votre compte.";

pub struct Signing {
    pub author: Author,
    delegation: Option<Delegation>,
    /// Why the agent cannot sign; empty when they can, or when nothing is to be signed.
    pub refused: String,
}

impl Signing {
    pub async fn of(agent: &Agent, file: &Opened<Process>, transition: &Transition) -> Result<Self, Problem> {
        let request = &file.request;
        let service = agent.department(&request.department_id);
        let mut author = Author {
            name: agent.account.full_name(),
            quality: agent.account.quality.clone().unwrap_or_default().trim().to_owned(),
            service: service.unwrap_or_default().to_owned(),
            delegation: None,
        };
        let mut signing = Self { author: Author::default(), delegation: None, refused: String::new() };
        let decision = file.procedure.decides() || transition.letter().is_some();
        if let Some(favourable) = transition.decides().filter(|_| decision) {
            let scope = Scope { department: &request.department_id, procedure: &request.procedure_id, favourable };
            signing.delegation = delegations::in_force(&agent.db, agent.account.id, scope, agent.today()).await?;
            match &signing.delegation {
                Some(line) => (author.quality, author.delegation) = (line.quality.clone(), line.mention()),
                None => signing.refused = nobody(agent, scope).await?,
            }
        }
        let unnamed = author.name.is_empty() || author.quality.is_empty();
        if transition.decides().is_some() && signing.refused.is_empty() && unnamed {
            signing.refused = NO_QUALITY.to_owned();
        }
        signing.author = author;
        Ok(signing)
    }

    /// The decision as it would be kept; none when the transition decides nothing.
    pub fn decision(&self, agent: &Agent, transition: &Transition, typed: &Typed) -> Option<Decision> {
        let favourable = transition.decides()?;
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Some(Decision {
            favourable,
            author_name: self.author.name.clone(),
            author_quality: self.author.quality.clone(),
            author_department: self.author.service.clone(),
            ground: some(&typed.ground),
            facts: some(&typed.facts),
            appeal: some(&typed.appeal).filter(|_| !favourable),
            delegation_id: self.delegation.as_ref().map(|line| line.id),
            at: agent.now,
        })
    }
}

/// Says who may sign in the agent's stead.
async fn nobody(agent: &Agent, scope: Scope<'_>) -> Result<String, Problem> {
    let able = delegations::signatories(&agent.db, scope, agent.today()).await?;
    let names: Vec<String> = able.iter().map(|one| format!("{}, {}", one.name(), one.quality)).collect();
    let mine = "Vous n’avez pas de délégation de signature en vigueur aujourd’hui pour cette décision.";
    Ok(if names.is_empty() {
        format!("{mine} Personne n’en a : un responsable du service la note au registre des délégations.")
    } else {
        format!("{mine} Peuvent la signer\u{a0}: {}.", names.join("\u{a0}; "))
    })
}
