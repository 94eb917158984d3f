//! Decisions of sample requests, and their letters.

use anyhow::{Context, Result};
use forms::{model::Procedure, workflow::Transition};

use super::city::AgentOf;
use crate::{
    correspondence::{
        self,
        compose::{self, About},
    },
    delegations::{self, Delegation, Scope},
    requests::{
        fire::By,
        model::{Decision, Request},
    },
    visit::Visit,
};

/// The line of the register by which somebody signs.
pub async fn signed_by(
    visit: &Visit,
    request: &Request,
    transition: &Transition,
    by: By,
) -> Result<Option<Delegation>> {
    let Some((favourable, agent)) = transition.decides().zip(by.account) else { return Ok(None) };
    let scope = Scope { department: &request.department_id, procedure: &request.procedure_id, favourable };
    Ok(delegations::in_force(&visit.db, agent, scope, visit.today()).await?)
}

/// The letter of a decision, by who signs it.
pub async fn letter(
    visit: &Visit,
    procedure: &Procedure,
    request: &Request,
    code: &str,
    by: By,
    (decision, delegation): (Option<&Decision>, Option<String>),
) -> Result<correspondence::New> {
    let mut author = correspondence::Author { delegation, ..correspondence::Author::default() };
    if let Some(decision) = decision {
        (author.name, author.quality, author.service) =
            (decision.author_name.clone(), decision.author_quality.clone(), decision.author_department.clone());
    }
    let about = About { decision, ..About::request(visit, request, procedure, &author) };
    let composed = compose::compose(visit, code, None, &about).await?;
    let composed = composed.map_err(|unfit| anyhow::anyhow!("{code}: {:?}", unfit.sentences))?;
    Ok(correspondence::New {
        id: visit.id(),
        department: request.department_id.clone(),
        code: composed.code,
        version: composed.version,
        title: composed.title,
        content: composed.content,
        written_on: visit.today(),
        author: Some(by.account.context("nobody signs")?),
        to_post: request.email.is_none(),
    })
}

pub fn decision(visit: &Visit, (agent, department): (&AgentOf, &str), favourable: bool) -> Decision {
    let text = |text: &str| Some(text.to_owned());
    Decision {
        favourable,
        author_name: agent.name(),
        author_quality: agent.quality.clone(),
        author_department: department.to_owned(),
        ground: if favourable { None } else { text("Règlement municipal du service, article 4.") },
        facts: text(if favourable {
            "Votre demande remplit les conditions."
        } else {
            "Le dossier ne remplit pas les conditions prévues."
        }),
        appeal: if favourable {
            None
        } else {
            text(
                "Vous pouvez contester cette décision dans les deux mois, par un recours gracieux auprès du maire ou devant le tribunal administratif.",
            )
        },
        delegation_id: None,
        at: visit.now,
    }
}
