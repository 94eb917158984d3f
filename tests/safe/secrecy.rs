//! What somebody finds who has the database and the files, while the owner is there and after.

use std::io::Read;

use age::secrecy::ExposeSecret;
use db::{Query, Value, args, sql};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use uuid::Uuid;

use super::*;

/// Every value of every column of every table, as bytes, with its place.
pub async fn everything(portal: &Portal) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for (table, columns) in tables() {
        for column in columns {
            let text = format!("select {column} as value from {table} where {column} is not null");
            let values: Vec<Value> =
                portal.app.db.all(Query::new(Box::leak(text.into_boxed_str())), args![]).await.unwrap();
            found.extend(values.into_iter().map(|value| (format!("{table}.{column}"), bytes(value))));
        }
    }
    found
}

fn bytes(value: Value) -> Vec<u8> {
    match value {
        Value::Bytes(bytes) => bytes,
        Value::Text(text) | Value::Json(text) => text.to_string().into_bytes(),
        Value::Uuid(id) => id.as_bytes().to_vec(),
        other => format!("{other:?}").into_bytes(),
    }
}

fn tables() -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for part in guichet::migrations::ALL.iter().flat_map(|migration| migration.sql.split("create table ").skip(1)) {
        let (name, rest) = part.split_once(" (").unwrap();
        let lines = rest.split("\n);").next().unwrap().lines().map(str::trim);
        let columns = lines.filter(|line| {
            !line.is_empty() && !["--", "primary", "foreign"].iter().any(|start| line.starts_with(start))
        });
        found.push((name.to_owned(), columns.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()));
    }
    let has = |table: &str, column: &str| {
        found
            .iter()
            .any(|(name, columns): &(String, Vec<String>)| name == table && columns.iter().any(|found| found == column))
    };
    assert!(
        has("safe_opening", "sealed") && has("safe_document", "label") && has("session", "token_hash"),
        "{found:?}"
    );
    found
}

/// Every file under the portal's data, read whole.
pub fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push((entry.path().display().to_string(), std::fs::read(entry.path()).unwrap()));
        }
    }
    found
}

pub fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

pub fn unseal(key: &[u8], place: &str, sealed: &[u8]) -> Option<age::x25519::Identity> {
    let cipher = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?);
    let (nonce, sealed) = sealed.split_first_chunk()?;
    let (nonce, mut sealed) = (Nonce::assume_unique_for_key(*nonce), sealed.to_vec());
    let text = cipher.open_in_place(nonce, Aad::from(place), &mut sealed).ok()?.to_vec();
    String::from_utf8(text).unwrap().parse().ok()
}

pub fn decrypt(key: &age::x25519::Identity, sealed: &[u8]) -> Option<Vec<u8>> {
    let decryptor = age::Decryptor::new(sealed).ok()?;
    let mut content = Vec::new();
    decryptor.decrypt(std::iter::once(key as &dyn age::Identity)).ok()?.read_to_end(&mut content).ok()?;
    Some(content)
}

