//! What left by mail or SMS about a request: its words as they were, to whom, what became of it. A code is never
//! among them, nor what a message of the request says: mails announce it only.

use db::{Db, Tx, args, row, sql};
use forms::kinds::phone;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::platform::mail::Mail;

/// In the place of a code.
pub const HIDDEN: &str = "[code non gardé]";

row! {
    /// One of them; an SMS has no subject.
    #[derive(Debug, Clone)]
    pub struct Mailed {
        /// `email` or `sms`.
        channel: String,
        /// Empty once it is erased.
        recipient: String,
        subject: String,
        body: String,
        /// Of a mail: `sent`, `refused` or `returned`; of an SMS: `leaving`, `sent`, `delivered` or `refused`.
        state: String,
        at: Timestamp,
    }
}

impl Mailed {
    /// « Courriel à camille@exemple.fr », « SMS au 06 39 98 00 00 ».
    pub fn to(&self) -> String {
        match (self.channel.as_str(), self.recipient.as_str()) {
            ("sms", "") => "SMS".to_owned(),
            ("sms", number) => format!("SMS au {}", phone::french(number)),
            (_, "") => "Courriel".to_owned(),
            (_, address) => format!("Courriel à {address}"),
        }
    }

    /// What became of it.
    pub fn state_words(&self) -> &'static str {
        match (self.channel.as_str(), self.state.as_str()) {
            (_, "refused") => "refusé, pas remis",
            (_, "returned") => "revenu, pas remis",
            (_, "delivered") => "remis",
            ("sms", "leaving") => "en cours d’envoi",
            ("sms", _) => "pris par l’opérateur",
            _ => "pris par le serveur de courriel",
        }
    }

    pub fn at(&self) -> Timestamp {
        self.at
    }

    fn json(&self) -> Json {
        let text =
            if self.subject.is_empty() { self.body.clone() } else { format!("{}\n\n{}", self.subject, self.body) };
        json!({
            "text": "", "date": self.at.to_string(), "read": (), "how": format!("Envoi automatique, {}", self.state_words()),
            "internal": false, "quoted": "", "sent": text, "files": [],
        })
    }

    /// Among the messages of its request, for agents.
    pub fn for_agents(&self) -> Json {
        with(self.json(), json!({"from_usager": false, "who": self.to()}))
    }

    /// The same for its usager: where it went may be another’s.
    pub fn for_usager(&self, department: &str) -> Json {
        let kind = if self.channel == "sms" { "SMS" } else { "Courriel" };
        let how = format!("{kind} automatique, {}", self.state_words());
        with(self.json(), json!({"mine": false, "who": department, "how": how}))
    }
}

fn with(mut one: Json, more: Json) -> Json {
    if let (Some(one), Json::Object(more)) = (one.as_object_mut(), more) {
        one.extend(more);
    }
    one
}

/// All that left about a request, in its order.
pub async fn of(db: &Db, request: Uuid) -> Result<Vec<Mailed>, db::Error> {
    db.all(
        sql!(
            "select 'email' as channel, recipient, subject, body, state, at from request_mail where authority_id = $1 and request_id = $2
             union all select 'sms', number, '', body, state, at from sms where authority_id = $1 and request_id = $2 and body <> ''
             order by 6"
        ),
        args![db.authority(), request],
    )
    .await
}

/// Keeps a mail that left, or was refused for good. Sent again after a crash, it is one mail.
pub async fn keep(tx: &mut Tx, request: Uuid, mail: &Mail, state: &str, now: Timestamp) -> Result<(), db::Error> {
    let a = tx.authority();
    // Erased in the meantime.
    let there: Option<i64> =
        tx.first(sql!("select 1 from request where authority_id = $1 and id = $2"), args![a, request]).await?;
    if there.is_none() {
        return Ok(());
    }
    tx.run(
        sql!(
            "insert into request_mail (authority_id, id, request_id, recipient, subject, body, state, at) values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (authority_id, id) do update set state = excluded.state, at = excluded.at"
        ),
        args![a, mail.id, request, &mail.to, &mail.subject, &mail.body, state, now],
    )
    .await?;
    Ok(())
}

/// Whether a mail that left already gave this address; `own` is sent again.
pub async fn mentions(db: &Db, request: Uuid, address: &str, own: Uuid) -> Result<bool, db::Error> {
    let found: Option<i64> = db
        .first(
            sql!(
                "select 1 from request_mail where authority_id = $1 and request_id = $2 and id <> $3 and state = 'sent' and body like $4 limit 1"
            ),
            args![db.authority(), request, own, format!("%{address}%")],
        )
        .await?;
    Ok(found.is_some())
}

/// Notes which mails of a request came back: those whose id stands in `raw`, the mail that says so.
pub async fn returned(db: &Db, request: Uuid, raw: &[u8]) -> Result<(), db::Error> {
    let sent: Vec<Uuid> = db
        .all(
            sql!("select id from request_mail where authority_id = $1 and request_id = $2 and state = 'sent'"),
            args![db.authority(), request],
        )
        .await?;
    let text = String::from_utf8_lossy(raw);
    let back: Vec<Uuid> = sent.into_iter().filter(|id| text.contains(&id.to_string())).collect();
    if back.is_empty() {
        return Ok(());
    }
    db.write(async |tx: &mut Tx| {
        for id in &back {
            tx.run(
                sql!("update request_mail set state = 'returned' where authority_id = $1 and id = $2"),
                args![tx.authority(), id],
            )
            .await?;
        }
        Ok(())
    })
    .await
}

/// Forgets where they went.
pub async fn forget(tx: &mut Tx, request: Uuid) -> Result<(), db::Error> {
    let a = tx.authority();
    tx.run(
        sql!("update request_mail set recipient = '' where authority_id = $1 and request_id = $2"),
        args![a, request],
    )
    .await?;
    tx.run(sql!("update sms set number = '' where authority_id = $1 and request_id = $2"), args![a, request]).await?;
    Ok(())
}

row! {
    /// A mail as its usager takes it away.
    pub struct Taken {
        pub request_id: Uuid,
        recipient: String,
        subject: String,
        body: String,
        state: String,
        at: Timestamp,
    }
}

impl Taken {
    pub fn json(&self) -> Json {
        json!({"a": self.recipient, "objet": self.subject, "texte": self.body, "etat": self.state, "le": self.at.to_string()})
    }
}

/// The mails about an account's requests; SMS are with its number (`contacts::sms::export`).
pub async fn export(db: &Db, account: Uuid) -> Result<Vec<Taken>, db::Error> {
    db.all(
        sql!(
            "select m.request_id, m.recipient, m.subject, m.body, m.state, m.at from request r
             join request_mail m on m.authority_id = r.authority_id and m.request_id = r.id
             where r.authority_id = $1 and r.account_id = $2 order by m.at, m.id"
        ),
        args![db.authority(), account],
    )
    .await
}
