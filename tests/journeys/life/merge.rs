//! Two accounts of one person made one.

use db::{args, sql};
use guichet::sso::{self, Declaration, Secret};
use uuid::Uuid;

use super::{
    super::{passkeys, signing_in::set_up},
    enter, history, link, subjects, usager,
};
use crate::harness::{
    Client, Engine, PASSWORD, Page, Portal, both,
    household::{declare, live},
    journey::{JPEG, question},
};

const KEPT: &str = "camille@exemple.fr";
const OTHER: &str = "camille.travail@exemple.fr";

async fn prove(person: &mut Client, login: &str, password: &str, code: &str) -> Page {
    person
        .post("/compte/reunir", &[("autre-compte", login), ("mot-de-passe-autre", password), ("code-autre", code)])
        .await
}

/// Both accounts, and a browser signed in to each.
async fn two(portal: &Portal) -> (Uuid, Client, Uuid, Client) {
    let (kept, other) = (usager(portal, KEPT).await, usager(portal, OTHER).await);
    (kept, portal.usager(KEPT).await, other, portal.usager(OTHER).await)
}

/// The last click, with the kept account's password.
async fn confirm(person: &mut Client, page: &Page) -> Page {
    person.post_form("/compte/reunir/confirmer", &page.form("preuve").with("mot-de-passe", PASSWORD).fields).await
}

/// A new password by mail.
async fn reset(portal: &Portal, email: &str) {
    portal.client().post("/mot-de-passe-oublie", &[("email", email)]).await.is(200);
    let link = link(portal, email).await;
    portal.client().post(&link, &[("mot-de-passe", "girafe bleue du mardi")]).await.is(303);
}

async fn checked(portal: &Portal, account: Uuid, name: &str) {
    let (identity, now) = (serde_json::json!({"nom_naissance": name}), portal.app.clock.now());
    portal
        .db()
        .write(async |tx: &mut db::Tx| guichet::identity::record(tx, account, "counter", &identity, now).await)
        .await
        .unwrap();
}

async fn subject(portal: &Portal, account: Uuid, client: &str, name: &str) {
    let now = portal.app.clock.now();
    portal
        .db()
        .write(async |tx: &mut db::Tx| {
            tx.run(
                sql!("insert into sso_subject (authority_id, account_id, client_id, subject, created_at) values ($1, $2, $3, $4, $5)"),
                args![tx.authority(), account, client, name, now],
            )
            .await
        })
        .await
        .unwrap();
}

async fn names(portal: &Portal, table: &'static str, account: Uuid) -> Vec<(String, String)> {
    let query = db::Query::new("select client_id, subject from ").push(table);
    portal
        .db()
        .all(query.push_with(" where account_id = {}", account).push(" order by client_id"), args![])
        .await
        .unwrap()
}

async fn application(portal: &Portal, id: &str) {
    let text = format!("id = \"{id}\"\nname = \"{id}\"\nclaims = []\n[cas]\nservices = [\"https://{id}.test/\"]\n");
    let declaration = Declaration::read("test.toml", &text).unwrap();
    let by = sso::By::operator(&portal.app.clock);
    assert!(sso::put(&portal.db(), &declaration, Secret::None, sso::Expected::Anything, &by).await.unwrap());
}

