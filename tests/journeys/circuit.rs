//! A procedure's own changes to a shared workflow: an action that the answers allow, and its questions.

use db::{args, sql};

use crate::harness::{Engine, Portal, both, journey::raw};

fn street(danger: &str) -> forms::answers::Raw {
    raw(&[
        ("nature", "eclairage"),
        ("description", "Le lampadaire penche."),
        ("danger", danger),
        ("lieu.numero_voie", "1 rue de la République"),
        ("lieu.code_postal", "96000"),
        ("lieu.commune", "Valmont"),
        ("suivi", "non"),
    ])
}

both! {
    async fn an_action_that_the_answers_allow_asks_its_own_questions(portal: Portal) {
        let mut person = portal.client();
        let calm = person.file("intervention-technique", &street("gene")).await;
        let danger = person.file("intervention-technique", &street("oui")).await;
        let mut agent = portal.agent("thierry.kowalski").await;
        let page = |id: &uuid::Uuid| format!("/agent/demandes/{id}");
        agent.get(&page(&calm.id)).await.is(200).shows("« Envoyer l’astreinte » n’est possible que si : « Est-ce dangereux pour les passants ? » est « Oui, quelqu’un peut se blesser »");
        agent.get(&format!("{}/actions/hurry", page(&calm.id))).await.is(409);

        let path = format!("{}/actions/hurry", page(&danger.id));
        agent.get(&page(&danger.id)).await.is(200).shows("Envoyer l’astreinte").hides("n’est possible que si");
        let form = agent.get(&path).await.is(200).shows("Quelle équipe part ?").form("version");
        let typed = form.clone().with("saisie.equipe_telephone", "12");
        let again = agent.post_form(&path, &typed.fields).await.is(422).form("version");
        assert!(again.fields.contains(&("saisie.equipe_telephone".to_owned(), "12".to_owned())), "{again:?}");
        let typed = again.with("saisie.equipe", "Équipe Zéphyr").with("saisie.equipe_telephone", "04 65 71 10 99");
        agent.post_form(&path, &typed.fields).await.is(303);
        agent.get(&page(&danger.id)).await.is(200).shows("Envoyer l’astreinte (").shows("Équipe Zéphyr").shows("04 65 71 10 99");
        let printed = agent.get(&format!("{}/dossier.pdf", page(&danger.id))).await.is(200);
        assert!(printed.bytes.starts_with(b"%PDF"));
        person.get(&format!("/demandes/{}", danger.id)).await.is(200).hides("Zéphyr");

        // It goes with the request.
        let rows = sql!("select count(*) from request_form where authority_id = $1 and request_id = $2");
        let count = async || -> i64 { portal.db().one(rows, args![portal.city, danger.id]).await.unwrap() };
        assert_eq!(count().await, 1);
        portal
            .db()
            .write(async |tx: &mut db::Tx| {
                tx.run(sql!("delete from request where authority_id = $1 and id = $2"), args![tx.authority(), danger.id]).await
            })
            .await
            .unwrap();
        assert_eq!(count().await, 0);
    }
}
