//! What is no longer in current use becomes an archive: all of it, in time, and nothing else.

use db::{args, sql};
use guichet::requests::sweep;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::harness::{Engine, Filed, Portal, both, journey::question};

/// A question to the town hall, taken back the same day: kept three months.
async fn taken_back(portal: &Portal) -> Filed {
    let mut person = portal.client();
    let filed = person.file("demande-information", &question("Finalement non")).await;
    person.post(&format!("/demandes/{}/annuler", filed.id), &[]).await.is(303);
    filed
}

async fn archive_at(portal: &Portal, request: Uuid) -> Option<Timestamp> {
    portal
        .db()
        .one(sql!("select archive_at from request where authority_id = $1 and id = $2"), args![portal.city, request])
        .await
        .unwrap()
}

async fn archived(portal: &Portal) -> i64 {
    portal
        .db()
        .one(
            sql!("select count(*) from request where authority_id = $1 and state = 'archived' and archive_at is null"),
            args![portal.city],
        )
        .await
        .unwrap()
}

/// The same request again, as if it had ended at another time.
async fn again(portal: &Portal, of: Uuid, ended: Timestamp, archive_at: Timestamp) {
    let id = portal.app.clock.id();
    portal
        .db()
        .write(async |tx: &mut db::Tx| {
            tx.run(
                sql!(
                    "insert into request (authority_id, id, reference, procedure_id, procedure_version, department_id, answers, state, status, ended,
                       submitted_at, updated_at, due_at, ended_at, archive_at, version)
                     select authority_id, $3, $4, procedure_id, procedure_version, department_id, answers, state, status, ended,
                       submitted_at, updated_at, due_at, $5, $6, version from request where authority_id = $1 and id = $2"
                ),
                args![tx.authority(), of, id, id.to_string(), ended, archive_at],
            )
            .await?;
            Ok::<(), db::Error>(())
        })
        .await
        .unwrap();
}

both! {
    async fn from_the_morning_after_its_current_use(portal: Portal) {
        let filed = taken_back(&portal).await;
        // Ended on 17 November: in current use until 17 February, in Paris.
        let from: Timestamp = "2027-02-17T23:00:00Z".parse().unwrap();
        assert_eq!(archive_at(&portal, filed.id).await, Some(from));
        portal.later(from.duration_since(portal.app.clock.now()) - SignedDuration::from_secs(1));
        assert_eq!(sweep::archive(&portal.app, portal.city).await.unwrap(), 0, "not before its time");
        portal.later(SignedDuration::from_secs(1));
        assert_eq!(sweep::archive(&portal.app, portal.city).await.unwrap(), 1);
        assert_eq!((archived(&portal).await, archive_at(&portal, filed.id).await), (1, None));
        assert_eq!(sweep::archive(&portal.app, portal.city).await.unwrap(), 0, "once");
        let history: Vec<(String, String, Option<String>)> = portal
            .db()
            .all(
                sql!("select actor, code, to_state from request_event where authority_id = $1 and request_id = $2 order by seq desc limit 1"),
                args![portal.city, filed.id],
            )
            .await
            .unwrap();
        assert_eq!(history, [("system".to_owned(), "archive".to_owned(), Some("archived".to_owned()))]);
    }

    async fn all_that_is_due_however_much_else_is_older(portal: Portal) {
        let filed = taken_back(&portal).await;
        let now = portal.app.clock.now();
        let days = |days: i64| now.checked_add(SignedDuration::from_hours(24 * days)).unwrap();
        // Many ended long ago, which are kept for years; more than one batch that is due, several at once.
        for index in 0..60 {
            again(&portal, filed.id, days(-900 + index), days(1000)).await;
        }
        for index in 0..120 {
            again(&portal, filed.id, days(-100), days(-1 - index % 2)).await;
        }
        assert_eq!(sweep::archive(&portal.app, portal.city).await.unwrap(), 120);
        assert_eq!(archived(&portal).await, 120);
        assert_eq!(sweep::archive(&portal.app, portal.city).await.unwrap(), 0);
        let events: i64 = portal
            .db()
            .one(sql!("select count(*) from request_event where authority_id = $1 and code = 'archive'"), args![portal.city])
            .await
            .unwrap();
        assert_eq!(events, 120);
    }

    async fn what_is_reopened_is_in_use(portal: Portal) {
        let mut person = portal.client();
        let filed = person.file("acte-naissance", &crate::harness::journey::birth()).await;
        assert_eq!(archive_at(&portal, filed.id).await, None);
        let mut herve = portal.agent("herve.le-goff").await;
        for (action, known) in [("dismiss", true), ("reopen", false)] {
            let path = format!("/agent/demandes/{}/actions/{action}", filed.id);
            let form = herve.get(&path).await.is(200).form("version").with("message", "Voici pourquoi.");
            herve.post_form(&path, &form.fields).await.is(303);
            assert_eq!(archive_at(&portal, filed.id).await.is_some(), known, "{action}");
        }
        portal.later(SignedDuration::from_hours(24 * 400));
        assert_eq!(sweep::archive(&portal.app, portal.city).await.unwrap(), 0);
    }
}
