//! The end of a request that went through everything: nothing of it stays, in any column of any table nor in any
//! stored file, whichever feature wrote it.

use db::{Query, args, sql};
use guichet::requests::purge;
use jiff::SignedDuration;
use scans::testing::pdf;
use uuid::Uuid;

use super::{agent::act, approvals, consultations, scans as post};
use crate::harness::{
    Client, Engine, Filed, Portal, USAGER, both,
    journey::{PDF, birth},
};

/// In everything that anybody types.
const WORD: &str = "Pamplemousse";
const NUMBER: &str = "+33639981234";

/// Every table and its columns, as the database itself lists them.
async fn columns(portal: &Portal) -> Vec<(String, String)> {
    let listed = match portal.engine {
        Engine::Sqlite => {
            "select m.name, p.name from sqlite_master m join pragma_table_info(m.name) p where m.type = 'table' and m.name not like 'sqlite_%' order by 1, 2"
        }
        Engine::Postgres => {
            "select cast(table_name as text), cast(column_name as text) from information_schema.columns where table_schema = current_schema() order by 1, 2"
        }
    };
    let found: Vec<(String, String)> = portal.app.db.all(Query::new(listed), args![]).await.unwrap();
    assert!(found.len() > 400 && found.iter().any(|(table, _)| table == "letter"), "{}", found.len());
    found
}

/// Where one of these stands: in a text, in JSON, or as an identifier.
async fn places(portal: &Portal, wanted: &[String]) -> Vec<String> {
    let mut places = Vec::new();
    for (table, column) in columns(portal).await {
        let text = match portal.engine {
            Engine::Sqlite => format!(
                "case typeof(\"{column}\") when 'blob' then lower(hex(\"{column}\")) else cast(\"{column}\" as text) end"
            ),
            Engine::Postgres => format!("cast(\"{column}\" as text)"),
        };
        let text = format!("select {text} from \"{table}\" where \"{column}\" is not null");
        // Bytes show as hexadecimal digits on both; the words in them are looked for as such.
        let values: Vec<Option<String>> = portal
            .app
            .db
            .all(Query::new(text.leak()), args![])
            .await
            .unwrap_or_else(|error| panic!("{table}.{column}: {error}"));
        let holds = |value: &String| wanted.iter().any(|word| value.contains(word.as_str()));
        if values.iter().flatten().any(holds) {
            places.push(format!("{table}.{column}"));
        }
    }
    places
}

fn forms_of(word: &str) -> Vec<String> {
    vec![word.to_owned(), word.to_lowercase(), data_encoding::HEXLOWER.encode(word.as_bytes())]
}

/// An identifier as text and as bytes.
fn forms_of_id(id: Uuid) -> Vec<String> {
    vec![id.to_string(), id.simple().to_string()]
}

/// How many stored files hold the word as it is.
fn stored(portal: &Portal) -> usize {
    let folder = portal.files().join(portal.city.to_string());
    let files =
        std::fs::read_dir(folder).into_iter().flatten().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    files.filter(|bytes| bytes.windows(WORD.len()).any(|window| window == WORD.as_bytes())).count()
}

async fn write(agent: &mut Client, desk: &str) {
    for (tab, field) in [("messages", "message"), ("notes", "note")] {
        let form = agent.get(&format!("{desk}?onglet={tab}")).await.is(200).form(field).with(field, WORD);
        agent.post_form(&format!("{desk}/{tab}"), &form.fields).await.is(303);
    }
    let form = agent.get(&format!("{desk}/echanges")).await.is(200).form("texte");
    let fields = [("canal", "letter"), ("sens", "recu"), ("texte", WORD), ("qui", WORD), ("partage", "oui")];
    let form = fields.iter().fold(form, |form, (name, value)| form.with(name, value));
    let scan = [PDF, WORD.as_bytes()].concat();
    agent.upload(&form.action, &form.fields, &[("document.fichier", "Pamplemousse.pdf", &scan)]).await.is(303);
    let path = format!("{desk}/courrier");
    let form =
        agent.get(&path).await.is(200).form("texte").with("objet", WORD).with("texte", WORD).with("action", "apercu");
    let page = agent.post_form(&path, &form.fields).await.is(200);
    agent.post_form(&path, &page.form("texte").with("action", "envoyer").fields).await.is(303);
}

