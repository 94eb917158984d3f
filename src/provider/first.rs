//! The first time an usager comes by a provider: a new account, or the identity added to the one they have,
//! once they have opened it by its own password or passkey.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context};

use super::{
    Door, Proved, Provider,
    attempt::{self, Arrived},
    pages::{self, By, Kept},
    stage,
};
use crate::{
    accounts::{
        self, Wrong,
        citizen::{self, errors, sign_in},
        session::{self, Account, Kind},
    },
    error::Problem,
    platform::{encode, form::Typed, throttle},
    requests,
    visit::Visitor,
};

const PAGE: &str = "provider/first.html";

/// The address of the page; `key` is good for who was told it, in their browser.
pub fn page(key: &str) -> String {
    format!("/connexion/identite/{key}")
}

/// Somebody who has just been identified, and by whom.
struct First {
    key: String,
    provider: Provider,
    arrived: Arrived,
}

async fn find(visitor: &Visitor, headers: &HeaderMap, key: String, once: bool) -> Result<Option<First>, Problem> {
    let found = attempt::find::<Arrived>(visitor, headers, stage::ARRIVED, &key, once).await?;
    let Some((id, arrived)) = found else { return Ok(None) };
    let provider = Provider::find(visitor, &id, Door::Usagers).await?;
    Ok(provider.map(|provider| First { key, provider, arrived }))
}

/// Too late, or done already.
async fn over(visitor: &Visitor) -> Result<Response, Problem> {
    let text = "Trop de temps a passé, ou cette page a déjà servi : recommencez";
    sign_in::refused(visitor, StatusCode::GONE, "email", text, "", "").await
}

pub async fn show(visitor: Visitor, headers: HeaderMap, Path(key): Path<String>) -> Result<Response, Problem> {
    let Some(first) = find(&visitor, &headers, key, false).await? else { return over(&visitor).await };
    let context = context(&visitor, &first, &Raw::default(), &[]).await?;
    visitor.page(PAGE, &title(&first), context)
}

fn title(first: &First) -> String {
    format!("Première connexion avec {}", first.provider.name)
}

/// The account to which the identity may be added: signed in since the identity was shown, so by another proof.
async fn owner<'a>(visitor: &'a Visitor, first: &First) -> Result<Option<&'a Account>, Problem> {
    let (Some(session), Some(account)) = (&visitor.session, visitor.account()) else { return Ok(None) };
    let since = session::since(&visitor.db, session.id).await?;
    Ok(since.is_some_and(|since| since >= first.arrived.at).then_some(account))
}

async fn context(visitor: &Visitor, first: &First, typed: &Raw, wrong: &[Wrong]) -> Result<Value, Problem> {
    let (person, owner) = (&first.arrived.shown.person, owner(visitor, first).await?);
    let kept = |name: &str, value: &str| {
        if typed.0.contains_key(name) { typed.text(name).to_owned() } else { value.to_owned() }
    };
    let again = if visitor.account().is_some() { "encore=oui&" } else { "" };
    Ok(context! {
        provider => &first.provider.name, verified => first.provider.verified(), name => person.full_name(),
        named => !person.last_name.is_empty(), first_name => kept("prenom", &person.first_name), last_name => kept("nom", &person.last_name),
        email => kept("email", person.email.as_deref().unwrap_or_default()),
        account => owner.map(|account| context! { name => account.full_name(), email => account.email.as_deref().unwrap_or(&account.login) }),
        sign_in => format!("/connexion?{again}suite={}", encode(&page(&first.key))), errors => errors(wrong),
    })
}

