//! To a provider and back.

use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use data_encoding::BASE64URL_NOPAD;
use db::Tx;
use forms::answers::Raw;
use sha2::{Digest, Sha256};

use super::{
    Door, Proved, Provider,
    attempt::{self, Arrived, Asked},
    call::{self, Code, Shown, Trouble},
    declaration::Profile,
    first, pages,
    person::Person,
    store::{self, Link, NewLink},
};
use crate::{
    accounts::{
        self,
        citizen::sign_in,
        connections::{self, Happened},
        desk,
        session::Kind,
    },
    error::Problem,
    identity,
    platform::{
        address,
        form::{self, Typed},
        local, secret,
    },
    sso,
    visit::{Visit, Visitor},
};

pub async fn start_usager(
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    start(&visitor, &headers, Kind::Usager, &id, &typed).await
}

pub async fn start_agent(
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    start(&visitor, &headers, Kind::Agent, &id, &typed).await
}

async fn start(visitor: &Visitor, headers: &HeaderMap, kind: Kind, id: &str, typed: &Raw) -> Result<Response, Problem> {
    let provider = Provider::find(visitor, id, Door::of(kind)).await?.ok_or(Problem::NotFound)?;
    let suite = typed.text("suite");
    let suite = if suite.is_empty() { "" } else { local(suite) };
    let saisie = Some(typed.text("saisie")).filter(|saisie| saisie.len() <= sign_in::LARGEST_TYPED).unwrap_or_default();
    let asked = Asked::new(&provider, suite, saisie);
    // Who is signed in and comes here was asked for fresh credentials.
    let again = kind == Kind::Usager && visitor.account().is_some();
    match go(visitor, headers, &provider, &asked, again).await? {
        Ok(response) => Ok(response),
        Err(trouble) => refuse(visitor, kind, &provider, &trouble, &asked).await,
    }
}

impl Asked {
    pub fn new(provider: &Provider, suite: &str, saisie: &str) -> Self {
        Self {
            nonce: secret::token(),
            verifier: if provider.pkce() { secret::token() } else { String::new() },
            suite: suite.to_owned(),
            saisie: saisie.to_owned(),
            link: None,
        }
    }
}