both! {
    async fn all_that_the_other_account_holds_moves(portal: Portal) {
        let (kept, mut person, other, mut before) = two(&portal).await;
        let filed = before.file("demande-information", &question("De mon autre compte")).await;
        let draft = before.fill("demande-information", &question("À finir plus tard")).await;
        declare(&mut before, "Zéphyrine", "2019").await;
        for id in ["media", "piscine"] {
            application(&portal, id).await;
        }
        subject(&portal, kept, "media", "kept-media").await;
        subject(&portal, other, "media", "other-media").await;
        subject(&portal, other, "piscine", "other-piscine").await;

        prove(&mut person, "", "", "").await.is(422).shows("Saisissez l'adresse");
        prove(&mut person, OTHER, "faux", "").await.is(422).shows("incorrect");
        prove(&mut person, KEPT, PASSWORD, "").await.is(422).shows("déjà connecté");
        // Agents sign in apart, and are not merged with anybody.
        prove(&mut person, "nadia.benali@valmont.example", PASSWORD, "").await.is(422).shows("incorrect");
        let page = prove(&mut person, OTHER, PASSWORD, "").await.is(200).shows("Demandes envoyées : 1").shows("Brouillons : 1").shows("Cela ne se défait pas");
        let form = page.form("preuve");
        // Looking moves nothing, and the kept account proves itself too.
        before.get(&format!("/demandes/{}", filed.id)).await.is(200);
        person.post_form(&form.action, &form.clone().with("mot-de-passe", "faux").fields).await.is(422).shows("mot de passe actuel");
        // The proof is good for this account only.
        let third = usager(&portal, "autre@exemple.fr").await;
        let mut stranger = portal.usager("autre@exemple.fr").await;
        stranger.post_form(&form.action, &form.clone().with("mot-de-passe", PASSWORD).fields).await.is(422).shows("recommencez");
        let sent = form.with("mot-de-passe", PASSWORD).fields;
        let mut same = person.clone();
        let (one, two) = tokio::join!(person.post_form("/compte/reunir/confirmer", &sent), same.post_form("/compte/reunir/confirmer", &sent));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422]);

        person.get("/mes-demandes").await.is(200).shows(&filed.reference);
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows("De mon autre compte");
        person.get(&draft).await.is(200).shows("À finir plus tard");
        person.get("/compte/foyer").await.is(200).shows("Zéphyrine");
        history(&mut person).await.shows("Autre compte réuni à celui-ci");
        before.get("/compte").await.is(303);
        enter(&mut portal.client(), OTHER, PASSWORD).await.is(422);
        for email in [KEPT, OTHER] {
            assert_eq!(subjects(&portal, email).await.last().unwrap(), "Vos deux comptes sont réunis", "{email}");
        }
        // An application goes on under the name it knew first; the other name is kept, and given to nobody.
        assert_eq!(names(&portal, "sso_subject", kept).await, [("media".into(), "kept-media".into()), ("piscine".into(), "other-piscine".into())]);
        assert_eq!(names(&portal, "sso_alias", kept).await, [("media".into(), "other-media".into())]);
        assert!(person.data().await.to_string().contains("other-media"));
        // What is left of the account tells nothing of anybody, and its address is free.
        let left: (Option<String>, String, String) = portal.db().one(sql!("select closed_reason, first_name, login from account where authority_id = $1 and id = $2"), args![portal.city, other]).await.unwrap();
        assert_eq!(left, (Some("merged".to_owned()), String::new(), other.to_string()));
        usager(&portal, OTHER).await;
        // It goes with the account that took it up.
        person.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.is(303);
        let rows: i64 = portal.db().one(sql!("select count(*) from account where authority_id = $1 and (id = $2 or id = $3)"), args![portal.city, kept, other]).await.unwrap();
        assert_eq!(rows, 0);
        assert!(enter(&mut portal.client(), "autre@exemple.fr", PASSWORD).await.status == 303, "{third}");
    }

    async fn the_second_factor_of_the_other_account_is_asked(portal: Portal) {
        let (_, mut person, other, mut before) = two(&portal).await;
        let (_, codes) = set_up(&portal, &mut before, "/compte/securite").await;
        prove(&mut person, OTHER, PASSWORD, "").await.is(422).shows("second facteur");
        prove(&mut person, OTHER, PASSWORD, "AAAA-AAAA-AAAA").await.is(422).shows("n'est pas le bon");
        let form = prove(&mut person, OTHER, PASSWORD, &codes[0]).await.is(200).form("preuve");
        // Too late.
        portal.later(jiff::SignedDuration::from_mins(16));
        person.post_form(&form.action, &form.clone().with("mot-de-passe", PASSWORD).fields).await.is(422).shows("recommencez");
        prove(&mut person, OTHER, PASSWORD, &codes[0]).await.is(422).shows("déjà servi");
        let form = prove(&mut person, OTHER, PASSWORD, &codes[1]).await.is(200).form("preuve");
        person.post_form("/compte/reunir/confirmer", &form.with("mot-de-passe", PASSWORD).fields).await.leads_to("/compte?fait=reunis");
        let factors: i64 = portal.db().one(sql!("select count(*) from factor where authority_id = $1 and account_id = $2"), args![portal.city, other]).await.unwrap();
        assert_eq!(factors, 0);
        enter(&mut portal.client(), KEPT, PASSWORD).await.leads_to("/mes-demandes");
    }

    async fn documents_move_or_stand_in_the_way(portal: Portal) {
        let (_, mut person, other, mut before) = two(&portal).await;
        before.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
        let fields = [("type".to_owned(), "autre".to_owned())];
        before.upload("/mes-documents/ajouter", &fields, &[("fichier", "un.jpg", crate::harness::journey::JPEG)]).await.is(303);
        crate::safe::passkey::with_passkey(&mut before).await;
        assert_eq!(portal.count("safe_passkey").await, 1);
        let mut third = {
            usager(&portal, "avec@exemple.fr").await;
            portal.usager("avec@exemple.fr").await
        };
        third.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
        // Two keys: nothing is lost in silence.
        prove(&mut third, OTHER, PASSWORD, "").await.is(422).shows("deux clés différentes");
        before.get("/mes-documents").await.is(200).shows("un.jpg");
        let form = prove(&mut person, OTHER, PASSWORD, "").await.is(200).shows("« Mes documents » : 1").form("preuve");
        person.post_form("/compte/reunir/confirmer", &form.with("mot-de-passe", PASSWORD).fields).await.leads_to("/compte?fait=reunis");
        let safes: i64 = portal.db().one(sql!("select count(*) from safe where authority_id = $1 and account_id = $2"), args![portal.city, other]).await.unwrap();
        assert_eq!(safes, 0);
        // Its passkeys go with the account, and what they opened; its password still opens, as a former one.
        assert_eq!(portal.count("safe_passkey").await, 0);
        person.get("/mes-documents/secours").await.is(200);
        let kept: i64 = portal.db().one(sql!("select count(*) from safe_document where authority_id = $1"), args![portal.city]).await.unwrap();
        assert_eq!(kept, 1);
    }

    async fn two_checked_identities_are_two_people(portal: Portal) {
        let (kept, mut person, other, _) = two(&portal).await;
        for (account, name) in [(kept, "Moreau"), (other, "Martin")] {
            checked(&portal, account, name).await;
        }
        prove(&mut person, OTHER, PASSWORD, "").await.is(422).shows("ce n'est pas la même");
    }

    /// Whoever proved the account before its owner took it back has nothing.
    async fn a_new_password_voids_the_proof(portal: Portal) {
        let (_, mut person, other, mut before) = two(&portal).await;
        let mut device = passkeys::Device::new();
        passkeys::add(&mut before, "/compte/securite", &mut device).await.is(303);
        let by_password = prove(&mut person, OTHER, PASSWORD, "").await.is(200);
        let by_passkey = passkeys::enter(&mut person, "/compte/reunir", &mut device).await.is(200);
        reset(&portal, OTHER).await;
        for page in [by_password, by_passkey] {
            confirm(&mut person, &page).await.is(422).shows("recommencez");
        }
        let open: i64 = portal.db().one(sql!("select count(*) from account where authority_id = $1 and id = $2 and closed_at is null"), args![portal.city, other]).await.unwrap();
        assert_eq!(open, 1);
        // A passkey is the account's own whatever its password: shown since, it proves it.
        let page = passkeys::enter(&mut person, "/compte/reunir", &mut device).await.is(200);
        confirm(&mut person, &page).await.leads_to("/compte?fait=reunis");
    }

    async fn an_identity_checked_meanwhile_stops_it(portal: Portal) {
        let (kept, mut person, other, mut before) = two(&portal).await;
        for account in [kept, other] {
            checked(&portal, account, "Moreau").await;
        }
        let page = prove(&mut person, OTHER, PASSWORD, "").await.is(200);
        let other = portal.quoted(other);
        portal.meanwhile(&format!("update verified_identity set identity = '{{\"nom_naissance\":\"Martin\"}}' where account_id = {other}")).await;
        confirm(&mut person, &page).await.is(422).shows("a changé entre-temps");
        before.get("/compte").await.is(200);
        let kept: i64 = portal.db().one(sql!("select count(*) from account a join verified_identity v on v.authority_id = a.authority_id and v.account_id = a.id where a.authority_id = $1 and a.email in ($2, $3)"), args![portal.city, KEPT, OTHER]).await.unwrap();
        assert_eq!(kept, 2);
    }

    async fn documents_put_in_meanwhile_stop_it(portal: Portal) {
        let (kept, mut person, other, mut before) = two(&portal).await;
        before.post("/mes-documents/creer", &[("mot-de-passe", PASSWORD)]).await.is(200);
        let fields = [("type".to_owned(), "autre".to_owned())];
        before.upload("/mes-documents/ajouter", &fields, &[("fichier", "un.jpg", JPEG)]).await.is(303);
        let page = prove(&mut person, OTHER, PASSWORD, "").await.is(200);
        let (kept, other) = (portal.quoted(kept), portal.quoted(other));
        portal.meanwhile(&format!(
            "insert into safe (authority_id, id, account_id, recipient, created_at) select authority_id, {kept}, {kept}, recipient, created_at from safe where account_id = {other} on conflict do nothing"
        )).await;
        confirm(&mut person, &page).await.is(422).shows("a changé entre-temps");
        before.get("/mes-documents").await.is(200).shows("un.jpg");
        assert_eq!((portal.count("safe").await, portal.count("safe_document").await), (2, 1));
    }

    async fn all_that_moves_is_told_and_so_is_a_spent_code(portal: Portal) {
        let (_, mut person, _, mut before) = two(&portal).await;
        live(&mut before, "1 rue Haute", "2020-05-01", false).await;
        live(&mut before, "2 rue Cachée", "2024-05-01", true).await;
        let (_, codes) = set_up(&portal, &mut before, "/compte/securite").await;
        let page = prove(&mut person, OTHER, PASSWORD, &codes[0]).await.is(200);
        let page = page.shows("Adresses de « Mes coordonnées » : 2, dont confidentielles : 1").shows("la plus récente devient la vôtre");
        let page = page.shows("Références rattachées dans « Mes services » : 0").hides("Cachée");
        history(&mut before).await.shows("Compte prouvé pour être réuni à un autre").shows("par un code de secours");
        assert_eq!(subjects(&portal, OTHER).await.last().unwrap(), "Un code de secours a servi");
        confirm(&mut person, &page).await.leads_to("/compte?fait=reunis");
        person.get("/compte/coordonnees").await.is(200).shows("2 rue Cachée");
    }

    /// One into another, and that one into a third: what is left of them goes with the last.
    async fn what_was_taken_up_follows(portal: Portal) {
        let (kept, mut person, other, _) = two(&portal).await;
        let page = prove(&mut person, OTHER, PASSWORD, "").await.is(200);
        confirm(&mut person, &page).await.leads_to("/compte?fait=reunis");
        let third = usager(&portal, "autre@exemple.fr").await;
        let mut last = portal.usager("autre@exemple.fr").await;
        let page = prove(&mut last, KEPT, PASSWORD, "").await.is(200);
        confirm(&mut last, &page).await.leads_to("/compte?fait=reunis");
        let into: Vec<Option<Uuid>> = portal.db().all(sql!("select merged_into from account where authority_id = $1 and id in ($2, $3)"), args![portal.city, kept, other]).await.unwrap();
        assert_eq!(into, [Some(third), Some(third)]);
        last.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.is(303);
        let left: i64 = portal.db().one(sql!("select count(*) from account where authority_id = $1 and id in ($2, $3, $4)"), args![portal.city, kept, other, third]).await.unwrap();
        assert_eq!(left, 0);
    }
}