pub async fn send(
    visitor: Visitor,
    headers: HeaderMap,
    Path(key): Path<String>,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    let Some(first) = find(&visitor, &headers, key, false).await? else { return over(&visitor).await };
    if typed.text("choix") == "rattacher" {
        return add(&visitor, &headers, first).await;
    }
    let (new, email) = match read(&visitor, &first, &typed).await? {
        Ok(read) => read,
        Err(wrong) => {
            let context = context(&visitor, &first, &typed, &wrong).await?;
            return visitor.page_again(PAGE, &title(&first), context);
        }
    };
    // From here on it serves, and serves once.
    let Some(First { provider, arrived, .. }) = find(&visitor, &headers, first.key, true).await? else {
        return over(&visitor).await;
    };
    let written_to = email.is_empty() || accounts::may_write_to(&visitor, &email).await?;
    let email = if written_to { email.as_str() } else { "" };
    if !pages::create(&visitor, &provider, &arrived.shown.person, &new, email).await? {
        return over(&visitor).await;
    }
    let proved = Proved::new(&provider, &arrived.shown);
    let mut response =
        sign_in::by_provider(visitor, &headers, new.id, &proved, &arrived.suite, &arrived.saisie).await?;
    if !written_to {
        // Told where an address is given; they go on from there.
        let page = format!("/compte?fait=sans-adresse&suite={}", encode(citizen::onward(&arrived.suite)));
        response.headers_mut().insert(header::LOCATION, HeaderValue::try_from(page).map_err(anyhow::Error::from)?);
    }
    Ok(response)
}

/// The account to be, which has no address before its owner has confirmed the one they give.
async fn read(
    visitor: &Visitor,
    first: &First,
    typed: &Raw,
) -> Result<Result<(accounts::NewAccount, String), Vec<Wrong>>, Problem> {
    let (mut wrong, person) = (Vec::new(), &first.arrived.shown.person);
    let names = if person.last_name.is_empty() {
        let names = accounts::read_identity(typed, &mut wrong);
        (names.first_name, names.last_name)
    } else {
        (person.first_name.clone(), person.last_name.clone())
    };
    let email = match typed.text("email") {
        "" => Ok(String::new()),
        typed => accounts::check_email(typed),
    };
    let email = email.unwrap_or_else(|text| {
        wrong.push(Wrong::new("email", text));
        String::new()
    });
    if wrong.is_empty()
        && let Some(left) = accounts::may_register(visitor).await?
    {
        let left = throttle::in_words(left);
        wrong.push(Wrong::new("email", format!("Trop de comptes viennent d’être créés d’ici : réessayez dans {left}")));
    }
    if wrong.is_empty() && !email.is_empty() && accounts::id_of(&visitor.db, Kind::Usager, &email).await?.is_some() {
        wrong.push(Wrong::new(
            "email",
            "Un compte existe déjà avec cette adresse : connectez-vous à ce compte pour y rattacher cette identité, ou donnez une autre adresse",
        ));
    }
    if !wrong.is_empty() {
        return Ok(Err(wrong));
    }
    let new = accounts::NewAccount {
        id: visitor.id(),
        kind: Kind::Usager,
        email: String::new(),
        password_hash: None,
        first_name: names.0,
        last_name: names.1,
        phone: None,
        quality: None,
        confirmed_at: Some(visitor.now),
    };
    Ok(Ok((new, email)))
}

/// Adds the identity to the account that was opened for it.
async fn add(visitor: &Visitor, headers: &HeaderMap, first: First) -> Result<Response, Problem> {
    let Some(account) = owner(visitor, &first).await? else {
        return Ok(Redirect::to(&page(&first.key)).into_response());
    };
    let Some(First { provider, arrived, .. }) = find(visitor, headers, first.key, true).await? else {
        return over(visitor).await;
    };
    if pages::keep_link(visitor, &provider, &arrived.shown.person, account.id, By::Owner).await? != Kept::Linked {
        return Ok(pages::back(Kind::Usager, "identite-prise"));
    }
    // Signing out here must sign out there, too.
    if let Some(session) = &visitor.session {
        let proved = Proved::new(&provider, &arrived.shown);
        let sealed = proved.seal(visitor)?;
        visitor.db.write(async |tx: &mut Tx| proved.vouch(tx, session.id, &sealed).await).await?;
    }
    if let Ok(typed) = serde_json::from_str::<Raw>(&arrived.saisie) {
        requests::restore(visitor, &arrived.suite, &sign_in::clean(typed)).await?;
    }
    let suite =
        if arrived.suite.is_empty() { "/compte/securite?fait=identite" } else { citizen::onward(&arrived.suite) };
    Ok(Redirect::to(suite).into_response())
}
