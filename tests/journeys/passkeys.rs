//! Passkeys, answered by a device made here: adding one, signing in with it, and what is refused.

use db::{args, sql};
use jiff::SignedDuration;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::signing_in::demand;
use crate::harness::{Client, Engine, OTHER_USAGER, PASSWORD, Page, Portal, USAGER, both, html};

const AGENT: &str = "nadia.benali@valmont.example";
const SITE: &str = "http://ville.test";
const PRESENT: u8 = 1;
const VERIFIED: u8 = 4;

/// A telephone with one key.
#[derive(Clone)]
pub struct Device {
    id: Vec<u8>,
    pkcs8: Vec<u8>,
    handle: String,
    counter: u32,
    /// The page it believes to be on.
    origin: &'static str,
    /// Whether it checked who holds it.
    pub flags: u8,
    /// CBOR of the extensions that it signs when it serves.
    pub extensions: &'static [u8],
}

pub fn base64(bytes: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(bytes)
}

impl Device {
    pub fn new() -> Self {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        Self {
            id: rand::random::<[u8; 32]>().to_vec(),
            pkcs8: made.as_ref().to_vec(),
            handle: String::new(),
            counter: 0,
            origin: SITE,
            flags: PRESENT | VERIFIED,
            extensions: b"",
        }
    }

    pub fn id(&self) -> String {
        base64(&self.id)
    }

    /// The same, not checking who holds it.
    pub fn unchecked(&self) -> Self {
        Self { flags: PRESENT, ..self.clone() }
    }

