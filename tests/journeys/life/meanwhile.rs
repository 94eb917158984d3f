//! What somebody else changes between a proof and what it was given for.

use db::{args, sql};
use uuid::Uuid;

use super::{
    super::{
        passkeys,
        signing_in::{give, password, set_up},
    },
    enter, usager,
};
use crate::harness::{Engine, PASSWORD, Portal, both};

const EMAIL: &str = "camille@exemple.fr";
const CHANGED: &str = "a changé pendant que vous vous connectiez";
const AGENT: &str = "nadia.benali@valmont.example";

async fn sessions(portal: &Portal, account: Uuid) -> i64 {
    let count = sql!("select count(*) from session where authority_id = $1 and account_id = $2");
    portal.db().one(count, args![portal.city, account]).await.unwrap()
}

/// Another password, as a new one by mail leaves it.
fn another_password(portal: &Portal, account: Uuid) -> String {
    format!("update account set password_hash = 'x' where id = {}", portal.quoted(account))
}

async fn agent(portal: &Portal) -> Uuid {
    let found = sql!("select id from account where authority_id = $1 and email = $2");
    portal.db().one(found, args![portal.city, AGENT]).await.unwrap()
}

both! {
    async fn a_new_password_stops_a_sign_in_under_way(portal: Portal) {
        let account = usager(&portal, EMAIL).await;
        portal.meanwhile(&another_password(&portal, account)).await;
        let mut person = portal.client();
        enter(&mut person, EMAIL, PASSWORD).await.is(422).shows(CHANGED);
        person.get("/compte").await.is(303);
        assert_eq!(sessions(&portal, account).await, 0);
    }

    async fn a_new_password_stops_an_agent_under_way(portal: Portal) {
        let nadia = agent(&portal).await;
        portal.meanwhile(&another_password(&portal, nadia)).await;
        let mut at_work = portal.client();
        password(&mut at_work, "/agent/connexion", AGENT).await.is(422).shows(CHANGED);
        at_work.get("/agent").await.is(303);
        assert_eq!(sessions(&portal, nadia).await, 0);
    }

    async fn a_new_password_stops_a_code_under_way(portal: Portal) {
        let account = usager(&portal, EMAIL).await;
        let (_, codes) = set_up(&portal, &mut portal.usager(EMAIL).await, "/compte/securite").await;
        let before = sessions(&portal, account).await;
        let mut person = portal.client();
        let page = password(&mut person, "/connexion", EMAIL).await.is(200);
        portal.meanwhile(&another_password(&portal, account)).await;
        give(&mut person, &page, "secours", &codes[0]).await.is(422).shows(CHANGED);
        assert_eq!(sessions(&portal, account).await, before);
    }

    async fn a_new_password_stops_an_agents_code_under_way(portal: Portal) {
        let nadia = agent(&portal).await;
        let (_, codes) = set_up(&portal, &mut portal.agent("nadia.benali").await, "/agent/securite").await;
        let before = sessions(&portal, nadia).await;
        let mut at_work = portal.client();
        let page = password(&mut at_work, "/agent/connexion", AGENT).await.is(200);
        portal.meanwhile(&another_password(&portal, nadia)).await;
        give(&mut at_work, &page, "secours", &codes[0]).await.is(422).shows(CHANGED);
        assert_eq!(sessions(&portal, nadia).await, before);
    }

    async fn an_account_closed_meanwhile_opens_nothing(portal: Portal) {
        let account = usager(&portal, EMAIL).await;
        portal.meanwhile(&format!("update account set closed_at = created_at where id = {}", portal.quoted(account))).await;
        enter(&mut portal.client(), EMAIL, PASSWORD).await.is(422).shows(CHANGED);
        assert_eq!(sessions(&portal, account).await, 0);
    }

    async fn a_passkey_removed_meanwhile_opens_nothing(portal: Portal) {
        let account = usager(&portal, EMAIL).await;
        let mut device = passkeys::Device::new();
        passkeys::add(&mut portal.usager(EMAIL).await, "/compte/securite", &mut device).await.is(303);
        let before = sessions(&portal, account).await;
        portal.after("update on passkey", "delete from passkey").await;
        passkeys::enter(&mut portal.client(), "/connexion", &mut device).await.is(422).shows(CHANGED);
        assert_eq!(sessions(&portal, account).await, before);
    }
}
