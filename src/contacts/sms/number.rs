//! « Être prévenu par SMS »: off unless chosen; the number is confirmed by the code that it receives.

use axum::{
    extract::Query,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::kinds::phone;
use jiff::SignedDuration;
use minijinja::{Value, context};
use serde_json::json;
use uuid::Uuid;

use super::{
    SMS,
    store::{self, Number},
    text,
};
use crate::{
    accounts::{
        Wrong,
        citizen::{Way, errors, flash},
    },
    error::Problem,
    platform::{
        form::Typed,
        jobs::{self, NewJob},
        throttle,
    },
    visit::{Citizen, Visit},
};

const HOME: &str = "/compte/sms";
const TITLE: &str = "Être prévenu par SMS";
/// How long a code is good.
const LASTS: SignedDuration = SignedDuration::from_mins(15);
const MOST_TRIES: i64 = 5;

/// Closed where the authority sends no SMS.
async fn open(citizen: &Citizen) -> Result<Option<Number>, Problem> {
    store::get(&citizen.db).await?.ok_or(Problem::NotFound)?;
    Ok(store::number(&citizen.db, citizen.account.id).await?)
}

pub async fn show(citizen: Citizen, Query(way): Query<Way>) -> Result<Response, Problem> {
    let number = open(&citizen).await?;
    let told = match way.fait.as_str() {
        "code" => Some("Un code part vers votre téléphone. Il est valable 15 minutes."),
        "confirme" => Some("Votre numéro est confirmé. Un SMS vous préviendra quand une de vos demandes avance."),
        "arrete" => Some("Vous ne recevrez plus de SMS. Votre numéro est effacé d’ici."),
        _ => None,
    };
    draw(&citizen, number.as_ref(), "", &[], told)
}

fn draw(
    citizen: &Citizen,
    number: Option<&Number>,
    typed: &str,
    wrong: &[Wrong],
    told: Option<&str>,
) -> Result<Response, Problem> {
    let shown = number.map(|one| {
        let lasting = citizen.now.duration_since(one.asked_at) < LASTS && one.tries < MOST_TRIES;
        context! {
            number => one.number.as_deref().map(phone::french), asked => one.asked.as_deref().filter(|_| lasting).map(phone::french),
            confirmed => one.confirmed_at.map(|at| at.to_string()),
            refused => one.refused_at.map(|at| at.to_string()),
        }
    });
    let context = context! { number => shown.unwrap_or_else(|| Value::from(())), typed => typed, errors => errors(wrong), ..flash(told) };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let title = if wrong.is_empty() { TITLE.to_owned() } else { format!("Erreur : {TITLE}") };
    citizen.page_with(status, "accounts/sms.html", &title, context)
}

/// Sends a code to a number. Neither an account nor a number is sent many.
pub async fn ask(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let before = open(&citizen).await?;
    let given = typed.text("telephone").trim();
    let wrong = |text: String| [Wrong::new("telephone", text)];
    let Some(number) = phone::e164(given).filter(|_| typed.text("accord") == "oui" || given.is_empty()) else {
        let text = if phone::e164(given).is_none() {
            Wrong::new("telephone", "Saisissez un numéro de téléphone, comme 06 12 34 56 78")
        } else {
            Wrong::new("accord", "Cochez la case si vous acceptez de recevoir des SMS")
        };
        return draw(&citizen, before.as_ref(), given, &[text], None);
    };
    let account = citizen.account.id;
    for subject in [format!("sms:compte:{account}"), format!("sms:numero:{number}")] {
        if let Some(left) = throttle::take(&citizen.db, &subject, throttle::ONE, citizen.now).await? {
            let text = format!("Trop de codes ont été envoyés. Réessayez dans {}", throttle::in_words(left));
            return draw(&citizen, before.as_ref(), given, &wrong(text), None);
        }
    }
    let (id, now) = (citizen.id(), citizen.now);
    citizen
        .db
        .write(async |tx: &mut Tx| {
            store::ask(tx, account, &number, now).await?;
            let payload = json!({"account": account});
            jobs::enqueue(tx, id, now, NewJob { kind: SMS, effect: format!("sms-code:{id}"), request: None, payload })
                .await
        })
        .await?;
    citizen.app.work.notify_one();
    Ok(done("code"))
}

fn done(what: &str) -> Response {
    Redirect::to(&format!("{HOME}?fait={what}")).into_response()
}

/// Six digits bound to the account, the number to confirm and the moment when it was asked for: kept nowhere.
fn code(visit: &Visit, number: &Number, asked: &str) -> String {
    let at = number.asked_at.as_microsecond().to_be_bytes();
    let what = [number.account_id.as_bytes().as_slice(), asked.as_bytes(), &at].concat();
    let print = visit.app.secret.fingerprint("sms code", &what);
    let value = print.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    format!("{:06}", value % 1_000_000)
}

pub fn code_text(visit: &Visit, number: &Number, asked: &str) -> anyhow::Result<String> {
    let context = context! { city => &visit.site.settings.short, code => code(visit, number, asked) };
    Ok(text::plain(&visit.app.templates.render("sms/code.txt", context)?))
}

pub async fn confirm(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let known = open(&citizen).await?;
    let Some((number, asked)) = known.as_ref().and_then(|one| Some((one, one.asked.as_deref()?))) else {
        return Ok(Redirect::to(HOME).into_response());
    };
    let again = |text: &str| draw(&citizen, Some(number), "", &[Wrong::new("code", text)], None);
    if citizen.now.duration_since(number.asked_at) >= LASTS {
        return again("Ce code n’est plus valable : demandez-en un autre");
    }
    let (account, now) = (citizen.account.id, citizen.now);
    let counted = citizen.db.write(async |tx: &mut Tx| store::attempt(tx, account, MOST_TRIES).await).await?;
    if !counted {
        return again("Trop d’essais : demandez un autre code");
    }
    if !crate::platform::secret::same_code(typed.text("code"), &code(&citizen, number, asked)) {
        return again("Ce n’est pas le code envoyé par SMS");
    }
    let confirmed =
        citizen.db.write(async |tx: &mut Tx| store::confirm(tx, account, number.asked_at, now).await).await?;
    if !confirmed {
        return again("Un autre code a été demandé depuis : saisissez le dernier reçu");
    }
    Ok(done("confirme"))
}

pub async fn stop(citizen: Citizen) -> Result<Response, Problem> {
    open(&citizen).await?;
    let account: Uuid = citizen.account.id;
    citizen.db.write(async |tx: &mut Tx| store::stop(tx, account).await).await?;
    Ok(done("arrete"))
}
