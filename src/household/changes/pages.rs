//! « Je change de coordonnées »: one page, whatever changes and whoever is told.

use axum::response::{IntoResponse, Redirect, Response};
use forms::{
    answers::{Json, Raw},
    kinds::{Kind, date::DateKind},
};
use uuid::Uuid;

use super::{
    PROCEDURE,
    model::{self, Receiver},
    send,
};
use crate::{
    authorities, catalogue,
    error::Problem,
    household::{
        self, Member, addresses,
        model::read,
        sheet::{Back, NEW, Sheet},
    },
    platform::form::Typed,
    requests::owner,
    visit::Citizen,
};

const BACK: Back<'static> = ("/compte/coordonnees", "Mes coordonnées");

fn sheet(id: Uuid) -> Sheet<'static> {
    let intro = "Remplissez seulement ce qui change. Votre adresse et votre téléphone sont mis à jour dans votre compte ; les services ne sont prévenus que si vous les cochez.";
    Sheet {
        form: None,
        back: BACK,
        title: "Je change de coordonnées",
        intro,
        new: Some(id),
        button: "Enregistrer et prévenir les services cochés",
        undo: false,
    }
}

/// Who may change with the account's owner, and who may be told.
struct Around {
    members: Vec<Member>,
    receivers: Vec<Receiver>,
}

impl Around {
    async fn of(citizen: &Citizen) -> Result<Self, Problem> {
        let members = household::own(citizen).await?;
        let receivers = if catalogue::find(citizen, PROCEDURE).await?.is_some() {
            let with_requests = owner::departments(&citizen.db, citizen.account.id).await?;
            let all = authorities::departments(&citizen.db).await?;
            model::receivers(all, &citizen.site.settings.receives_changes, &with_requests)
        } else {
            Vec::new()
        };
        Ok(Self { members, receivers })
    }

    fn questions(&self) -> Vec<forms::model::Field> {
        let members = self.members.iter().map(|member| (member.id.to_string(), member.name())).collect();
        model::questions(members, &self.receivers)
    }

    /// Identities of the members ticked.
    fn ticked(&self, ids: &[String]) -> Vec<Json> {
        let ticked = self.members.iter().filter(|member| ids.contains(&member.id.to_string()));
        ticked.map(|member| member.identity.0.clone()).collect()
    }
}

pub async fn changing(citizen: Citizen) -> Result<Response, Problem> {
    let around = Around::of(&citizen).await?;
    let (questions, mut raw) = (around.questions(), Raw::default());
    DateKind::default().fill(model::FROM, &citizen.today().to_string().into(), &mut raw);
    sheet(citizen.id()).draw(&citizen, &read(&questions, &raw, citizen.today()), &raw, false)
}

pub async fn declare(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let id = typed.text(NEW).parse().unwrap_or_else(|_| citizen.id());
    let around = Around::of(&citizen).await?;
    let questions = around.questions();
    let mut readings = read(&questions, &typed, citizen.today());
    let Some(change) = model::change(&mut readings, &around.receivers) else {
        return sheet(id).draw(&citizen, &readings, &typed, true);
    };
    if !send::send(&citizen, id, &change, &around.receivers, &around.ticked(&change.members)).await? {
        return sheet(id).refuse(&citizen, &mut readings, &typed, addresses::FULL);
    }
    Ok(Redirect::to("/compte/coordonnees?fait=change").into_response())
}
