//! Safes that passkeys open, by the secret that they derive from a salt.

use serde_json::Value;

use super::*;
use crate::{
    harness::OTHER_USAGER,
    journeys::passkeys::{self, Device},
};

const ACCOUNT: &str = "/compte/securite";
const KEYS: &str = "/mes-documents/cles";
const DOOR: &str = "/mes-documents/ouvrir/cle";
const OFFER: &str = "Ouvrir avec ma clé d’accès";
/// `hmac-secret` with 48 encrypted bytes, as a security token signs it.
const HMAC_SECRET: &[u8] = b"\xa1\x6bhmac-secret\x58\x30xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

/// What a page asks of a device.
struct Asked {
    key: String,
    options: Value,
    salts: Value,
}

async fn ask(client: &mut Client, door: &str) -> Asked {
    let page = client.post(&format!("{door}/defi"), &[]).await.is(200);
    let mut body: Value = serde_json::from_slice(&page.bytes).unwrap();
    let key = body["cle"].as_str().unwrap().to_owned();
    Asked { key, options: body["options"].take(), salts: body["sels"].take() }
}

impl Asked {
    /// The secret that a browser would give for the device.
    fn secret(&self, device: &Device) -> String {
        let salt = self.salts[device.id()].as_str().unwrap_or_default();
        passkeys::base64(&device.secret(&data_encoding::BASE64URL_NOPAD.decode(salt.as_bytes()).unwrap()))
    }
}

async fn give(client: &mut Client, door: &str, key: &str, answer: &str, secret: &str) -> Page {
    let form = [("cle", key), ("reponse", answer), ("secret", secret), ("suite", "/mes-documents")];
    client.post(door, &form).await
}

async fn answer(client: &mut Client, door: &str, device: &mut Device) -> Page {
    let asked = ask(client, door).await;
    let (signed, secret) = (device.get(&asked.options), asked.secret(device));
    give(client, door, &asked.key, &signed, &secret).await
}

/// Gives an account with an open safe a passkey that opens it.
pub async fn with_passkey(client: &mut Client) -> Device {
    let mut device = Device::new();
    passkeys::add(client, ACCOUNT, &mut device).await.leads_to(&format!("{ACCOUNT}?fait=cle"));
    answer(client, KEYS, &mut device).await.leads_to(&format!("{KEYS}?fait=ajoutee"));
    device
}

pub async fn open(client: &mut Client, device: &mut Device) -> Page {
    answer(client, DOOR, device).await
}

async fn close(client: &mut Client) {
    client.post("/mes-documents/fermer", &[]).await.is(303);
}

async fn reads(client: &mut Client, document: &str) {
    assert_eq!(client.get(&format!("{document}/fichier")).await.is(200).bytes, secret_pdf());
}

async fn closed(client: &mut Client, document: &str) {
    client.get(&format!("{document}/fichier")).await.is(303);
}

/// So that one refusal after the other can be tried.
async fn forget_tries(portal: &Portal) {
    portal
        .db()
        .write(async |tx: &mut db::Tx| {
            tx.run(db::sql!("delete from attempt where authority_id = $1"), db::args![portal.city]).await
        })
        .await
        .unwrap();
}

/// The ids of the account's passkeys, in the order they were added.
async fn ids(client: &mut Client) -> Vec<String> {
    let page = client.get(ACCOUNT).await.is(200);
    let options = html::tags(page.html()).into_iter().filter(|tag| tag.name == "option");
    options.map(|tag| tag.get("value").to_owned()).filter(|value| value.len() == 36).collect()
}

async fn remove(client: &mut Client, id: &str) {
    let form = [("cle", id), ("mot-de-passe-retirer-cle", PASSWORD)];
    client.post(&format!("{ACCOUNT}/cles/retirer"), &form).await.leads_to(&format!("{ACCOUNT}?fait=cle-retiree"));
}