/// A request that everybody wrote about: its usager, its agents, who was asked, who approves; with a letter, a scan,
/// SMS, another that it led to, a mark.
async fn through_everything(portal: &Portal) -> (Client, Filed) {
    crate::contacts::sms::declare(portal, "http://127.0.0.1:1/sendsms", &[]).await;
    let mut person = portal.usager(USAGER).await;
    let told = async |tx: &mut db::Tx| {
        tx.run(
            sql!(
                "insert into sms_number (authority_id, account_id, number, asked_at, tries, confirmed_at, failures)
                 select $1, id, $3, $4, 0, $4, 0 from account where authority_id = $1 and email = $2 and kind = 'usager'"
            ),
            args![tx.authority(), USAGER, NUMBER, portal.app.clock.now()],
        )
        .await
    };
    assert_eq!(portal.db().write(told).await.unwrap(), 1);
    let mut answers = portal.sample("certificat-alignement").await;
    answers.set("terrain.numero_voie", format!("12 rue {WORD}"));
    let filed = person.file("certificat-alignement", &answers).await;
    let desk = format!("/agent/demandes/{}", filed.id);
    let mut guillaume = portal.agent("guillaume.perez").await;
    act(&mut guillaume, &desk, "mark-complete", &[]).await.is(303);
    // Opinions: of another department, of somebody outside.
    act(&mut guillaume, &desk, "consult", &[]).await.is(303);
    let path = consultations::asked(portal, filed.id, "voirie").await;
    let mut thierry = portal.agent("thierry.kowalski").await;
    let file = [PDF, WORD.as_bytes()].concat();
    thierry
        .upload(&path, &consultations::fields("favourable", WORD), &[("fichier", "Pamplemousse.pdf", &file)])
        .await
        .is(303);
    guichet::requests::timers::tick(&portal.app).await.unwrap();
    let ask = format!("{desk}/avis/demander");
    let form = guillaume.get(&ask).await.is(200).form("question");
    let fields =
        [("destinataire", "exterieur"), ("nom", WORD), ("courriel", "pamplemousse@exemple.fr"), ("question", WORD)];
    let form = fields.iter().fold(form, |form, (name, value)| form.with(name, value));
    guillaume.post_form(&ask, &form.fields).await.is(303);
    write(&mut guillaume, &desk).await;
    // A page of the post.
    let batch = post::batch(portal, &mut guillaume, &[("Pamplemousse.pdf", &pdf(&[WORD]))]).await;
    post::settle(
        &mut guillaume,
        &format!("{batch}/documents/1"),
        &[("reference", &filed.reference), ("partage", "oui"), ("texte", WORD)],
    )
    .await
    .is(303);
    // What an agent answers, and who approves it.
    act(&mut guillaume, &desk, "propose", &[("saisie.constat", WORD)]).await.is(303);
    let (mut maud, mut anne) = (portal.agent("maud.etienne").await, portal.agent("anne-sophie.lhermitte").await);
    let step = approvals::step(portal, filed.id, "voirie").await;
    maud.post(&step, &[("visa", "oui"), ("raison", WORD)]).await.is(303);
    let step = approvals::step(portal, filed.id, "urbanisme").await;
    anne.post(&step, &[("visa", "oui"), ("raison", WORD)]).await.is(303);
    act(&mut anne, &desk, "accept", &[]).await.is(303);
    // This circuit lets nobody add to what was approved; others do.
    portal.direct(vec![format!("update decision set facts = '{WORD}'")]).await;
    let offer = sql!(
        "insert into linked_request (authority_id, id, request_id, start, procedure_id, title, offered_at) values ($1, $2, $3, 'x', 'acte-naissance', $4, $5)"
    );
    let (id, now) = (Uuid::new_v4(), portal.app.clock.now());
    portal
        .db()
        .write(async |tx: &mut db::Tx| tx.run(offer, args![tx.authority(), id, filed.id, WORD, now]).await)
        .await
        .unwrap();
    act(&mut guillaume, &desk, "close", &[]).await.is(303);
    portal.work().await;
    person.post(&format!("/demandes/{}/avis", filed.id), &[("note", "2"), ("commentaire", WORD)]).await.is(303);
    (person, filed)
}

