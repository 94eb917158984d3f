//! Sending a change: in one transaction the account is brought up to date and each department gets its request.

use db::{Tx, args, sql};
use forms::{
    answers::{Answers, Json},
    journey::Files,
};
use uuid::Uuid;

use super::{
    PROCEDURE,
    model::{self, Change, Receiver},
    store,
};
use crate::{
    accounts,
    catalogue::{self, Published},
    error::Problem,
    household::addresses,
    requests::{
        self,
        submit::{self, Sender, Sending},
    },
    visit::{Citizen, Visitor},
};

/// How often a reference is drawn again when it is taken.
const DRAWS: usize = 5;

/// Carries out a change whose form has the id `id`; once, however often it is sent. False when the account
/// keeps as many addresses as it may.
pub async fn send(
    citizen: &Citizen,
    id: Uuid,
    change: &Change,
    receivers: &[Receiver],
    members: &[Json],
) -> Result<bool, Problem> {
    let answers = match catalogue::find(citizen, PROCEDURE).await? {
        Some(published) => answers(citizen, change, receivers, members, published).await?,
        None => Vec::new(),
    };
    for _ in 0..DRAWS {
        let references: Vec<String> =
            answers.iter().map(|_| requests::model::reference(&citizen.site.settings.prefix)).collect();
        let sendings: Vec<Sending<'_>> = answers
            .iter()
            .zip(&references)
            .map(|(of, reference)| Sending {
                id: of.request,
                reference,
                procedure: &of.published.procedure,
                version: of.published.version,
                department: &of.receiver.id,
                answers: &of.answers,
                email: citizen.account.email.as_deref(),
                confidential_address: of.confidential,
            })
            .collect();
        match write(citizen, id, change, &sendings).await? {
            Written::Done => {
                citizen.app.work.notify_one();
                return Ok(true);
            }
            Written::Full => return Ok(false),
            Written::Taken => {}
        }
    }
    Err(Problem::Broken(anyhow::anyhow!("no free reference")))
}

/// What one department receives.
struct Of<'a> {
    receiver: &'a Receiver,
    published: Published,
    request: Uuid,
    answers: Answers,
    confidential: bool,
}

async fn answers<'a>(
    citizen: &Citizen,
    change: &Change,
    receivers: &'a [Receiver],
    members: &[Json],
    published: Published,
) -> Result<Vec<Of<'a>>, Problem> {
    let account = &citizen.account;
    let home = addresses::home(citizen).await?.filter(|home| !home.confidential);
    let old = home.as_ref().map(|home| &home.address.0);
    let mut all = Vec::new();
    for receiver in receivers.iter().filter(|receiver| change.departments.contains(&receiver.id)) {
        let raw = model::typed(change, receiver, (&account.first_name, &account.last_name), old, members);
        let reading = published.procedure.read(&raw, &Files::new(), citizen.today());
        if !reading.ready() {
            return Err(Problem::Broken(anyhow::anyhow!("a change does not fit {PROCEDURE} v{}", published.version)));
        }
        let answers = reading.answers;
        // An address that is confidential since just now is not among the account's yet.
        let new = change.confidential && answers.contains_key("adresse");
        let confidential = new || addresses::told(&citizen.db, Some(account.id), &answers).await?;
        all.push(Of { receiver, published: published.clone(), request: citizen.id(), answers, confidential });
    }
    Ok(all)
}

async fn write(citizen: &Citizen, id: Uuid, change: &Change, sendings: &[Sending<'_>]) -> Result<Written, Problem> {
    let (account, now) = (citizen.account.id, citizen.now);
    // The coordinates are one's own, in whoever's name one acts meanwhile.
    let oneself = Visitor { acting: None, ..Visitor::clone(citizen) };
    let sender = Sender::usager(&oneself);
    let ready = sendings
        .iter()
        .map(|sending| submit::ready(&oneself, &sender, sending))
        .collect::<Result<Vec<_>, Problem>>()?;
    let home =
        change.address.as_ref().map(|address| addresses::Declared::main(address, change.from, change.confidential));
    let written: Written = citizen
        .db
        .write(async |tx: &mut Tx| {
            // What may forbid it comes before anything is written.
            for sending in sendings {
                if taken(tx, sending.reference).await? {
                    return Ok(Written::Taken);
                }
            }
            if let Some(home) = &home
                && !addresses::declare(tx, account, id, home, now).await?
            {
                return Ok(Written::Full);
            }
            if !store::begin(tx, account, id, now).await? {
                return Ok(Written::Done);
            }
            if let Some(phone) = &change.phone {
                accounts::set_phone(tx, account, phone).await?;
            }
            for (sending, ready) in sendings.iter().zip(&ready) {
                ready.store(tx).await?;
                store::made(tx, id, sending.id).await?;
            }
            Ok::<_, db::Error>(Written::Done)
        })
        .await?;
    Ok(written)
}

/// What came of it; but when it is done, nothing is written.
enum Written {
    Done,
    /// The account keeps as many addresses as it may.
    Full,
    /// One of the references is.
    Taken,
}

async fn taken(tx: &mut Tx, reference: &str) -> Result<bool, db::Error> {
    let found: Option<i64> = tx
        .first(
            sql!(
                "select 1 from request where authority_id = $1 and reference = $2
                 union all select 1 from draft where authority_id = $1 and reference = $2 limit 1"
            ),
            args![tx.authority(), reference],
        )
        .await?;
    Ok(found.is_some())
}
