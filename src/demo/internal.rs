//! What some agents of the sample city ask for themselves.

use anyhow::{Context, Result};
use db::{args, sql};
use forms::{answers::Raw, journey::Files};
use jiff::{SignedDuration, ToSpan};
use uuid::Uuid;

use crate::{
    accounts::{self, session::Account},
    agents::{self, Standing},
    catalogue::{self, Published},
    requests::{drafts, owner::Whose, submit},
    visit::{Agent, Staff, Visit},
};

type Typed = &'static [(&'static str, &'static str)];

/// Who asks for what; a number is a day, that many from today.
const ASKED: [(&str, &str, Typed); 3] = [
    (
        "thierry.kowalski@valmont.example",
        "demande-conge",
        &[
            ("nature", "annuels"),
            ("debut", "21"),
            ("debut_moment", "matin"),
            ("fin", "25"),
            ("fin_moment", "soir"),
            ("jours", "5"),
            ("accord", "oui"),
            ("responsable", "Maud Étienne"),
        ],
    ),
    (
        "nathalie.weber@valmont.example",
        "demande-conge",
        &[
            ("nature", "rtt"),
            ("debut", "9"),
            ("debut_moment", "apres_midi"),
            ("fin", "9"),
            ("fin_moment", "soir"),
            ("jours", "0,5"),
            ("accord", "oui"),
            ("responsable", "Rachid Mansouri"),
        ],
    ),
    (
        "mei.chen@valmont.example",
        "demande-materiel",
        &[
            ("articles.0.nature", "mobilier"),
            ("articles.0.description", "Un chariot à livres, deux plateaux"),
            ("articles.0.quantite", "1"),
            ("raison", "remplacement"),
            ("lieu", "Bibliothèque du centre, rez-de-chaussée"),
            ("accord", "oui"),
            ("responsable", "Bruno Œuvrard"),
        ],
    ),
];

pub async fn make(visit: &Visit) -> Result<()> {
    let current = catalogue::current(visit).await?;
    for (index, (email, procedure, typed)) in ASKED.iter().enumerate() {
        let Some(published) = current.internal.get(*procedure) else { continue };
        let age = SignedDuration::from_hours(20 + 30 * i64::try_from(index)?);
        let visit = Visit { now: visit.now.checked_sub(age)?, ..visit.clone() };
        ask(&staff(&visit, email).await?, published, typed).await?;
    }
    Ok(())
}

async fn staff(visit: &Visit, email: &str) -> Result<Staff> {
    let id: Uuid = visit
        .db
        .one(
            sql!("select id from account where authority_id = $1 and kind = 'agent' and email = $2"),
            args![visit.db.authority(), email],
        )
        .await?;
    let account = Account::from(accounts::find(&visit.db, id).await?.context("account")?);
    let Standing { memberships, limited, general, asks } = agents::standing(visit, id).await?;
    let (visit, session_id) = (visit.clone(), Uuid::nil());
    Ok(Staff(Agent { visit, session_id, passkey: None, account, ends_on: None, memberships, limited, general, asks }))
}

async fn ask(staff: &Staff, published: &Published, typed: Typed) -> Result<()> {
    let (procedure, today) = (&published.procedure, staff.today());
    let mut raw = Raw::default();
    for (name, value) in typed {
        match value.parse::<i32>() {
            Ok(days) if ["debut", "fin"].contains(name) => {
                let day = today.checked_add(days.days())?;
                raw.set(format!("{name}.jour"), day.day().to_string());
                raw.set(format!("{name}.mois"), day.month().to_string());
                raw.set(format!("{name}.annee"), day.year().to_string());
            }
            _ => raw.set(*name, *value),
        }
    }
    let reading = procedure.read(&raw, &Files::default(), today);
    anyhow::ensure!(reading.ready(), "{} is not complete: {:?}", procedure.id, reading.first_incomplete());
    let (id, whose) = (staff.id(), Whose::account(Some(staff.account.id)));
    let told = |problem| anyhow::anyhow!("{problem:?}");
    let begun = drafts::begin(staff, id, published, whose, drafts::Holder::Right, raw, None).await.map_err(told)?;
    let draft = drafts::Draft {
        id,
        procedure_id: procedure.id.clone(),
        procedure_version: published.version,
        reference: begun.reference,
        account_id: whose.account,
        organisation_id: None,
        acted_by: None,
        session_id: None,
        beneficiary: None,
        raw: db::Json(Raw::default()),
        updated_at: staff.now,
        correcting: false,
        has_files: false,
    };
    submit::submit(staff, &submit::Sender::staff(staff), &draft, procedure, &reading.answers, &[], None)
        .await
        .map_err(told)
}