both! {
    async fn what_a_whole_life_wrote_goes_with_it(portal: Portal) {
        let (_person, filed) = through_everything(&portal).await;
        let words = [forms_of(WORD), forms_of(NUMBER)].concat();
        let before = places(&portal, &forms_of(WORD)).await;
        for place in [
            "request.answers", "request.given", "message.body", "contact.who", "letter.content", "letter.title", "consultation.question", "consultation.answer",
            "consultation.expert_name", "consultation.expert_email", "approval_step.reason", "opinion.comment", "linked_request.title", "decision.facts", "file.name", "outbox.recipient",
        ] {
            assert!(before.contains(&place.to_owned()), "the test writes nothing in {place}: {before:?}");
        }
        assert!(places(&portal, &forms_of(NUMBER)).await.contains(&"sms.number".to_owned()));
        let known = places(&portal, &forms_of_id(filed.id)).await;
        assert!(known.len() > 15 && stored(&portal) > 2, "{known:?}");

        // A month later, the batch that its page came from has gone by itself; then its retention is over.
        portal.later(SignedDuration::from_hours(24 * 40));
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        crate::erasure::age(&portal);
        guichet::requests::sweep::all(&portal.app).await.unwrap();
        portal.work().await;
        let rows = async |tx: &mut db::Tx| purge::rows(tx, filed.id).await;
        assert_eq!(portal.db().write(rows).await.unwrap(), purge::Purge::Gone);
        let visit = guichet::work::visit(&portal.app, portal.city).await.unwrap();
        purge::rest(&visit, filed.id).await.unwrap();

        let left = places(&portal, &words).await;
        // The number is still its owner's, who chose to be told there.
        assert_eq!(left, ["sms_number.number"], "words of the request");
        assert_eq!(places(&portal, &forms_of_id(filed.id)).await, Vec::<String>::new(), "its identifier");
        assert_eq!(places(&portal, std::slice::from_ref(&filed.reference)).await, Vec::<String>::new(), "its reference");
        assert_eq!(stored(&portal), 0);
        // And the number goes with the account's choice.
        let mut person = portal.usager(USAGER).await;
        person.post("/compte/sms/arreter", &[]).await.is(303);
        assert_eq!(places(&portal, &forms_of(NUMBER)).await, Vec::<String>::new());
    }

    /// What waits to be sent when its request goes is sent no more, and says nothing of it.
    async fn what_waits_goes_too(portal: Portal) {
        crate::contacts::sms::declare(&portal, "http://127.0.0.1:1/sendsms", &[]).await;
        let mut person = portal.usager(USAGER).await;
        let told = async |tx: &mut db::Tx| {
            tx.run(
                sql!(
                    "insert into sms_number (authority_id, account_id, number, asked_at, tries, confirmed_at, failures)
                     select $1, id, $3, $4, 0, $4, 0 from account where authority_id = $1 and email = $2 and kind = 'usager'"
                ),
                args![tx.authority(), USAGER, NUMBER, portal.app.clock.now()],
            )
            .await
        };
        portal.db().write(told).await.unwrap();
        let filed = person.file("acte-naissance", &birth()).await;
        portal.work().await;
        let waiting: i64 = portal.db().one(sql!("select count(*) from job where authority_id = $1 and done_at is null and kind = 'sms'"), args![portal.city]).await.unwrap();
        assert_eq!(waiting, 1);
        person.post(&format!("/demandes/{}/annuler", filed.id), &[]).await.is(303);
        portal.work().await;
        let rows = async |tx: &mut db::Tx| purge::rows(tx, filed.id).await;
        assert_eq!(portal.db().write(rows).await.unwrap(), purge::Purge::Gone);
        let visit = guichet::work::visit(&portal.app, portal.city).await.unwrap();
        purge::rest(&visit, filed.id).await.unwrap();
        assert_eq!(places(&portal, &forms_of_id(filed.id)).await, Vec::<String>::new());
    }
}
