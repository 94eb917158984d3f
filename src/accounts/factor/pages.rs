//! Setting the second factor up, replacing it, removing it, renewing its recovery codes: always after the
//! password, so that an open session is not enough.

use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use db::Tx;
use jiff::{SignedDuration, Timestamp};
use minijinja::{Value, context, value::Serde};

use super::{
    check::{self, PURPOSE},
    qr, recovery,
    store::{self, Factor},
    totp,
};
use crate::{
    accounts::{
        citizen::errors,
        connections::{self, Happened},
        jobs::{self, Letter, More},
        model::Wrong,
        person::{self, Person},
    },
    error::Problem,
    platform::form::Typed,
};

const TITLE: &str = "Activer le second facteur";
const CODES: &str = "Vos codes de secours";
/// What the secret is for as long as no code has proved that it was read.
const PREPARED: &str = "second-facteur-a-confirmer";
/// Time to install an application.
const LASTS: SignedDuration = SignedDuration::from_hours(1);

/// A secret that was shown, and when.
struct Prepared {
    at: Timestamp,
    secret: Vec<u8>,
}

impl Prepared {
    /// As the page carries it: for this person and this session only. Nothing is stored before a code proves
    /// that the application has it, so a factor in use stays in use.
    fn seal<P: Person>(&self, person: &P) -> anyhow::Result<String> {
        let clear = [&self.at.as_microsecond().to_be_bytes()[..], &self.secret].concat();
        Ok(BASE64URL_NOPAD.encode(&person.visit().app.secret.seal(PREPARED, &owner(person), &clear)?))
    }

    fn unseal<P: Person>(person: &P, typed: &str) -> Option<Self> {
        let sealed = BASE64URL_NOPAD.decode(typed.as_bytes()).ok()?;
        let clear = person.visit().app.secret.unseal(PREPARED, &owner(person), &sealed)?;
        let (time, secret) = clear.split_first_chunk::<8>()?;
        let at = Timestamp::from_microsecond(i64::from_be_bytes(*time)).ok()?;
        let fresh = person.visit().now.duration_since(at) <= LASTS;
        fresh.then(|| Self { at, secret: secret.to_vec() })
    }
}

fn owner<P: Person>(person: &P) -> Vec<u8> {
    let mut owner = check::owner(person.visit(), person.account().id);
    owner.extend_from_slice(person.session().as_bytes());
    owner
}

/// Password given: the drawing and the secret.
pub async fn prepare<P: Person>(person: P, Typed(typed): Typed) -> Result<Response, Problem> {
    let (visit, account) = (person.visit(), person.account());
    let field = "mot-de-passe-activer";
    if let Some(wrong) = person::password(visit, P::KIND, &account.login, typed.text(field), field).await? {
        return connections::pages::again(&person, "activer", &wrong).await;
    }
    let prepared = Prepared { at: visit.now, secret: rand::random::<[u8; totp::SECRET_LENGTH]>().to_vec() };
    let page = page(&person, &prepared, &prepared.seal(&person)?, &[])?;
    person.show("accounts/factor.html", TITLE, page)
}

fn page<P: Person>(person: &P, prepared: &Prepared, key: &str, wrong: &[Wrong]) -> anyhow::Result<Value> {
    let address = totp::address(&prepared.secret, &person.visit().site.name, &person.account().login);
    Ok(context! {
        drawing => Value::from(Serde(qr::draw(&address)?)), secret => totp::readable(&prepared.secret), address => address,
        key => key, errors => errors(wrong),
    })
}