/// Sends the browser to the provider, by a page of ours: forms may only lead to ourselves.
pub async fn go(
    visitor: &Visitor,
    headers: &HeaderMap,
    provider: &Provider,
    asked: &Asked,
    again: bool,
) -> Result<Result<Response, Trouble>, Problem> {
    let known = match call::known(visitor, provider).await {
        Ok(known) => known,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let state = secret::token();
    let (browser, cookie) = attempt::browser(visitor, headers);
    attempt::keep(visitor, (&provider.id, &browser), store::ASKED, &state, asked).await?;
    let (redirect_uri, scope, acr) = (provider.redirect_uri(visitor), provider.scope(), provider.acr_values());
    let mut all = vec![
        ("response_type", "code"),
        ("client_id", &provider.client_id),
        ("redirect_uri", &redirect_uri),
        ("scope", &scope),
        ("state", &state),
        ("nonce", &asked.nonce),
    ];
    if !acr.is_empty() {
        all.push(("acr_values", &acr));
    }
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(asked.verifier.as_bytes()));
    if !asked.verifier.is_empty() {
        all.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]);
    }
    if provider.profile == Profile::ProConnect {
        // It tells how the agent proved who they are only when it is asked to.
        all.push(("claims", r#"{"id_token":{"amr":{"essential":true}}}"#));
    }
    if again {
        all.push(("prompt", "login"));
    }
    let mut response = sso::page_onward(visitor, &provider.name, &address::with(&known.authorization, &all))?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(Ok(response))
}

pub async fn back_usager(
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    back(visitor, &headers, Kind::Usager, &id, query).await
}

pub async fn back_agent(
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    back(visitor, &headers, Kind::Agent, &id, query).await
}

async fn back(
    visitor: Visitor,
    headers: &HeaderMap,
    kind: Kind,
    id: &str,
    query: Option<String>,
) -> Result<Response, Problem> {
    let provider = Provider::find(&visitor, id, Door::of(kind)).await?.ok_or(Problem::NotFound)?;
    let answer = form::urlencoded(query.unwrap_or_default().as_bytes());
    let found = attempt::find::<Asked>(&visitor, headers, store::ASKED, answer.text("state"), true).await?;
    // Asked of another provider: an answer that was mixed up.
    let Some((_, asked)) = found.filter(|(asked_of, _)| asked_of == id) else {
        return refuse(&visitor, kind, &provider, &Trouble::Stale, &Asked::new(&provider, "", "")).await;
    };
    match shown(&visitor, &provider, &answer, &asked).await? {
        Ok(shown) => arrive(visitor, headers, kind, &provider, shown, asked).await,
        Err(trouble) => refuse(&visitor, kind, &provider, &trouble, &asked).await,
    }
}

/// Who the provider's answer is about.
async fn shown(
    visit: &Visit,
    provider: &Provider,
    answer: &Raw,
    asked: &Asked,
) -> Result<Result<Shown, Trouble>, Problem> {
    if let Err(trouble) = issued(visit, provider, answer).await {
        return Ok(Err(trouble));
    }
    let error = answer.text("error");
    if !error.is_empty() {
        return Ok(Err(said(error, answer.text("error_description"))));
    }
    if answer.text("code").is_empty() {
        return Ok(Err(Trouble::Untrusted("no code".to_owned())));
    }
    let (secret, redirect_uri) = (provider.secret(visit)?, provider.redirect_uri(visit));
    let code =
        Code { code: answer.text("code"), redirect_uri: &redirect_uri, verifier: &asked.verifier, nonce: &asked.nonce };
    Ok(call::exchange(visit, provider, &secret, &code).await)
}

/// An answer that names its issuer must name the right one (RFC 9207).
async fn issued(visit: &Visit, provider: &Provider, answer: &Raw) -> Result<(), Trouble> {
    let named = answer.text("iss");
    let wanted = call::known(visit, provider).await?.names_itself;
    if named == provider.issuer || (named.is_empty() && !wanted) {
        return Ok(());
    }
    Err(Trouble::Untrusted(format!("the answer comes from {named:?}")))
}

/// What an error of the provider means to the person (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
fn said(error: &str, description: &str) -> Trouble {
    match error {
        "server_error" | "temporarily_unavailable" => Trouble::Down(anyhow::anyhow!("{error}: {description}")),
        "access_denied"
        | "login_required"
        | "consent_required"
        | "interaction_required"
        | "account_selection_required" => Trouble::Denied(format!("{error}: {description}")),
        _ => Trouble::Untrusted(format!("{error}: {description}")),
    }
}

/// Not signed in: the sign-in page again, saying why, with all its other ways; or the page that linking began at.
pub async fn refuse(
    visitor: &Visitor,
    kind: Kind,
    provider: &Provider,
    trouble: &Trouble,
    asked: &Asked,
) -> Result<Response, Problem> {
    let name = &provider.name;
    let (status, text) = match trouble {
        Trouble::Down(error) => {
            tracing::warn!(provider = provider.id, error = format!("{error:#}"), "identity provider down");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{name} ne répond pas pour le moment : réessayez plus tard, ou connectez-vous autrement"),
            )
        }
        Trouble::Denied(said) => {
            tracing::info!(provider = provider.id, said, "identity provider says no");
            let text = format!("{name} n’a pas confirmé votre identité : réessayez, ou connectez-vous autrement");
            (StatusCode::FORBIDDEN, text)
        }
        Trouble::Untrusted(why) => {
            tracing::warn!(provider = provider.id, why, "answer of an identity provider refused");
            let text = format!("La réponse de {name} n’est pas valable : recommencez, ou connectez-vous autrement");
            (StatusCode::FORBIDDEN, text)
        }
        Trouble::Weak => {
            let text = format!(
                "{name} ne vous a pas identifié avec le niveau de sécurité demandé : choisissez un autre moyen"
            );
            (StatusCode::FORBIDDEN, text)
        }
        Trouble::Stale => {
            (StatusCode::GONE, format!("Trop de temps a passé, ou cette page a déjà servi : recommencez avec {name}"))
        }
    };
    if asked.link.is_some() {
        return Ok(pages::back(
            kind,
            if matches!(trouble, Trouble::Down(_)) { "identite-panne" } else { "identite-refusee" },
        ));
    }
    no_entry(visitor, kind, provider, (status, &text), &asked.suite, &asked.saisie).await
}

/// The sign-in page, with a reason at the provider's button.
async fn no_entry(
    visitor: &Visitor,
    kind: Kind,
    provider: &Provider,
    (status, text): (StatusCode, &str),
    suite: &str,
    saisie: &str,
) -> Result<Response, Problem> {
    let field = format!("fournisseur-{}", provider.id);
    match kind {
        Kind::Usager => sign_in::refused(visitor, status, &field, text, suite, saisie).await,
        Kind::Agent => desk::refused(visitor, status, &field, text, suite).await,
    }
}

/// The identity is good: to the account it opens, or to what makes one.
async fn arrive(
    visitor: Visitor,
    headers: &HeaderMap,
    kind: Kind,
    provider: &Provider,
    shown: Shown,
    asked: Asked,
) -> Result<Response, Problem> {
    if !belongs(provider, &shown.person) {
        return unknown_agent(&visitor, provider, &asked.suite).await;
    }
    let found = store::linked(&visitor.db, &provider.id, &shown.person.subject, kind.name()).await?;
    if let Some((account, session)) = asked.link {
        let taken = found.is_some_and(|link| link.account_id != account);
        return pages::linked(&visitor, headers, kind, provider, &shown, (account, session), taken).await;
    }
    if let Some(link) = found {
        refresh(&visitor, provider, &link, &shown.person).await?;
        return enter(visitor, headers, kind, link.account_id, &Proved::new(provider, &shown.id_token), &asked).await;
    }
    match kind {
        Kind::Usager => {
            let (key, (browser, cookie)) = (secret::token(), attempt::browser(&visitor, headers));
            let arrived = Arrived::new(&visitor, shown, asked);
            attempt::keep(&visitor, (&provider.id, &browser), store::ARRIVED, &key, &arrived).await?;
            let mut response = Redirect::to(&first::page(&key)).into_response();
            response.headers_mut().append(header::SET_COOKIE, cookie);
            Ok(response)
        }
        Kind::Agent => agent(visitor, headers, provider, shown, &asked).await,
    }
}

