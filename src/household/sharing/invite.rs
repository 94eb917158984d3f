//! Inviting. Nothing here tells whether the address has an account.

use std::sync::Arc;

use axum::response::{IntoResponse, Redirect, Response};
use db::Tx;
use forms::{
    answers::{Json, Problem as Wrong, Raw},
    journey::FieldReading,
    kinds::{choice::Choice, choices::Choices, email::Email},
    model::Field,
};
use uuid::Uuid;

use super::{model, store};
use crate::{
    accounts,
    error::Problem,
    household::{
        Member, members,
        model::read,
        sheet::{Back, NEW, Sheet},
    },
    platform::form::Typed,
    visit::Citizen,
};

const BACK: Back<'static> = ("/compte/foyer", "Mon foyer");
const EMAIL: &str = "courriel";
const SCOPE: &str = "portee";
const CHILDREN: &str = "enfants";
const SOME: &str = "enfants";

fn sheet(id: Uuid) -> Sheet<'static> {
    let intro = "La personne reçoit un lien valable 14 jours. Elle voit ce que vous partageriez, puis accepte ou refuse. Chacun de vous peut arrêter à tout moment.";
    Sheet {
        form: None,
        back: BACK,
        title: "Inviter une personne",
        intro,
        new: Some(id),
        button: "Envoyer l’invitation",
        undo: false,
    }
}

fn questions(children: &[Member]) -> Vec<Field> {
    let whole = "Nous vivons ensemble\u{a0}: partager nos deux foyers et nos adresses principales";
    let some = "Nous n’avons en commun que des enfants\u{a0}: partager seulement ceux que je coche";
    let options = [("foyer", whole), (SOME, some)].map(|(id, label)| (id.to_owned(), label.to_owned()));
    let help = "Une adresse confidentielle n’est jamais montrée. Vos demandes ne le sont pas non plus.";
    let scope = Choice { options: options.into() };
    let asked = |id, ask, kind| Field { optional: false, ..Field::plain(id, ask, kind) };
    let mut all = vec![
        asked(EMAIL, "Adresse électronique de la personne", Arc::new(Email)),
        Field { help: Some(help.to_owned()), ..asked(SCOPE, "Que voulez-vous partager ?", Arc::new(scope)) },
    ];
    if !children.is_empty() {
        let options = children.iter().map(|child| (child.id.to_string(), child.name())).collect();
        let kind = Choices { options, min: None, max: None };
        let help = "Vos enfants mineurs pour lesquels vous avez indiqué exercer l’autorité parentale. Le partage s’arrête de lui-même à leurs 18 ans.";
        all.push(Field { help: Some(help.to_owned()), ..Field::plain(CHILDREN, "Quels enfants ?", Arc::new(kind)) });
    }
    all
}

/// The children that may be named.
async fn children(citizen: &Citizen) -> Result<Vec<Member>, db::Error> {
    let mut members = members(&citizen.db, citizen.account.id).await?;
    members.retain(|member| model::may_be_named(member, citizen.today(), &citizen.site.zone));
    Ok(members)
}

pub async fn inviting(citizen: Citizen) -> Result<Response, Problem> {
    let (children, raw) = (children(&citizen).await?, Raw::default());
    let questions = questions(&children);
    sheet(citizen.id()).draw(&citizen, &read(&questions, &raw, citizen.today()), &raw, false)
}

/// The address, and the children to name; none of them for whole households.
fn judged(readings: &mut [FieldReading<'_>], own: &str) -> Option<(String, Option<Vec<Uuid>>)> {
    let answer = |readings: &[FieldReading<'_>], id: &str| {
        readings.iter().find(|reading| reading.name == id).and_then(|reading| reading.answer.clone())
    };
    let email = answer(readings, EMAIL).and_then(|email| email.as_str().map(str::to_owned));
    let whole = answer(readings, SCOPE).map(|scope| scope.as_str() != Some(SOME));
    let ticked: Vec<Uuid> = answer(readings, CHILDREN)
        .as_ref()
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(|id| id.as_str()?.parse().ok())
        .collect();
    let mut refuse = |id: &str, text: &str| {
        if let Some(reading) = readings.iter_mut().find(|reading| reading.name == id) {
            reading.problems.push(Wrong::new(text));
        }
    };
    if email.as_ref().is_some_and(|email| accounts::email_key(email) == own) {
        refuse(EMAIL, "C’est l’adresse de votre compte : saisissez celle de l’autre personne");
    }
    if whole == Some(false) && ticked.is_empty() {
        refuse(CHILDREN, "Cochez au moins un enfant");
        // None of them may be named: the question is not even there.
        refuse(SCOPE, "Déclarez d’abord un enfant pour lequel vous exercez l’autorité parentale, ou cochez un enfant");
    }
    let right = readings.iter().all(|reading| reading.problems.is_empty());
    let children = (!whole?).then_some(ticked);
    Some((email?, children)).filter(|_| right)
}

pub async fn invite(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let id = typed.text(NEW).parse().unwrap_or_else(|_| citizen.id());
    let offered = children(&citizen).await?;
    let questions = questions(&offered);
    let mut readings = read(&questions, &typed, citizen.today());
    let own = accounts::email_key(citizen.account.email.as_deref().unwrap_or_default());
    let Some((email, children)) = judged(&mut readings, &own) else {
        return sheet(id).draw(&citizen, &readings, &typed, true);
    };
    let mail = accounts::may_write_to(&citizen, &email).await?;
    let (email_key, now) = (accounts::email_key(&email), citizen.now);
    let new = store::New {
        id,
        owner: citizen.account.id,
        email: &email,
        email_key: &email_key,
        children: children.as_deref(),
        mail,
        job: citizen.id(),
    };
    if !citizen.db.write(async |tx: &mut Tx| store::invite(tx, &new, now).await).await? {
        let text = "Vous avez déjà 20 partages et invitations. Arrêtez-en un avant d’inviter encore";
        return sheet(id).refuse(&citizen, &mut readings, &typed, text);
    }
    citizen.app.work.notify_one();
    Ok(Redirect::to("/compte/foyer?fait=invite").into_response())
}