/// First code given: the factor counts from now on.
pub async fn confirm<P: Person>(person: P, Typed(typed): Typed) -> Result<Response, Problem> {
    let (visit, account) = (person.visit(), person.account().id);
    let key = typed.text("cle");
    let Some(prepared) = Prepared::unseal(&person, key) else { return Ok(person::back::<P>("trop-tard")) };
    let again = |text: &str| {
        let page = page(&person, &prepared, key, &[Wrong::new("code", text)])?;
        person.again("accounts/factor.html", TITLE, page)
    };
    if typed.text("code").is_empty() {
        return again("Saisissez le code à 6 chiffres que votre application affiche");
    }
    let Some(step) = totp::matching(&prepared.secret, typed.text("code"), visit.now, 0) else {
        return again(
            "Ce code n’est pas le bon : vérifiez l’heure de votre téléphone, puis saisissez le code affiché maintenant",
        );
    };
    let sealed = visit.app.secret.seal(PURPOSE, &check::owner(visit, account), &prepared.secret)?;
    let factor = Factor { sealed, last_step: step, created_at: visit.now };
    let codes = recovery::make(visit).await?;
    let replaced = store::present(&visit.db, account).await?;
    let happened = if replaced { Happened::FactorReplaced } else { Happened::FactorSet };
    let kept = visit
        .db
        .write(async |tx: &mut Tx| {
            if !store::keep(tx, account, &factor, prepared.at).await? {
                return Ok(false);
            }
            store::renew_recovery(tx, account, &codes.kept).await?;
            connections::remember(tx, visit, account, happened).await?;
            jobs::queue(tx, visit, Letter::FactorSet, account, More::default()).await?;
            Ok::<_, db::Error>(true)
        })
        .await?;
    if !kept {
        return Ok(person::back::<P>("deja"));
    }
    visit.app.work.notify_one();
    show_codes(&person, &codes.readable, true)
}

/// Shown once: only their hashes are kept.
fn show_codes<P: Person>(person: &P, codes: &[String], new: bool) -> Result<Response, Problem> {
    let context = context! { codes => Value::from(Serde(codes)), new => new, email => &person.account().login };
    person.show("accounts/codes.html", CODES, context)
}

pub async fn renew_codes<P: Person>(person: P, Typed(typed): Typed) -> Result<Response, Problem> {
    let (visit, account) = (person.visit(), person.account());
    let field = "mot-de-passe-codes";
    if let Some(wrong) = person::password(visit, P::KIND, &account.login, typed.text(field), field).await? {
        return connections::pages::again(&person, "codes", &wrong).await;
    }
    if !store::present(&visit.db, account.id).await? {
        return Ok(person::back::<P>(""));
    }
    let codes = recovery::make(visit).await?;
    visit
        .db
        .write(async |tx: &mut Tx| {
            store::renew_recovery(tx, account.id, &codes.kept).await?;
            connections::remember(tx, visit, account.id, Happened::RecoveryRenewed).await?;
            jobs::queue(tx, visit, Letter::RecoveryRenewed, account.id, More::default()).await
        })
        .await?;
    visit.app.work.notify_one();
    show_codes(&person, &codes.readable, false)
}

pub async fn remove<P: Person>(person: P, Typed(typed): Typed) -> Result<Response, Problem> {
    if person.obliged() {
        return Err(Problem::Forbidden(
            "Votre rôle demande un second facteur\u{a0}: vous pouvez le remplacer, pas le retirer.",
        ));
    }
    let (visit, account) = (person.visit(), person.account());
    let field = "mot-de-passe-retirer";
    if let Some(wrong) = person::password(visit, P::KIND, &account.login, typed.text(field), field).await? {
        return connections::pages::again(&person, "retirer", &wrong).await;
    }
    visit
        .db
        .write(async |tx: &mut Tx| {
            if store::remove(tx, account.id).await? {
                connections::remember(tx, visit, account.id, Happened::FactorRemoved).await?;
                jobs::queue(tx, visit, Letter::FactorRemoved, account.id, More::default()).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await?;
    visit.app.work.notify_one();
    Ok(person::back::<P>("retire"))
}

/// What « Connexion et sécurité » says of it.
pub async fn summary<P: Person>(person: &P) -> Result<Value, Problem> {
    let visit = person.visit();
    let factor = store::find(&visit.db, person.account().id).await?;
    let left = match &factor {
        Some(_) => store::recovery(&visit.db, person.account().id).await?.len(),
        None => 0,
    };
    let since = factor.map(|factor| factor.created_at.to_string());
    Ok(context! { since => since.unwrap_or_default(), left => left, obliged => person.obliged() })
}
