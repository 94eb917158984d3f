//! To a provider and back.

use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use data_encoding::BASE64URL_NOPAD;
use forms::answers::Raw;
use sha2::{Digest, Sha256};

use super::{
    Door, Provider, arrive,
    attempt::{self, Asked},
    call::{self, Code, Shown, Trouble},
    declaration::Profile,
    pages, stage,
};
use crate::{
    accounts::{citizen::sign_in, desk, person::Person, session::Kind},
    error::Problem,
    platform::{
        address,
        form::{self, Typed},
        local, secret,
        throttle::{self, SHARED},
    },
    sso,
    visit::{Visit, Visitor},
};

/// To the provider, from the sign-in page of who `P` is.
pub async fn start<P: Person>(
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
    Typed(typed): Typed,
) -> Result<Response, Problem> {
    let (visitor, kind) = (&visitor, P::KIND);
    let provider = Provider::find(visitor, &id, Door::of(kind)).await?.ok_or(Problem::NotFound)?;
    let suite = typed.text("suite");
    let suite = if suite.is_empty() { "" } else { local(suite) };
    let saisie = Some(typed.text("saisie")).filter(|saisie| saisie.len() <= sign_in::LARGEST_TYPED).unwrap_or_default();
    // Kept for half an hour, for who has not said who they are: some, not without end.
    if !saisie.is_empty()
        && let Some(left) = throttle::take(&visitor.db, &typing(visitor), SHARED, visitor.now).await?
    {
        let text = format!("Trop d’essais\u{a0}: réessayez dans {}", throttle::in_words(left));
        return no_entry(visitor, kind, &provider, (StatusCode::TOO_MANY_REQUESTS, &text), suite, saisie).await;
    }
    let mut asked = Asked::new(&provider, suite, saisie);
    // Who is signed in and comes here was asked for fresh credentials, and so is who an application sends for them.
    let again = kind == Kind::Usager && (visitor.account().is_some() || sso::asks_fresh(suite));
    asked.fresh = again.then_some(visitor.now);
    match go(visitor, &headers, &provider, &asked).await? {
        Ok(response) => Ok(response),
        Err(trouble) => refuse(visitor, kind, &provider, &trouble, &asked).await,
    }
}

/// Network addresses that leave with something typed.
fn typing(visit: &Visit) -> String {
    format!("fournisseur:{}", visit.app.secret.code("fournisseur-saisie", visit.client.as_bytes()))
}

impl Asked {
    pub fn new(provider: &Provider, suite: &str, saisie: &str) -> Self {
        Self {
            nonce: secret::token(),
            verifier: if provider.pkce() { secret::token() } else { String::new() },
            suite: suite.to_owned(),
            saisie: saisie.to_owned(),
            link: None,
            fresh: None,
        }
    }
}

/// Sends the browser to the provider, by a page of ours: forms may only lead to ourselves.
pub async fn go(
    visitor: &Visitor,
    headers: &HeaderMap,
    provider: &Provider,
    asked: &Asked,
) -> Result<Result<Response, Trouble>, Problem> {
    let known = match call::known(visitor, provider).await {
        Ok(known) => known,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let state = secret::token();
    let (browser, cookie) = attempt::browser(visitor, headers);
    attempt::keep(visitor, (&provider.id, &browser), stage::ASKED, &state, asked).await?;
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
    if asked.fresh.is_some() {
        all.push(("prompt", "login"));
        if provider.takes_max_age() {
            // So that the answer must say when they did (OpenID Connect Core §2).
            all.push(("max_age", "0"));
        }
    }
    let mut response = sso::page_onward(visitor, &provider.name, &address::with(&known.authorization, &all))?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(Ok(response))
}

/// Back from the provider.
pub async fn back<P: Person>(
    visitor: Visitor,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (headers, kind) = (&headers, P::KIND);
    let provider = Provider::find(&visitor, &id, Door::of(kind)).await?.ok_or(Problem::NotFound)?;
    let answer = form::urlencoded(query.unwrap_or_default().as_bytes());
    let found = attempt::find::<Asked>(&visitor, headers, stage::ASKED, answer.text("state"), true).await?;
    // Asked of another provider: an answer that was mixed up.
    let Some((_, asked)) = found.filter(|(asked_of, _)| *asked_of == id) else {
        return refuse(&visitor, kind, &provider, &Trouble::Stale, &Asked::new(&provider, "", "")).await;
    };
    match shown(&visitor, &provider, &answer, &asked).await? {
        Ok(shown) => arrive::arrive(visitor, headers, kind, &provider, shown, asked).await,
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
    let code = Code {
        code: answer.text("code"),
        redirect_uri: &redirect_uri,
        verifier: &asked.verifier,
        nonce: &asked.nonce,
        fresh: asked.fresh,
    };
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
        Trouble::Old => {
            let text = format!(
                "{name} ne vous a pas demandé de vous identifier de nouveau : réessayez, ou connectez-vous autrement"
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
pub async fn no_entry(
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