    /// What only it computes from a salt.
    pub fn secret(&self, salt: &[u8]) -> Vec<u8> {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.pkcs8);
        ring::hmac::sign(&key, salt).as_ref().to_vec()
    }

    fn pair(&self) -> EcdsaKeyPair {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.pkcs8, &SystemRandom::new()).unwrap()
    }

    fn said(&self, kind: &str, options: &Value) -> Vec<u8> {
        json!({"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false})
            .to_string()
            .into_bytes()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        [Sha256::digest("ville.test").as_slice(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    /// What a browser gives for a new key (no attestation, ES256).
    fn create(&mut self, options: &Value) -> String {
        self.handle = options["user"]["id"].as_str().unwrap().to_owned();
        let pair = self.pair();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let key = [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".as_slice(), x, b"\x22\x58\x20", y].concat();
        let data = [self.data(self.flags | 0x40), vec![0; 16], vec![0, 32], self.id.clone(), key].concat();
        let head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58";
        let object = [head.as_slice(), &[u8::try_from(data.len()).unwrap()], &data].concat();
        let response = json!({"clientDataJSON": base64(&self.said("webauthn.create", options)), "attestationObject": base64(&object)});
        json!({"id": base64(&self.id), "rawId": base64(&self.id), "type": "public-key", "response": response, "clientExtensionResults": {}}).to_string()
    }

    pub fn get(&mut self, options: &Value) -> String {
        self.counter += 1;
        let extended = if self.extensions.is_empty() { 0 } else { 0x80 };
        let (said, data) = (self.said("webauthn.get", options), self.data(self.flags | extended));
        let data = [data.as_slice(), self.extensions].concat();
        let signed = [data.as_slice(), Sha256::digest(&said).as_slice()].concat();
        let signature = self.pair().sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "clientDataJSON": base64(&said), "authenticatorData": base64(&data), "signature": base64(signature.as_ref()), "userHandle": self.handle,
        });
        json!({"id": base64(&self.id), "rawId": base64(&self.id), "type": "public-key", "response": response, "clientExtensionResults": {}}).to_string()
    }
}

fn minutes(portal: &Portal, count: i64) {
    portal.later(SignedDuration::from_mins(count));
}

/// The page where a key is made: its sealed state, and what the device is asked.
async fn asked(person: &mut Client, base: &str) -> (String, Value) {
    let page = person.post(&format!("{base}/cles"), &[("mot-de-passe-cle", PASSWORD)]).await.is(200);
    let key = page.form("reponse").fields.iter().find(|(name, _)| name == "cle").unwrap().1.clone();
    let tags = html::tags(page.html());
    let options = tags.iter().find(|tag| tag.get("data-passkey") == "create").unwrap().get("data-passkey-options");
    (key, serde_json::from_str(options).unwrap())
}

pub async fn add(person: &mut Client, base: &str, device: &mut Device) -> Page {
    let (key, options) = asked(person, base).await;
    let answer = device.create(&options);
    let path = format!("{base}/cles/ajouter");
    person.post(&path, &[("cle", &key), ("nom", "Mon téléphone"), ("reponse", &answer)]).await
}

async fn challenge(person: &mut Client, door: &str) -> (String, Value) {
    let page = person.post(&format!("{door}/cle/defi"), &[]).await.is(200);
    let body: Value = serde_json::from_slice(&page.bytes).unwrap();
    (body["cle"].as_str().unwrap().to_owned(), body["options"].clone())
}

async fn give(person: &mut Client, door: &str, key: &str, answer: &str) -> Page {
    person.post(&format!("{door}/cle"), &[("cle", key), ("reponse", answer), ("suite", "")]).await
}

pub async fn enter(person: &mut Client, door: &str, device: &mut Device) -> Page {
    let (key, options) = challenge(person, door).await;
    let answer = device.get(&options);
    give(person, door, &key, &answer).await
}

both! {
    async fn a_passkey_is_added_opens_the_account_and_is_removed(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        person.post("/compte/securite/cles", &[("mot-de-passe-cle", "faux")]).await.is(422).shows("Ce n’est pas votre mot de passe actuel");
        let (_, options) = asked(&mut person, "/compte/securite").await;
        assert_eq!(options["rp"]["id"], "ville.test");
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        assert!(options["extensions"]["prf"].is_object(), "it may open documents later");
        let mut device = Device::new();
        add(&mut person, "/compte/securite", &mut device).await.leads_to("/compte/securite?fait=cle");
        person.get("/compte/securite").await.is(200).shows("Mon téléphone").shows("n’a pas encore servi").shows("Clé d’accès ajoutée");
        // The same key again is no second one.
        add(&mut person, "/compte/securite", &mut device).await.leads_to("/compte/securite?fait=cle-refusee");
        person.get("/compte/securite?fait=cle-refusee").await.is(422).shows("n’a pas été ajoutée");
        assert_eq!(portal.count("passkey").await, 1);

        let mut other = portal.client();
        enter(&mut other, "/connexion", &mut device).await.leads_to("/mes-demandes");
        other.get("/compte/securite").await.is(200).shows("servie le").shows("Connexion avec une clé d’accès");
        assert!(other.data().await.to_string().contains("Mon téléphone"));
        // Somebody else cannot remove it; its owner needs the password.
        let id: Vec<(uuid::Uuid,)> = portal.db().all(sql!("select id from passkey where authority_id = $1"), args![portal.city]).await.unwrap();
        let id = id[0].0.to_string();
        let mut stranger = portal.usager(OTHER_USAGER).await;
        stranger.post("/compte/securite/cles/retirer", &[("cle", &id), ("mot-de-passe-retirer-cle", PASSWORD)]).await.is(404);
        person.post("/compte/securite/cles/retirer", &[("cle", &id), ("mot-de-passe-retirer-cle", "faux")]).await.is(422);
        other.get("/compte").await.is(200);
        person.post("/compte/securite/cles/retirer", &[("cle", &id), ("mot-de-passe-retirer-cle", PASSWORD)]).await.leads_to("/compte/securite?fait=cle-retiree");
        person.get("/compte/securite").await.is(200).shows("Clé d’accès retirée").hides("Mon téléphone");
        // What it had opened is closed, and it opens nothing more.
        other.get("/compte").await.leads_to("/connexion?suite=/compte");
        enter(&mut other, "/connexion", &mut device).await.is(422).shows("n’est pas acceptée ici");
        let mails = portal.outbox().await;
        for subject in ["Une clé d’accès est ajoutée à votre compte", "Une clé d’accès de votre compte est retirée"] {
            assert_eq!(mails.iter().filter(|(to, said, _)| to == USAGER && said == subject).count(), 1, "{mails:?}");
        }
    }

    async fn a_passkey_counts_as_both_factors(portal: Portal) {
        demand(&portal, &["processor"]).await;
        let mut agent = portal.client();
        agent.post("/agent/connexion", &[("email", AGENT), ("mot-de-passe", PASSWORD)]).await.leads_to("/agent");
        agent.get("/agent").await.leads_to("/agent/securite");
        let mut device = Device::new();
        add(&mut agent, "/agent/securite", &mut device).await.leads_to("/agent/securite?fait=cle");
        agent.get("/agent").await.is(200);
        // The password alone no longer reaches the page where a factor is set up.
        let mut thief = portal.client();
        thief.post("/agent/connexion", &[("email", AGENT), ("mot-de-passe", PASSWORD)]).await.is(422).shows("utilisez votre clé d’accès");
        thief.get("/agent/securite").await.leads_to("/agent/connexion?suite=/agent/securite");
        let mut other = portal.client();
        // An agent's key at the usagers' door.
        enter(&mut other, "/connexion", &mut device).await.is(422);
        enter(&mut other, "/agent/connexion", &mut device).await.leads_to("/agent");
        other.get("/agent").await.is(200);
        // Lost: the operator removes it, and the sessions it opened.
        let visit = guichet::work::visit(&portal.app, portal.city).await.unwrap();
        assert!(guichet::accounts::factor::reset_agent(&visit, AGENT, "Téléphone volé").await.unwrap());
        other.get("/agent").await.leads_to("/agent/connexion?suite=/agent");
        enter(&mut other, "/agent/connexion", &mut device).await.is(422);
        other.post("/agent/connexion", &[("email", AGENT), ("mot-de-passe", PASSWORD)]).await.leads_to("/agent");
        other.get("/agent").await.leads_to("/agent/securite");
    }

    async fn only_the_key_itself_opens_once_in_time(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let mut device = Device::new();
        add(&mut person, "/compte/securite", &mut device).await.leads_to("/compte/securite?fait=cle");
        let mut other = portal.client();
        let refused = [
            // On a false site; without a check of who holds it; with somebody else's signature, or handle.
            Device { origin: "http://vi11e.test", ..device.clone() },
            Device { origin: "http://ville.test:8080", ..device.clone() },
            Device { flags: PRESENT, ..device.clone() },
            Device { pkcs8: Device::new().pkcs8, ..device.clone() },
            Device { handle: base64(uuid::Uuid::nil().as_bytes()), ..device.clone() },
            // Never added.
            Device { handle: device.handle.clone(), ..Device::new() },
        ];
        for mut bad in refused {
            enter(&mut other, "/connexion", &mut bad).await.is(422).shows("n’est pas acceptée ici");
            other.get("/compte").await.leads_to("/connexion?suite=/compte");
        }
        person.get("/compte/securite").await.is(200).shows("Clé d’accès refusée");
        // An answer to another challenge, or none.
        let (key, _) = challenge(&mut other, "/connexion").await;
        let (_, options) = challenge(&mut other, "/connexion").await;
        give(&mut other, "/connexion", &key, &device.get(&options)).await.is(422).shows("n’est pas acceptée ici");
        for answer in ["", "{}", "x"] {
            let (key, _) = challenge(&mut other, "/connexion").await;
            give(&mut other, "/connexion", &key, answer).await.is(422);
        }
        // A challenge of the other door, bent, invented, left for too long.
        let (key, options) = challenge(&mut other, "/agent/connexion").await;
        give(&mut other, "/connexion", &key, &device.get(&options)).await.is(422).shows("Trop de temps");
        let (key, options) = challenge(&mut other, "/connexion").await;
        let bent = format!("{}{}", &key[..key.len() - 8], "AAAAAAAA");
        let answer = device.get(&options);
        for key in [bent.as_str(), "", "x"] {
            give(&mut other, "/connexion", key, &answer).await.is(422).shows("Trop de temps");
        }
        minutes(&portal, 6);
        give(&mut other, "/connexion", &key, &answer).await.is(422).shows("Trop de temps");
        // Just in time, and once.
        let (key, options) = challenge(&mut other, "/connexion").await;
        let answer = device.get(&options);
        minutes(&portal, 5);
        give(&mut other, "/connexion", &key, &answer).await.leads_to("/mes-demandes");
        let mut thief = portal.client();
        give(&mut thief, "/connexion", &key, &answer).await.is(422).shows("Trop de temps");
        thief.get("/compte").await.leads_to("/connexion?suite=/compte");
        // A copy of the key whose counter lags behind.
        let mut copy = Device { counter: 0, ..device.clone() };
        enter(&mut thief, "/connexion", &mut copy).await.is(422);
        // Used challenges are forgotten once they have expired.
        assert!(portal.count("passkey_answer").await > 0);
        minutes(&portal, 6);
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        assert_eq!(portal.count("passkey_answer").await, 0);
    }

    async fn a_key_is_added_by_who_asked_only(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (key, options) = asked(&mut person, "/compte/securite").await;
        let answer = Device::new().create(&options);
        let form = [("cle", key.as_str()), ("nom", ""), ("reponse", answer.as_str())];
        // In another session, of somebody else's or one's own.
        portal.usager(OTHER_USAGER).await.post("/compte/securite/cles/ajouter", &form).await.leads_to("/compte/securite?fait=cle-trop-tard");
        portal.usager(USAGER).await.post("/compte/securite/cles/ajouter", &form).await.leads_to("/compte/securite?fait=cle-trop-tard");
        // From another site, or by a device that checked nobody.
        person.origin = Some("http://autre.fr".to_owned());
        person.post("/compte/securite/cles/ajouter", &form).await.is(403);
        person.post("/connexion/cle/defi", &[]).await.is(403);
        person.origin = Some(SITE.to_owned());
        for mut bad in [Device { origin: "http://autre.fr", ..Device::new() }, Device { flags: PRESENT, ..Device::new() }] {
            add(&mut person, "/compte/securite", &mut bad).await.leads_to("/compte/securite?fait=cle-refusee");
        }
        minutes(&portal, 6);
        person.post("/compte/securite/cles/ajouter", &form).await.leads_to("/compte/securite?fait=cle-trop-tard");
        assert_eq!(portal.count("passkey").await, 0);
        // Made in time, once; it goes with its account.
        let (key, options) = asked(&mut person, "/compte/securite").await;
        let answer = Device::new().create(&options);
        let form = [("cle", key.as_str()), ("nom", ""), ("reponse", answer.as_str())];
        person.post("/compte/securite/cles/ajouter", &form).await.leads_to("/compte/securite?fait=cle");
        person.post("/compte/securite/cles/ajouter", &form).await.leads_to("/compte/securite?fait=cle-trop-tard");
        assert_eq!(portal.count("passkey").await, 1);
    }
}
