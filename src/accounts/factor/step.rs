//! Between the first proof and the session: the page that asks the code. It carries, sealed, who gave the right
//! password or came by which provider, and when; nothing else is stored of a password, and one changed meanwhile
//! voids it.

use axum::{
    http::{HeaderMap, StatusCode},
    response::Response,
};
use data_encoding::BASE64URL_NOPAD;
use forms::answers::Raw;
use jiff::{SignedDuration, Timestamp};
use minijinja::{Value, context};
use uuid::Uuid;

use super::check::{self, Answer, Checked};
use crate::{
    accounts::{
        citizen::errors,
        connections::Happened,
        model::Wrong,
        password::Print,
        person::frame,
        session::Kind,
        store::{self, Credentials},
    },
    error::Problem,
    platform::throttle,
    provider::{self, Proved},
    visit::{Visit, Visitor},
};

const TITLE: &str = "Vérification de votre identité";
const PURPOSE: &str = "connexion";
/// What to say at the sign-in page when it took too long.
pub const EXPIRED: &str = "Trop de temps a passé : connectez-vous de nouveau";
/// Time to find one's telephone.
const LASTS: SignedDuration = SignedDuration::from_mins(15);

/// Which door: usagers' and agents' are not the same, even for one address.
fn owner(visit: &Visit, kind: Kind) -> Vec<u8> {
    [visit.site.id.as_bytes().as_slice(), kind.name().as_bytes()].concat()
}

/// Who is signing in, as the page carries it: account, time, fingerprint of the password's hash, then the
/// provider that showed them (nothing after a password).
fn seal(visit: &Visit, kind: Kind, found: &Credentials, provider: &str) -> anyhow::Result<String> {
    let time = visit.now.as_microsecond().to_be_bytes();
    let clear = [found.id.as_bytes().as_slice(), &time, found.print().bytes(), provider.as_bytes()].concat();
    Ok(BASE64URL_NOPAD.encode(&visit.app.secret.seal(PURPOSE, &owner(visit, kind), &clear)?))
}

/// The account that gave the right password, or came by this provider, a moment ago, and has not changed its
/// password since.
async fn unseal(visit: &Visit, kind: Kind, typed: &str) -> Result<Option<Begun>, Problem> {
    let sealed = BASE64URL_NOPAD.decode(typed.as_bytes()).unwrap_or_default();
    let Some(begun) = visit.app.secret.unseal(PURPOSE, &owner(visit, kind), &sealed).and_then(|clear| read(&clear))
    else {
        return Ok(None);
    };
    if visit.now.duration_since(begun.at) > LASTS {
        return Ok(None);
    }
    let account = store::find(&visit.db, begun.account).await?;
    let same = account.is_some_and(|account| account.print() == begun.print);
    Ok(same.then_some(begun))
}

struct Begun {
    account: Uuid,
    at: Timestamp,
    print: Print,
    provider: String,
}

fn read(clear: &[u8]) -> Option<Begun> {
    let (id, rest) = clear.split_first_chunk::<16>()?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (print, provider) = rest.split_first_chunk::<32>()?;
    Some(Begun {
        account: Uuid::from_bytes(*id),
        at: Timestamp::from_microsecond(i64::from_be_bytes(*time)).ok()?,
        print: Print::read(print)?,
        provider: String::from_utf8(provider.to_vec()).ok()?,
    })
}

/// After the right password: the page that asks the code; where its reader was going goes along.
pub fn ask(visitor: &Visitor, kind: Kind, found: &Credentials, suite: &str, saisie: &str) -> Result<Response, Problem> {
    let page = context(kind, &seal(visitor, kind, found, "")?, suite, saisie, &[], false);
    draw(visitor, kind, StatusCode::OK, TITLE, page)
}

/// The same after a provider, whose word waits in this browser for the code.
pub async fn ask_after(
    visitor: &Visitor,
    headers: &HeaderMap,
    kind: Kind,
    account: Uuid,
    proved: &Proved,
    (suite, saisie): (&str, &str),
) -> Result<Response, Problem> {
    provider::wait(visitor, headers, account, proved).await?;
    let found = store::find(&visitor.db, account).await?.ok_or(Problem::NotFound)?;
    let page = context(kind, &seal(visitor, kind, &found.into(), &proved.provider)?, suite, saisie, &[], false);
    draw(visitor, kind, StatusCode::OK, TITLE, page)
}

fn context(kind: Kind, key: &str, suite: &str, saisie: &str, wrong: &[Wrong], recovery: bool) -> Value {
    let action = match kind {
        Kind::Usager => "/connexion/code",
        Kind::Agent => "/agent/connexion/code",
    };
    context! { action => action, key => key, back => suite, typed => saisie, errors => errors(wrong), recovery => recovery }
}

fn draw(visitor: &Visitor, kind: Kind, status: StatusCode, title: &str, page: Value) -> Result<Response, Problem> {
    // Whoever is signed in as an usager in this browser is nobody at the agents' door.
    let nobody = if kind == Kind::Agent {
        context! { who => Value::from(()) }
    } else {
        context! {}
    };
    visitor.page_with(status, "accounts/code.html", title, context! { ..page, ..frame(kind), ..nobody })
}

/// What comes of the code that was typed.
pub enum Step {
    /// The password is to be given again.
    Expired,
    /// The page again, with what is wrong.
    Again(Response),
    /// Whose account, with which password, how; and what a provider had shown, if one came before.
    Passed(Uuid, Print, Happened, Option<Proved>),
}

pub async fn answer(visitor: &Visitor, headers: &HeaderMap, kind: Kind, typed: &Raw) -> Result<Step, Problem> {
    let Some(begun) = unseal(visitor, kind, typed.text("cle")).await? else { return Ok(Step::Expired) };
    let Begun { account, print, provider: by, .. } = begun;
    let recovery = typed.0.contains_key("secours");
    let field = if recovery { "secours" } else { "code" };
    let again = |text: String| {
        let page = context(
            kind,
            typed.text("cle"),
            typed.text("suite"),
            typed.text("saisie"),
            &[Wrong::new(field, text)],
            recovery,
        );
        let title = format!("Erreur : {TITLE}");
        draw(visitor, kind, StatusCode::UNPROCESSABLE_ENTITY, &title, page).map(Step::Again)
    };
    let (answer, missing, wrong) = if recovery {
        let answer = Answer::Recovery(typed.text("secours"));
        (answer, "Saisissez l’un de vos codes de secours", "Ce code de secours n’est pas le bon, ou il a déjà servi")
    } else {
        let answer = Answer::Code(typed.text("code"));
        (
            answer,
            "Saisissez le code à 6 chiffres de votre application",
            "Ce code n’est pas le bon, ou il a déjà servi : attendez le suivant",
        )
    };
    if typed.text(field).is_empty() {
        return again(missing.to_owned());
    }
    match check::check(visitor, account, answer).await? {
        Checked::Passed(how) if by.is_empty() => Ok(Step::Passed(account, print, how, None)),
        Checked::Passed(how) => Ok(match provider::waiting(visitor, headers, account, &by).await? {
            Some(proved) => Step::Passed(account, print, how, Some(proved)),
            None => Step::Expired,
        }),
        Checked::Wrong => again(wrong.to_owned()),
        Checked::Wait(left) => again(format!("Trop d’essais\u{a0}: réessayez dans {}", throttle::in_words(left))),
    }
}