both! {
    async fn database_and_files_tell_nothing(portal: Portal) {
        let (person, code, document) = owner(&portal).await;
        let id: Uuid = document.rsplit('/').next().unwrap().parse().unwrap();
        let rows = everything(&portal).await;
        let kept = files(&portal.files());
        let sealed = &kept.iter().find(|(path, _)| path.contains(&id.to_string())).unwrap().1;
        assert!(sealed.starts_with(b"age-encryption.org/v1") && sealed.len() > secret_pdf().len());

        // Neither content nor name, in any spelling, nor any secret.
        let secret_cookie = person.cookies["guichet-documents"].clone();
        let token = person.cookies["guichet-usager"].clone();
        let raw_cookie = data_encoding::BASE64URL_NOPAD.decode(secret_cookie.as_bytes()).unwrap();
        let needles: [(&str, Vec<u8>); 10] = [
            ("content", SECRET.as_bytes().to_vec()),
            ("filler", vec![b'x'; 64]),
            ("escaped name", "Bougainvill\\u00e9e".as_bytes().to_vec()),
            ("word of the name", b"Quittance".to_vec()),
            ("secret key", b"AGE-SECRET-KEY".to_vec()),
            ("password", PASSWORD.as_bytes().to_vec()),
            ("code", code.as_bytes().to_vec()),
            ("plain code", code.replace('-', "").into_bytes()),
            ("cookie", secret_cookie.into_bytes()),
            ("secret of the cookie", raw_cookie.clone()),
        ];
        for (what, needle) in &needles {
            for (place, value) in rows.iter().chain(&kept) {
                assert!(!holds(value, needle), "{what} in {place}");
            }
        }
        assert!(rows.iter().any(|(_, value)| holds(value, USAGER.as_bytes())), "the search finds what is there");

        // What opens: the secret of the cookie, the password, the code.
        let (safe, session, opening): (Uuid, Uuid, Vec<u8>) =
            portal.db().one(sql!("select safe_id, session_id, sealed from safe_opening where authority_id = $1"), args![portal.city]).await.unwrap();
        let open_place = format!("guichet safe open {session} {safe}");
        let key = unseal(&raw_cookie, &open_place, &opening).expect("the cookie opens");
        assert_eq!(decrypt(&key, sealed).unwrap(), secret_pdf());
        let wraps: Vec<(String, Vec<u8>, Vec<u8>)> =
            portal.db().all(sql!("select kind, salt, sealed from safe_wrap where authority_id = $1 order by kind"), args![portal.city]).await.unwrap();
        assert_eq!(wraps.len(), 2);
        let plain_code = code.replace('-', "");
        for (kind, salt, wrap) in &wraps {
            let secret = if kind == "code" { &plain_code } else { PASSWORD };
            let under = guichet::accounts::key(secret, salt).await.unwrap();
            let found = unseal(&*under, &format!("guichet safe {kind} {safe}"), wrap).expect("the secret opens");
            assert_eq!(found.to_string().expose_secret(), key.to_string().expose_secret());
        }

        // What does not: anything that is kept, as it is or hashed.
        let config_secret = [portal.app.config.secret.clone().into_bytes(), token.into_bytes()];
        let mut candidates: Vec<Vec<u8>> = rows.iter().map(|(_, value)| value.clone()).chain(config_secret).collect();
        let parts = wraps.iter().flat_map(|(_, salt, wrap)| [salt.repeat(2), wrap[24..56].to_vec()]);
        candidates.extend(parts);
        candidates.sort();
        candidates.dedup();
        let mut tried = 0;
        for candidate in &candidates {
            let digest = <sha2::Sha256 as sha2::Digest>::digest(candidate).to_vec();
            let decoded = data_encoding::BASE64URL_NOPAD.decode(candidate).unwrap_or_default();
            // The end of a PHC string is the login hash itself.
            let hash = String::from_utf8_lossy(candidate).rsplit('$').next().and_then(|hash| data_encoding::BASE64_NOPAD.decode(hash.as_bytes()).ok());
            for key in [candidate.clone(), digest, decoded, hash.unwrap_or_default()].iter().filter(|key| key.len() == 32) {
                tried += 1;
                assert!(unseal(key, &open_place, &opening).is_none());
                for (kind, _, wrap) in &wraps {
                    assert!(unseal(key, &format!("guichet safe {kind} {safe}"), wrap).is_none());
                }
            }
        }
        assert!(tried > 100, "{tried}");
    }

    /// The safe of who has no password: the code they chose and the recovery code are nowhere, and nothing else opens.
    async fn a_chosen_code_is_not_kept(portal: Portal) {
        let _provider = crate::provider::franceconnect(&portal).await;
        let (_, recovery, document) = own::without_password(&portal).await;
        let id = document.rsplit('/').next().unwrap();
        let (rows, kept) = (everything(&portal).await, files(&portal.files()));
        let sealed = &kept.iter().find(|(path, _)| path.contains(id)).unwrap().1;
        let plain = recovery.replace('-', "");
        for needle in [SECRET, own::CODE, "moulin orange", &recovery, &plain, "AGE-SECRET-KEY"] {
            for (place, value) in rows.iter().chain(&kept) {
                assert!(!holds(value, needle.as_bytes()), "{needle} in {place}");
            }
        }
        let wraps: Vec<(Uuid, String, Vec<u8>, Vec<u8>)> = portal
            .db()
            .all(sql!("select safe_id, kind, salt, sealed from safe_wrap where authority_id = $1 order by kind"), args![portal.city])
            .await
            .unwrap();
        assert_eq!(wraps.iter().map(|wrap| wrap.1.as_str()).collect::<Vec<_>>(), ["code", "own"]);
        assert_ne!(wraps[0].2, wraps[1].2, "a salt each");
        for (safe, kind, salt, wrap) in &wraps {
            let (secret, other) = if kind == "code" { (plain.as_str(), own::CODE) } else { (own::CODE, plain.as_str()) };
            let place = format!("guichet safe {kind} {safe}");
            let under = guichet::accounts::key(secret, salt).await.unwrap();
            let key = unseal(&*under, &place, wrap).expect("the secret opens");
            assert_eq!(decrypt(&key, sealed).unwrap(), secret_pdf());
            assert!(unseal(&*under, &format!("guichet safe password {safe}"), wrap).is_none(), "bound to its kind");
            // Without password: the empty one opens no more than another secret.
            for wrong in [other, "", PASSWORD] {
                let under = guichet::accounts::key(wrong, salt).await.unwrap();
                assert!(unseal(&*under, &place, wrap).is_none(), "{wrong} opens {kind}");
            }
            for (column, value) in rows.iter().filter(|(_, value)| value.len() == 32) {
                assert!(unseal(value, &place, wrap).is_none(), "{column} opens {kind}");
            }
        }
    }

    /// What the passkey derived is nowhere; it opens through HKDF (computed apart), in its place only.
    async fn what_a_passkey_derives_is_not_kept(portal: Portal) {
        use ring::hmac::{HMAC_SHA256, Key as Mac, sign};
        let (mut person, _, document) = owner(&portal).await;
        let device = passkey::with_passkey(&mut person).await;
        person.post("/mes-documents/fermer", &[]).await.is(303);
        let mut used = device.clone();
        passkey::open(&mut person, &mut used).await.leads_to("/mes-documents");
        let (safe, key, account, salt, wrap): (Uuid, Uuid, Uuid, Vec<u8>, Vec<u8>) = portal
            .db()
            .one(
                sql!("select w.safe_id, w.passkey_id, s.account_id, w.salt, w.sealed from safe_passkey w join safe s on s.authority_id = w.authority_id and s.id = w.safe_id where w.authority_id = $1"),
                args![portal.city],
            )
            .await
            .unwrap();
        let (secret, credential) = (device.secret(&salt), data_encoding::BASE64URL_NOPAD.decode(device.id().as_bytes()).unwrap());
        let info = [b"guichet safe passkey".as_slice(), portal.city.as_bytes(), account.as_bytes(), &credential, &[1]].concat();
        let extracted = sign(&Mac::new(HMAC_SHA256, &salt), &secret);
        let under = sign(&Mac::new(HMAC_SHA256, extracted.as_ref()), &info).as_ref().to_vec();
        let place = format!("guichet safe passkey {safe} {key}");
        let identity = unseal(&under, &place, &wrap).expect("what the passkey derives opens");
        let (rows, kept) = (everything(&portal).await, files(&portal.files()));
        let sealed = &kept.iter().find(|(path, _)| path.contains(document.rsplit('/').next().unwrap())).unwrap().1;
        assert_eq!(decrypt(&identity, sealed).unwrap(), secret_pdf());
        assert!(unseal(&under, &format!("guichet safe passkey {safe} {account}"), &wrap).is_none(), "bound to its place");
        let text = data_encoding::BASE64URL_NOPAD.encode(&secret).into_bytes();
        for needle in [SECRET.as_bytes(), b"AGE-SECRET-KEY", &secret, &text, &under, extracted.as_ref()] {
            for (column, value) in rows.iter().chain(&kept) {
                assert!(!holds(value, needle), "{} in {column}", String::from_utf8_lossy(needle));
            }
        }
        for (column, value) in rows.iter().filter(|(_, value)| value.len() == 32) {
            assert!(unseal(value, &place, &wrap).is_none(), "{column} opens");
        }
    }

    /// A document that was changed on the disk is not given out for whole.
    async fn changed_content_is_not_given_out(portal: Portal) {
        let (mut person, _, document) = owner(&portal).await;
        let id = document.rsplit('/').next().unwrap();
        let path = portal.files().join(portal.city.to_string()).join(id);
        let whole = std::fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let last = changed.len() - 100_000;
        changed[last] ^= 1;
        for broken in [changed, whole[..whole.len() - 20].to_vec()] {
            std::fs::write(&path, broken).unwrap();
            let answer = person.try_send(reqwest::Method::GET, &format!("{document}/fichier"), |request| request).await;
            assert!(answer.is_err(), "an interrupted answer");
        }
        std::fs::write(&path, whole).unwrap();
        assert_eq!(person.get(&format!("{document}/fichier")).await.is(200).bytes, secret_pdf());
    }
}
