//! « Réunir deux comptes »: the other account proves itself, what moves is shown, then it is done.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use data_encoding::BASE64URL_NOPAD;
use db::Tx;
use forms::answers::Raw;
use jiff::Timestamp;
use minijinja::{Value, context};
use uuid::Uuid;

use super::{LASTS, preview, store};
use crate::{
    accounts::{
        citizen::{errors, mine},
        connections::{self, Happened},
        entry::{self, Entry},
        factor::{
            self,
            check::{self, Answer, Checked},
        },
        jobs,
        model::Wrong,
        passkey,
        password::Print,
        person::Person,
        session::{self, Kind},
        store::{self as accounts, Account},
    },
    error::Problem,
    platform::{form::Typed, throttle},
    visit::Citizen,
};

const PAGE: &str = "accounts/merge.html";
const TITLE: &str = "Réunir deux comptes";
const PURPOSE: &str = "reunir-deux-comptes";

pub async fn start(citizen: Citizen) -> Result<Response, Problem> {
    fresh(&citizen, &mine::account(&citizen).await?).await?;
    draw(&citizen, StatusCode::OK, &Raw::default(), &[])
}

fn draw(citizen: &Citizen, status: StatusCode, typed: &Raw, wrong: &[Wrong]) -> Result<Response, Problem> {
    let title = if wrong.is_empty() { TITLE.to_owned() } else { format!("Erreur : {TITLE}") };
    let context = context! {
        kept => &citizen.account.login, login => typed.text("autre-compte"), preview => Value::from(()), key => "", password => false,
        passkeys => passkey::possible(citizen), errors => errors(wrong),
    };
    citizen.page_with(status, PAGE, &title, context)
}

fn again(citizen: &Citizen, typed: &Raw, wrong: Wrong) -> Result<Response, Problem> {
    draw(citizen, StatusCode::UNPROCESSABLE_ENTITY, typed, &[wrong])
}

/// The other account proves itself by its password, and its code where it has a second factor.
pub async fn prove(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let (login, password) = (typed.text("autre-compte").trim(), typed.text("mot-de-passe-autre"));
    if login.is_empty() {
        return again(
            &citizen,
            &typed,
            Wrong::new("autre-compte", "Saisissez l’adresse ou l’identifiant de l’autre compte"),
        );
    }
    if password.is_empty() {
        return again(
            &citizen,
            &typed,
            Wrong::new("mot-de-passe-autre", "Saisissez le mot de passe de l’autre compte"),
        );
    }
    let found = match entry::check(&citizen, Kind::Usager, login, password).await? {
        Entry::Known(found) if found.confirmed_at.is_some() => found,
        // Nobody has proved to own its address yet.
        Entry::Known(_) => {
            return again(&citizen, &typed, Wrong::new("autre-compte", "Confirmez d’abord l’adresse de ce compte"));
        }
        refused => return again(&citizen, &typed, Wrong::new("autre-compte", refused.refusal().unwrap_or_default())),
    };
    let mut how = Happened::SignedIn;
    if factor::present(&citizen.db, found.id).await? {
        how = match code(&citizen, found.id, typed.text("code-autre")).await? {
            Ok(how) => how,
            Err(wrong) => return again(&citizen, &typed, wrong),
        };
    }
    proved(&citizen, found.id, how, &typed).await
}

/// The code of the other account's second factor, or one of its recovery codes: which, or what to say.
async fn code(citizen: &Citizen, other: Uuid, typed: &str) -> Result<Result<Happened, Wrong>, Problem> {
    let digits = typed.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    if digits.is_empty() {
        return Ok(Err(Wrong::new("code-autre", "Ce compte a un second facteur : saisissez aussi son code")));
    }
    let plain = digits.len() == 6 && digits.chars().all(|letter| letter.is_ascii_digit());
    let answer = if plain { Answer::Code(&digits) } else { Answer::Recovery(typed) };
    Ok(match check::check(citizen, other, answer).await? {
        Checked::Passed(how) => Ok(how),
        Checked::Wrong => Err(Wrong::new("code-autre", "Ce code n’est pas le bon, ou il a déjà servi")),
        Checked::Wait(left) => {
            Err(Wrong::new("code-autre", format!("Trop d’essais\u{a0}: réessayez dans {}", throttle::in_words(left))))
        }
    })
}

/// The other account proves itself by a passkey.
pub async fn passkey(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    match passkey::door::answer(&citizen, Kind::Usager, &typed).await? {
        Ok(proof) => proved(&citizen, proof.account, Happened::SignedInByPasskey, &typed).await,
        Err(text) => again(&citizen, &typed, Wrong::new("cle-d-acces", text)),
    }
}

/// Who has no password to give must have signed in a short while ago, else signs in again: an open session
/// alone unites nothing.
async fn fresh(citizen: &Citizen, kept: &Account) -> Result<(), Problem> {
    if kept.password_hash.is_some() {
        return Ok(());
    }
    let since = session::since(&citizen.db, citizen.session()).await?;
    if since.is_some_and(|since| citizen.now.duration_since(since) <= LASTS) {
        return Ok(());
    }
    Err(Problem::Elsewhere("/connexion?encore=oui&suite=/compte/reunir".to_owned()))
}

