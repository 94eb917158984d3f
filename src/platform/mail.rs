//! Sending one mail: by SMTP, or into the local outbox when no server is configured.

use anyhow::{Context, Result};
use db::{Db, args, sql};
use jiff::Timestamp;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{Mailbox, header::ContentType},
};
use uuid::Uuid;

use super::config;

#[derive(Debug, Clone)]
pub struct Mail {
    /// Stable across retries, so that a server or a reader can drop a repetition.
    pub id: Uuid,
    pub to: String,
    pub subject: String,
    pub body: String,
    /// None: nobody reads what is answered.
    pub back: Option<Back>,
}

/// Where answers and bounces come back, and what their Message-ID repeats.
#[derive(Debug, Clone)]
pub struct Back {
    pub address: String,
    pub token: String,
}

#[derive(Clone)]
pub enum Mailer {
    Smtp {
        transport: AsyncSmtpTransport<Tokio1Executor>,
        from: Mailbox,
    },
    /// Kept in the `outbox` table and shown as a page.
    Outbox,
}

/// Whether trying again can help.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("refused for good: {0}")]
    Permanent(String),
    #[error(transparent)]
    Passing(#[from] anyhow::Error),
}

impl Mailer {
    pub fn open(settings: &config::Mail) -> Result<Self> {
        if settings.smtp.is_empty() {
            return Ok(Self::Outbox);
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.smtp)
            .context("mail.smtp")?
            .timeout(Some(std::time::Duration::from_secs(20)))
            .build();
        Ok(Self::Smtp { transport, from: settings.from.parse().context("mail.from")? })
    }

    pub async fn send(&self, db: &Db, mail: &Mail, now: Timestamp) -> Result<(), SendError> {
        match self {
            Self::Smtp { transport, from } => {
                let message = message(mail, from).map_err(|error| SendError::Permanent(error.to_string()))?;
                match transport.send(message).await {
                    Ok(_) => Ok(()),
                    Err(error) if error.is_permanent() => Err(SendError::Permanent(error.to_string())),
                    Err(error) => Err(SendError::Passing(error.into())),
                }
            }
            Self::Outbox => keep(db, mail, now).await.map_err(|error| SendError::Passing(error.into())),
        }
    }
}

fn message(mail: &Mail, from: &Mailbox) -> Result<Message> {
    let domain = from.email.domain();
    let mut builder = Message::builder().from(from.clone()).to(mail.to.parse()?).subject(&mail.subject);
    let mut id = mail.id.to_string();
    if let Some(back) = &mail.back {
        id = format!("{id}.{}", back.token);
        builder = builder.reply_to(back.address.parse()?);
        // Bounces come back to it too, where the sender's domain answers for the address (SPF).
        if back.address.ends_with(&format!("@{domain}")) {
            builder = builder.envelope(Envelope::new(Some(back.address.parse()?), vec![mail.to.parse()?])?);
        }
    }
    Ok(builder
        .message_id(Some(format!("<{id}@{domain}>")))
        // Robots do not answer robots (RFC 3834).
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN)
        .body(mail.body.clone())?)
}

#[derive(Clone)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

async fn keep(db: &Db, mail: &Mail, now: Timestamp) -> Result<(), db::Error> {
    db.write(async |tx: &mut db::Tx| {
        tx.run(
            sql!(
                "insert into outbox (authority_id, id, message_id, recipient, subject, body, at) values ($1, $2, $3, $4, $5, $6, $7)
                 on conflict (authority_id, message_id) do nothing"
            ),
            args![tx.authority(), mail.id, mail.id.to_string(), &mail.to, &mail.subject, &mail.body, now],
        )
        .await?;
        Ok(())
    })
    .await
}
