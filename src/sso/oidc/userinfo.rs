//! `/oidc/userinfo`: what an application may know of who signed in.

use axum::{
    Extension, Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::store as grants;
use crate::{
    accounts::{self, session::Account},
    error::Problem,
    sso::{
        client::{Claim, Claims},
        store,
    },
    visit::Visit,
};

pub async fn show(Extension(visit): Extension<Visit>, headers: HeaderMap) -> Result<Response, Problem> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = authorization.and_then(|value| value.split_once(' '));
    let Some((_, token)) = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
        return Ok(refused("Bearer realm=\"userinfo\""));
    };
    Ok(match claims(&visit, token.trim()).await? {
        Some(claims) => Json(claims).into_response(),
        None => refused("Bearer realm=\"userinfo\", error=\"invalid_token\""),
    })
}

fn refused(why: &'static str) -> Response {
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, HeaderValue::from_static(why))]).into_response()
}

async fn claims(visit: &Visit, token: &str) -> Result<Option<Value>, Problem> {
    let Some(opened) = grants::opened(&visit.db, token, visit.now).await? else { return Ok(None) };
    let Some(client) = store::client(&visit.db, &opened.client_id).await? else { return Ok(None) };
    let Some(account) = accounts::person(&visit.db, opened.account_id).await? else { return Ok(None) };
    // A declaration may have been narrowed since.
    let allowed: Claims = opened.claims.0.intersection(&client.claims).copied().collect();
    Ok(Some(told(&opened.subject, &allowed, &account)))
}

/// Pure: the claims of OpenID Connect Core §5.1.
fn told(subject: &str, allowed: &Claims, account: &Account) -> Value {
    let mut out = Map::from_iter([("sub".to_owned(), json!(subject))]);
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    for claim in allowed {
        match claim {
            Claim::GivenName => put("given_name", json!(account.first_name)),
            Claim::FamilyName => put("family_name", json!(account.last_name)),
            // Opened by a provider, an account may have no name to sign in with.
            Claim::Login if account.login.is_empty() => {}
            Claim::Login => put("preferred_username", json!(account.login)),
            Claim::Email => {
                if let Some(email) = &account.email {
                    put("email", json!(email));
                    // No address is kept before its mailbox has agreed.
                    put("email_verified", json!(true));
                }
            }
            Claim::PhoneNumber => {
                if let Some(phone) = &account.phone {
                    put("phone_number", json!(phone));
                    put("phone_number_verified", json!(false));
                }
            }
        }
    }
    if allowed.contains(&Claim::GivenName) && allowed.contains(&Claim::FamilyName) {
        put("name", json!(account.full_name()));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_more_than_allowed_is_told() {
        let account = Account {
            id: uuid::Uuid::nil(),
            login: "camille@exemple.fr".into(),
            email: Some("camille@exemple.fr".into()),
            first_name: "Camille".into(),
            last_name: "Moreau".into(),
            phone: None,
            quality: None,
        };
        assert_eq!(told("s", &Claims::new(), &account), json!({"sub": "s"}));
        assert_eq!(
            told("s", &Claims::from([Claim::FamilyName, Claim::PhoneNumber]), &account),
            json!({"sub": "s", "family_name": "Moreau"})
        );
        let all = Claims::from([Claim::GivenName, Claim::FamilyName, Claim::Email]);
        assert_eq!(
            told("s", &all, &account),
            json!({"sub": "s", "given_name": "Camille", "family_name": "Moreau", "name": "Camille Moreau", "email": "camille@exemple.fr", "email_verified": true})
        );
    }
}
