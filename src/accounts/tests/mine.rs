//! « Mon compte », and what follows somebody in and out.

use super::*;
use crate::accounts::activation::store as activation;

async fn signed_in<'a>(site: &'a Site, email: &str) -> (Uuid, Browser<'a>) {
    let id = site.account(Kind::Usager, email).await;
    let mut browser = site.browser();
    browser.sign_in(email, PASSWORD).await.leads_to("/mes-demandes");
    (id, browser)
}

#[tokio::test]
async fn names_and_telephone_change() {
    let site = Site::new().await;
    let (_, mut browser) = signed_in(&site, "camille@exemple.fr").await;
    let page = browser.post("/compte", &[("prenom", "Camille"), ("nom", "<>"), ("telephone", "12")]).await;
    page.is(422).shows("href=\"#nom\"").shows("href=\"#telephone\"").shows("value=\"12\"");
    browser
        .post("/compte", &[("prenom", "Camille"), ("nom", "Lê-Moreau"), ("telephone", "0639981234")])
        .await
        .leads_to("/compte?fait=infos");
    browser
        .get("/compte?fait=infos")
        .await
        .shows("Vos informations sont enregistrées")
        .shows("Camille Lê-Moreau")
        .shows("06 39 98 12 34");
    site.browser().post("/compte", &[("nom", "X")]).await.leads_to("/connexion?suite=/compte");
}

#[tokio::test]
async fn a_new_password_closes_the_other_sessions() {
    let site = Site::new().await;
    let (_, mut browser) = signed_in(&site, "camille@exemple.fr").await;
    let mut other = site.browser();
    other.sign_in("camille@exemple.fr", PASSWORD).await;
    browser
        .post("/compte/mot-de-passe", &[("mot-de-passe-actuel", ""), ("mot-de-passe", OTHER)])
        .await
        .is(422)
        .shows("href=\"#mot-de-passe-actuel\"");
    browser
        .post("/compte/mot-de-passe", &[("mot-de-passe-actuel", OTHER), ("mot-de-passe", OTHER)])
        .await
        .is(422)
        .shows("pas votre mot de passe actuel");
    browser
        .post("/compte/mot-de-passe", &[("mot-de-passe-actuel", PASSWORD), ("mot-de-passe", "court")])
        .await
        .is(422)
        .shows("trop court");
    browser
        .post("/compte/mot-de-passe", &[("mot-de-passe-actuel", PASSWORD), ("mot-de-passe", OTHER)])
        .await
        .leads_to("/compte?fait=mot-de-passe");
    assert!(browser.signed_in().await && !other.signed_in().await);
    other.sign_in("camille@exemple.fr", OTHER).await.leads_to("/mes-demandes");
    other.post("/compte/securite/deconnecter", &[]).await.leads_to("/compte/securite?fait=deconnecte");
    assert!(!browser.signed_in().await && other.signed_in().await);
    assert_eq!(site.mails().await.last().unwrap().1, "Votre mot de passe a changé");
}

/// Looked at before, activated since: the code that an agent prints meanwhile is not kept.
#[tokio::test]
async fn no_code_is_kept_for_an_account_that_is_open() {
    let site = Site::new().await;
    let id = site.account(Kind::Usager, "camille@exemple.fr").await;
    let now = site.app.clock.now();
    let put = async || site.db().write(async |tx: &mut db::Tx| activation::put(tx, id, "x", now).await).await.unwrap();
    let set = async |set: db::Sql| {
        site.db().write(async |tx: &mut db::Tx| tx.run(set, args![site.id, id]).await).await.unwrap();
    };
    assert!(!put().await);
    set(sql!("update account set password_hash = null where authority_id = $1 and id = $2")).await;
    assert!(!put().await);
    set(sql!("update account set confirmed_at = null where authority_id = $1 and id = $2")).await;
    assert!(put().await && put().await, "the last one printed counts");
    set(sql!("update account set closed_at = created_at where authority_id = $1 and id = $2")).await;
    assert!(!put().await);
}

/// A draft, and a sent request, of somebody without account.
async fn begun(site: &Site) -> (Uuid, Uuid, axum::http::HeaderValue, Uuid) {
    let visit = work::visit(&site.app, site.id).await.unwrap();
    let (draft, request) = (Uuid::new_v4(), Uuid::new_v4());
    let now = site.app.clock.now();
    let opened = site
        .db()
        .write(async |tx: &mut db::Tx| {
            let opened = session::open(tx, &visit, Kind::Usager, None).await?;
            tx.run(
                sql!("insert into procedure_version (authority_id, procedure_id, version, hash, format, body, published_at) values ($1, 'acte', 1, 'x', 1, '', $2)"),
                args![site.id, now],
            )
            .await?;
            tx.run(sql!("insert into department (authority_id, id, name) values ($1, 'etat-civil', 'État civil')"), args![site.id]).await?;
            tx.run(
                sql!(
                    "insert into draft (authority_id, id, procedure_id, procedure_version, reference, session_id, raw, created_at, updated_at, expires_at)
                     values ($1, $2, 'acte', 1, 'VAL-1', $3, $4, $5, $5, $6)"
                ),
                args![site.id, draft, opened.id, db::Json(json!({"nom": ["Moreau"]})), now, now.checked_add(jiff::SignedDuration::from_hours(100)).unwrap()],
            )
            .await?;
            tx.run(
                sql!(
                    "insert into request (authority_id, id, reference, procedure_id, procedure_version, department_id, email, answers, state, status, ended,
                       submitted_at, updated_at, due_at, version)
                     values ($1, $2, 'VAL-2', 'acte', 1, 'etat-civil', 'camille@exemple.fr', $3, 'received', 'sent', $4, $5, $5, $5, 1)"
                ),
                args![site.id, request, db::Json(json!({"nom": "Moreau"})), false, now],
            )
            .await?;
            tx.run(
                sql!("insert into request_grant (authority_id, session_id, request_id) values ($1, $2, $3)"),
                args![site.id, opened.id, request],
            )
            .await?;
            Ok::<_, db::Error>(opened)
        })
        .await
        .unwrap();
    (draft, request, opened.cookie, opened.id)
}