/// The page of what moves, which carries the proof.
async fn proved(citizen: &Citizen, other: Uuid, how: Happened, typed: &Raw) -> Result<Response, Problem> {
    remember(citizen, other, how).await?;
    let preview = preview::of(citizen, citizen.account.id, other).await?;
    if let Some(obstacle) = preview.obstacle {
        return again(citizen, typed, Wrong::new("autre-compte", obstacle.words()));
    }
    let account = accounts::find(&citizen.db, other).await?.ok_or(Problem::NotFound)?;
    let kept = mine::account(citizen).await?;
    fresh(citizen, &kept).await?;
    let key = seal(citizen, &account)?;
    confirmation(citizen, StatusCode::OK, &kept, &account, &preview.shown, &key, &[])
}

/// The other account's owner reads that it was proved, and by what; a recovery code that is spent is told by
/// mail, as at sign-in.
async fn remember(citizen: &Citizen, other: Uuid, how: Happened) -> Result<(), Problem> {
    let visit = &citizen.visit;
    let by = match how {
        Happened::SignedInByRecovery => "par un code de secours",
        Happened::SignedInByPasskey => "par une clé d’accès",
        _ => "par son mot de passe",
    };
    visit
        .db
        .write(async |tx: &mut Tx| {
            connections::remember_with(tx, visit, other, Happened::MergeProved, by).await?;
            jobs::tell_recovery(tx, visit, other, how).await
        })
        .await?;
    visit.app.work.notify_one();
    Ok(())
}

fn confirmation(
    citizen: &Citizen,
    status: StatusCode,
    kept: &Account,
    other: &Account,
    preview: &Value,
    key: &str,
    wrong: &[Wrong],
) -> Result<Response, Problem> {
    let context = context! {
        kept => &kept.login, login => &other.login, preview => preview, key => key, password => kept.password_hash.is_some(),
        passkeys => false, errors => errors(wrong),
    };
    let title = if wrong.is_empty() { TITLE.to_owned() } else { format!("Erreur : {TITLE}") };
    citizen.page_with(status, PAGE, &title, context)
}

/// Bound to the account that is kept: another person's page proves nothing here.
fn owner(citizen: &Citizen) -> Vec<u8> {
    [citizen.site.id.as_bytes().as_slice(), citizen.account.id.as_bytes()].concat()
}

/// Account, time, and print of its password: by whatever it proved itself, a new password voids the proof.
fn seal(citizen: &Citizen, other: &Account) -> Result<String, Problem> {
    let time = citizen.now.as_microsecond().to_be_bytes();
    let clear = [other.id.as_bytes().as_slice(), &time, other.print().bytes()].concat();
    Ok(BASE64URL_NOPAD.encode(&citizen.app.secret.seal(PURPOSE, &owner(citizen), &clear)?))
}

/// The account that proved itself a moment ago, and the password it had.
fn unseal(citizen: &Citizen, typed: &str) -> Option<(Uuid, Print)> {
    let sealed = BASE64URL_NOPAD.decode(typed.as_bytes()).ok()?;
    let clear = citizen.app.secret.unseal(PURPOSE, &owner(citizen), &sealed)?;
    let (id, rest) = clear.split_first_chunk::<16>()?;
    let (time, print) = rest.split_first_chunk::<8>()?;
    let time = Timestamp::from_microsecond(i64::from_be_bytes(*time)).ok()?;
    let proof = (Uuid::from_bytes(*id), Print::read(print)?);
    (citizen.now.duration_since(time) <= LASTS).then_some(proof)
}

pub async fn confirm(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let expired = || Wrong::new("autre-compte", "Trop de temps a passé : recommencez");
    let key = typed.text("preuve");
    let Some((other, print)) = unseal(&citizen, key) else { return again(&citizen, &typed, expired()) };
    let other = accounts::find(&citizen.db, other).await?.filter(|other| other.print() == print);
    let Some(other) = other else { return again(&citizen, &typed, expired()) };
    let kept = mine::account(&citizen).await?;
    fresh(&citizen, &kept).await?;
    let preview = preview::of(&citizen, kept.id, other.id).await?;
    if let Some(obstacle) = preview.obstacle {
        return again(&citizen, &typed, Wrong::new("autre-compte", obstacle.words()));
    }
    if kept.password_hash.is_some()
        && let Some(wrong) = mine::owner(&citizen, &kept, &typed, "mot-de-passe").await?
    {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return confirmation(&citizen, status, &kept, &other, &preview.shown, key, &[wrong]);
    }
    let visit = &citizen.visit;
    let merged = visit.db.write(async |tx: &mut Tx| store::merge(tx, visit, &kept, &other).await).await?;
    if !merged {
        let text = "L’un des deux comptes a changé entre-temps : recommencez";
        return again(&citizen, &typed, Wrong::new("autre-compte", text));
    }
    visit.app.work.notify_one();
    Ok(Redirect::to("/compte?fait=reunis").into_response())
}