async fn enter(
    visitor: Visitor,
    headers: &HeaderMap,
    kind: Kind,
    account: uuid::Uuid,
    proved: &Proved,
    asked: &Asked,
) -> Result<Response, Problem> {
    match kind {
        Kind::Usager => sign_in::by_provider(visitor, headers, account, proved, &asked.suite, &asked.saisie).await,
        Kind::Agent => desk::by_provider(visitor, headers, account, proved, &asked.suite).await,
    }
}

/// What the provider says now of somebody known: a changed name or identity is kept, and told in the history.
async fn refresh(visit: &Visit, provider: &Provider, link: &Link, person: &Person) -> Result<(), Problem> {
    let verified = identity::find(&visit.db, link.account_id).await?;
    let source = source(provider);
    let own = verified.as_ref().filter(|verified| verified.source == source).map(|verified| &verified.identity.0);
    let renamed = (&link.first_name, &link.last_name) != (&person.first_name, &person.last_name);
    let corrected = person.identity.is_some() && own != person.identity.as_ref();
    let new = new_link(provider, person, link.account_id);
    visit
        .db
        .write(async |tx: &mut Tx| {
            store::used(tx, &new, visit.now).await?;
            if renamed {
                let before = (link.first_name.as_str(), link.last_name.as_str());
                accounts::rename(tx, link.account_id, before, (&person.first_name, &person.last_name)).await?;
            }
            if let Some(identity) = person.identity.as_ref().filter(|_| corrected) {
                identity::record(tx, link.account_id, &source, identity, visit.now).await?;
            }
            if renamed || corrected {
                let name = &provider.name;
                connections::remember_with(tx, visit, link.account_id, Happened::IdentityChanged, name).await?;
            }
            Ok::<_, db::Error>(())
        })
        .await?;
    Ok(())
}

/// Of verified identities.
pub fn source(provider: &Provider) -> String {
    format!("provider:{}", provider.id)
}

pub fn new_link<'a>(provider: &'a Provider, person: &'a Person, account: uuid::Uuid) -> NewLink<'a> {
    NewLink {
        provider: &provider.id,
        subject: &person.subject,
        account,
        first_name: &person.first_name,
        last_name: &person.last_name,
    }
}

/// Whether the agent is of an establishment that may enter.
fn belongs(provider: &Provider, person: &Person) -> bool {
    let sirets = &provider.agents.sirets;
    sirets.is_empty() || person.siret.as_ref().is_some_and(|siret| sirets.contains(siret))
}

/// An agent seen for the first time: found by their address where the city trusts it, created where it says
/// so, turned away else.
async fn agent(
    visitor: Visitor,
    headers: &HeaderMap,
    provider: &Provider,
    shown: Shown,
    asked: &Asked,
) -> Result<Response, Problem> {
    let (person, rules) = (&shown.person, &provider.agents);
    let email = person.email.as_deref().filter(|_| !person.email_unchecked);
    let known = match email {
        Some(email) => accounts::id_of(&visitor.db, Kind::Agent, email).await?,
        None => None,
    };
    let account = match (known, email) {
        (Some(account), _) if rules.match_email => {
            pages::keep_link(&visitor, provider, person, account).await?.then_some(account)
        }
        (None, Some(email)) if rules.create => {
            let new = accounts::NewAccount {
                id: visitor.id(),
                kind: Kind::Agent,
                email: email.to_owned(),
                password_hash: None,
                first_name: person.first_name.clone(),
                last_name: person.last_name.clone(),
                phone: None,
                quality: None,
                confirmed_at: Some(visitor.now),
            };
            pages::create(&visitor, provider, person, &new, "").await?.then_some(new.id)
        }
        _ => None,
    };
    match account {
        Some(account) => {
            let proved = Proved::new(provider, &shown.id_token);
            enter(visitor, headers, Kind::Agent, account, &proved, asked).await
        }
        None => unknown_agent(&visitor, provider, &asked.suite).await,
    }
}

async fn unknown_agent(visitor: &Visitor, provider: &Provider, suite: &str) -> Result<Response, Problem> {
    let text = format!(
        "{} vous connaît, mais aucun compte d’agent ne vous correspond ici : adressez-vous à l’administrateur de votre service",
        provider.name
    );
    no_entry(visitor, Kind::Agent, provider, (StatusCode::FORBIDDEN, &text), suite, "").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_their_meaning() {
        assert!(matches!(said("access_denied", "user authentication aborted"), Trouble::Denied(_)));
        assert!(matches!(said("temporarily_unavailable", ""), Trouble::Down(_)));
        assert!(matches!(said("invalid_request", ""), Trouble::Untrusted(_)));
    }
}