fn carry(browser: &mut Browser<'_>, cookie: &axum::http::HeaderValue) {
    let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
    browser.cookies.insert(name.into(), rest.split(';').next().unwrap().into());
}

#[tokio::test]
async fn what_was_begun_without_account_follows_its_author() {
    let site = Site::new().await;
    let account = site.account(Kind::Usager, "camille@exemple.fr").await;
    site.account(Kind::Usager, "sami@exemple.fr").await;
    let (draft, request, cookie, old) = begun(&site).await;
    let mut browser = site.browser();
    carry(&mut browser, &cookie);
    browser.sign_in("camille@exemple.fr", PASSWORD).await.leads_to("/mes-demandes");
    assert_eq!(owner(&site, draft).await, Some(account));
    let sessions = granted(&site, request).await;
    assert_eq!(sessions.len(), 1);
    assert!(sessions[0] != old);
    let mut stale = site.browser();
    carry(&mut stale, &cookie);
    assert!(!stale.signed_in().await);

    // The next person at the same computer gets nothing of it.
    browser.sign_in("sami@exemple.fr", PASSWORD).await.leads_to("/mes-demandes");
    assert_eq!(owner(&site, draft).await, Some(account));
    let sessions = granted(&site, request).await;
    assert!(sessions.is_empty());
}

#[tokio::test]
async fn an_account_goes_with_its_drafts_and_leaves_what_was_sent() {
    let site = Site::new().await;
    let account = site.account(Kind::Usager, "camille@exemple.fr").await;
    let (_, request, cookie, _) = begun(&site).await;
    let mut browser = site.browser();
    carry(&mut browser, &cookie);
    browser.sign_in("camille@exemple.fr", PASSWORD).await;
    let given: Result<u64, db::Error> = site
        .db()
        .write(async |tx: &mut db::Tx| {
            tx.run(
                sql!("update request set account_id = $1 where authority_id = $2 and id = $3"),
                args![account, site.id, request],
            )
            .await
        })
        .await;
    assert_eq!(given.unwrap(), 1);

    let package = browser.post("/compte/donnees/export", &[("mot-de-passe-export", PASSWORD)]).await;
    let (_, json) = package.is(200).body.split_once("donnees.json").unwrap();
    let mut values = serde_json::Deserializer::from_str(json).into_iter::<serde_json::Value>();
    let data = values.next().unwrap().unwrap();
    assert_eq!(
        (
            &data["compte"]["courriel"],
            &data["demandes"][0]["reponses"]["nom"],
            &data["brouillons"][0]["saisie"]["nom"][0]
        ),
        (&json!("camille@exemple.fr"), &json!("Moreau"), &json!("Moreau"))
    );

    browser.get("/compte/supprimer").await.is(200).shows("Vos demandes en cours");
    browser
        .post("/compte/supprimer", &[("mot-de-passe-suppression", "faux")])
        .await
        .is(422)
        .shows("href=\"#mot-de-passe-suppression\"");
    browser.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.leads_to("/compte/supprime");
    browser.get("/compte/supprime").await.is(200).shows("Votre compte est supprimé");
    assert!(!browser.signed_in().await);
    browser.sign_in("camille@exemple.fr", PASSWORD).await.is(422);
    let left: (i64, i64, i64, i64) = site
        .db()
        .one(
            sql!(
                "select (select count(*) from account where authority_id = $1), (select count(*) from draft where authority_id = $1),
                   (select count(*) from session where authority_id = $1), (select count(*) from request where authority_id = $1 and account_id is null)"
            ),
            args![site.id],
        )
        .await
        .unwrap();
    assert_eq!(left, (0, 0, 0, 1));
    // The address is free again.
    browser.sign_up("camille@exemple.fr").await.is(200);
    assert_eq!(site.mails().await.last().unwrap().1, "Confirmez votre adresse électronique");
}

async fn owner(site: &Site, draft: Uuid) -> Option<Uuid> {
    let owner = sql!("select account_id from draft where authority_id = $1 and id = $2");
    site.db().one(owner, args![site.id, draft]).await.unwrap()
}

/// The sessions that may see a request filed without account.
async fn granted(site: &Site, request: Uuid) -> Vec<Uuid> {
    let granted = sql!("select session_id from request_grant where authority_id = $1 and request_id = $2");
    site.db().all(granted, args![site.id, request]).await.unwrap()
}