both! {
    async fn a_passkey_opens_and_goes(portal: Portal) {
        let (mut person, _, document) = owner(&portal).await;
        person.get("/mes-documents").await.is(200).hides("clé d’accès");
        person.get(KEYS).await.is(200).shows("n’a pas encore de clé d’accès").hides("Ouvrir aussi");
        person.post(&format!("{KEYS}/defi"), &[]).await.is(404);
        let mut phone = with_passkey(&mut person).await;
        person.get("/mes-documents").await.is(200).shows("avec une clé d’accès");
        person.get(&format!("{KEYS}?fait=ajoutee")).await.is(200).shows("Ouvre vos documents depuis le").hides("Ouvrir aussi");
        person.post(&format!("{KEYS}/defi"), &[]).await.is(404);
        person.get(ACCOUNT).await.is(200).shows("ouvre aussi vos documents");
        close(&mut person).await;
        person.get("/mes-documents/ouvrir").await.is(200).shows(OFFER).shows("Mot de passe");
        // Its signature holds what a token adds; which browsers ask for is not ours to judge.
        phone.extensions = HMAC_SECRET;
        open(&mut person, &mut phone).await.leads_to("/mes-documents");
        reads(&mut person, &document).await;
        // Signing in with it opens the account; the documents are opened when they are wanted.
        let mut elsewhere = portal.client();
        passkeys::enter(&mut elsewhere, "/connexion", &mut phone).await.leads_to("/mes-demandes");
        closed(&mut elsewhere, &document).await;
        open(&mut elsewhere, &mut phone).await.leads_to("/mes-documents");
        reads(&mut elsewhere, &document).await;
        // Another one, with a salt of its own; each opens.
        let mut token = with_passkey(&mut person).await;
        close(&mut person).await;
        let asked = ask(&mut person, DOOR).await;
        let allowed: Vec<&str> = asked.options["allowCredentials"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!((allowed.len(), asked.salts.as_object().unwrap().len()), (2, 2));
        assert!(allowed.contains(&phone.id().as_str()) && allowed.contains(&token.id().as_str()));
        assert_eq!(asked.options["userVerification"], "required");
        assert_ne!(asked.salts[phone.id()], asked.salts[token.id()]);
        open(&mut person, &mut token).await.leads_to("/mes-documents");
        // The passkey removed takes along what it opened, and nothing else.
        let keys = ids(&mut person).await;
        remove(&mut person, &keys[0]).await;
        assert_eq!(portal.count("safe_passkey").await, 1);
        close(&mut person).await;
        open(&mut person, &mut token).await.leads_to("/mes-documents");
        // No longer the documents, still the account.
        person.post(&format!("{KEYS}/retirer"), &[("cle", &keys[1])]).await.leads_to(&format!("{KEYS}?fait=retiree"));
        person.get(&format!("{KEYS}?fait=retiree")).await.is(200).shows("N’ouvre pas vos documents").shows("Ouvrir aussi");
        close(&mut person).await;
        person.get("/mes-documents/ouvrir").await.is(200).hides(OFFER);
        person.post(&format!("{DOOR}/defi"), &[]).await.is(404);
        assert_eq!(portal.count("passkey").await, 1);
        crate::safe::open(&mut person, PASSWORD).await.leads_to("/mes-documents");
        reads(&mut person, &document).await;
    }

    /// Nothing but the key itself, signing for this opening and giving its secret.
    async fn nothing_else_opens(portal: Portal) {
        let (mut person, _, document) = owner(&portal).await;
        let mut phone = with_passkey(&mut person).await;
        // Of the account, but never told to open; of somebody else, who has documents too.
        let mut idle = Device::new();
        passkeys::add(&mut person, ACCOUNT, &mut idle).await.is(303);
        let mut other = portal.usager(OTHER_USAGER).await;
        create(&mut other).await;
        let mut foreign = with_passkey(&mut other).await;
        close(&mut person).await;
        for mut bad in [
            phone.unchecked(),
            idle.clone(),
            foreign.clone(),
            Device::new(),
        ] {
            let asked = ask(&mut person, DOOR).await;
            let (signed, secret) = (bad.get(&asked.options), asked.secret(&phone));
            give(&mut person, DOOR, &asked.key, &signed, &secret).await.is(422).shows("n’est pas acceptée ici");
            closed(&mut person, &document).await;
            forget_tries(&portal).await;
        }
        person.get(ACCOUNT).await.is(200).shows("Clé d’accès refusée");
        // Signed by another key under the id of the right one.
        let asked = ask(&mut person, DOOR).await;
        let signed = phone.clone().get(&asked.options);
        let forged = idle.get(&asked.options);
        let (mut signed, forged): (Value, Value) = (serde_json::from_str(&signed).unwrap(), serde_json::from_str(&forged).unwrap());
        signed["response"] = forged["response"].clone();
        give(&mut person, DOOR, &asked.key, &signed.to_string(), &asked.secret(&phone)).await.is(422).shows("n’est pas acceptée ici");
        // A right signature with another secret, part of it, or none.
        for (secret, says) in [
            (passkeys::base64(&[7; 32]), "n’a pas donné le secret"),
            (passkeys::base64(&[7; 31]), "ne sait pas ouvrir vos documents"),
            (String::new(), "ne sait pas ouvrir vos documents"),
        ] {
            let asked = ask(&mut person, DOOR).await;
            let signed = phone.get(&asked.options);
            give(&mut person, DOOR, &asked.key, &signed, &secret).await.is(422).shows(says).hides(&passkeys::base64(&[7; 31])[..30]);
            closed(&mut person, &document).await;
        }
        forget_tries(&portal).await;
        // No answer; the challenge of somebody else, of another session, of the sign-in, of adding a key.
        let asked = ask(&mut person, DOOR).await;
        give(&mut person, DOOR, &asked.key, "", &asked.secret(&phone)).await.is(422).shows("n’est pas acceptée ici");
        let mut elsewhere = portal.usager(USAGER).await;
        let theirs = ask(&mut elsewhere, DOOR).await;
        let sign_in: Value = serde_json::from_slice(&elsewhere.post("/connexion/cle/defi", &[]).await.is(200).bytes).unwrap();
        let adding = ask(&mut elsewhere, KEYS).await;
        let mut borrowed = person.clone();
        for (key, options) in [
            (&theirs.key, &theirs.options),
            (&sign_in["cle"].as_str().unwrap().to_owned(), &sign_in["options"]),
            (&adding.key, &adding.options),
        ] {
            let signed = phone.get(options);
            give(&mut borrowed, DOOR, key, &signed, &theirs.secret(&phone)).await.is(422).shows("Trop de temps");
            closed(&mut borrowed, &document).await;
        }
        forget_tries(&portal).await;
        // Answered once, and in time.
        let asked = ask(&mut person, DOOR).await;
        let (signed, secret) = (phone.get(&asked.options), asked.secret(&phone));
        give(&mut person, DOOR, &asked.key, &signed, &secret).await.leads_to("/mes-documents");
        reads(&mut person, &document).await;
        close(&mut person).await;
        give(&mut person, DOOR, &asked.key, &signed, &secret).await.is(422).shows("Trop de temps");
        closed(&mut person, &document).await;
        let asked = ask(&mut person, DOOR).await;
        portal.later(jiff::SignedDuration::from_mins(6));
        let signed = phone.get(&asked.options);
        give(&mut person, DOOR, &asked.key, &signed, &asked.secret(&phone)).await.is(422).shows("Trop de temps");
        // Other people's keys open other people's documents.
        close(&mut other).await;
        open(&mut other, &mut foreign).await.leads_to("/mes-documents");
        other.get(&format!("{document}/fichier")).await.is(404);
    }

    async fn tries_are_counted(portal: Portal) {
        let (mut person, _, document) = owner(&portal).await;
        let mut phone = with_passkey(&mut person).await;
        close(&mut person).await;
        for _ in 0..5 {
            let asked = ask(&mut person, DOOR).await;
            let signed = phone.get(&asked.options);
            give(&mut person, DOOR, &asked.key, &signed, &passkeys::base64(&[7; 32])).await.is(422).shows("n’a pas donné le secret");
        }
        open(&mut person, &mut phone).await.is(422).shows("Trop d’essais");
        closed(&mut person, &document).await;
        portal.later(jiff::SignedDuration::from_secs(31));
        open(&mut person, &mut phone).await.leads_to("/mes-documents");
        // Forgiven.
        close(&mut person).await;
        open(&mut person, &mut phone).await.leads_to("/mes-documents");
    }

    async fn a_way_in_is_added_by_the_key_in_open_documents(portal: Portal) {
        let (mut person, _, _) = owner(&portal).await;
        let mut phone = Device::new();
        passkeys::add(&mut person, ACCOUNT, &mut phone).await.is(303);
        person.get(KEYS).await.is(200).shows("Ouvrir aussi avec ma clé d’accès");
        let mut other = portal.usager(OTHER_USAGER).await;
        create(&mut other).await;
        let mut foreign = Device::new();
        passkeys::add(&mut other, ACCOUNT, &mut foreign).await.is(303);
        for mut bad in [phone.unchecked(), foreign.clone(), Device::new()] {
            let asked = ask(&mut person, KEYS).await;
            let signed = bad.get(&asked.options);
            give(&mut person, KEYS, &asked.key, &signed, &asked.secret(&phone)).await.is(422).shows("n’est pas acceptée ici");
        }
        // A browser or a device without the extension.
        let asked = ask(&mut person, KEYS).await;
        let signed = phone.get(&asked.options);
        give(&mut person, KEYS, &asked.key, &signed, "").await.is(422).shows("ne sait pas ouvrir vos documents");
        // Answered already; asked in another session.
        give(&mut person, KEYS, &asked.key, &signed, &asked.secret(&phone)).await.is(422).shows("Trop de temps");
        let mut elsewhere = portal.usager(USAGER).await;
        let asked = ask(&mut elsewhere, KEYS).await;
        let signed = phone.get(&asked.options);
        give(&mut person, KEYS, &asked.key, &signed, &asked.secret(&phone)).await.is(422).shows("Trop de temps");
        // From another site; once the documents are closed.
        person.origin = Some("http://autre.fr".to_owned());
        person.post(&format!("{KEYS}/defi"), &[]).await.is(403);
        person.origin = Some("http://ville.test".to_owned());
        let asked = ask(&mut person, KEYS).await;
        close(&mut person).await;
        let signed = phone.get(&asked.options);
        give(&mut person, KEYS, &asked.key, &signed, &asked.secret(&phone)).await.leads_to("/mes-documents/ouvrir?suite=/mes-documents/cles");
        person.post(&format!("{KEYS}/defi"), &[]).await.is(303);
        assert_eq!(portal.count("safe_passkey").await, 0);
        // Removing is for one's own documents.
        let mut owner = portal.usager(USAGER).await;
        answer(&mut owner, KEYS, &mut phone).await.is(303);
        let id = ids(&mut owner).await.remove(0);
        other.post(&format!("{KEYS}/retirer"), &[("cle", &id)]).await.is(303);
        other.post(&format!("{KEYS}/retirer"), &[("cle", "x")]).await.is(404);
        assert_eq!(portal.count("safe_passkey").await, 1);
    }

    /// A new password by mail does not open; the passkey does all the same. Removed, the recovery code remains.
    async fn it_outlives_a_forgotten_password(portal: Portal) {
        let (mut person, code, document) = owner(&portal).await;
        let mut phone = with_passkey(&mut person).await;
        let data = person.data().await;
        assert_eq!(data["cles_d_acces"][0]["ouvre_mes_documents"], true);
        assert!(!data.to_string().contains(&phone.id()));
        keys::reset(&portal, OTHER_PASSWORD).await;
        let mut back = keys::sign_in(&portal, OTHER_PASSWORD).await;
        closed(&mut back, &document).await;
        back.get("/mes-documents/ouvrir").await.is(200).shows(OFFER).shows("Votre clé d’accès les ouvre").hides("Mot de passe de votre compte");
        open(&mut back, &mut phone).await.leads_to("/mes-documents");
        reads(&mut back, &document).await;
        close(&mut back).await;
        let id = ids(&mut back).await.remove(0);
        back.post(&format!("{ACCOUNT}/cles/retirer"), &[("cle", &id), ("mot-de-passe-retirer-cle", OTHER_PASSWORD)]).await.is(303);
        assert_eq!((portal.count("passkey").await, portal.count("safe_passkey").await), (0, 0));
        back.get("/mes-documents/ouvrir").await.leads_to("/mes-documents/secours?suite=/mes-documents");
        let form = [("secours", code.as_str()), ("mot-de-passe", OTHER_PASSWORD), ("suite", "")];
        back.post("/mes-documents/secours", &form).await.leads_to("/mes-documents");
        reads(&mut back, &document).await;
    }

    async fn it_goes_with_the_account(portal: Portal) {
        let (mut person, _, _) = owner(&portal).await;
        with_passkey(&mut person).await;
        person.post("/compte/supprimer", &[("mot-de-passe-suppression", PASSWORD)]).await.is(303);
        assert_eq!((portal.count("safe").await, portal.count("safe_passkey").await), (0, 0));
    }
}
