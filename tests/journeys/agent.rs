//! Agents at work: taking charge, asking, deciding, refusing.

use crate::harness::{Client, Engine, Page, Portal, USAGER, both, journey::birth};

/// Opens the page of an action and sends it with these fields.
/// Carries an action out by its own page.
pub async fn act(agent: &mut Client, request: &str, action: &str, fields: &[(&str, &str)]) -> Page {
    let page = agent.get(&format!("{request}/actions/{action}")).await.is(200);
    let mut form = page.form("version");
    for (name, value) in fields {
        form = form.with(name, value);
    }
    agent.post_form(&page.path, &form.fields).await
}

both! {
    /// The state, the answers and the draft that held them go together.
    async fn a_correction_is_sent_whole_or_not_at_all(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let (mine, theirs) = (format!("/demandes/{}", filed.id), format!("/agent/demandes/{}", filed.id));
        let mut nadia = portal.agent("nadia.benali").await;
        act(&mut nadia, &theirs, "take", &[]).await.is(303);
        act(&mut nadia, &theirs, "ask", &[("champs", "titulaire"), ("message", "Le prénom ?"), ("jours", "15")]).await.is(303);
        let path = person.get(&format!("{mine}/repondre?vers=la-personne-concernee")).await.is(303).location().to_owned();
        let mut corrected = birth();
        corrected.set("titulaire.prenoms", "Camille Zoëlle");
        let check = person.answer(&path, &corrected).await;
        let fields = person.get(&check).await.is(200).form("version").fields;
        // The draft cannot go.
        let (make, drop) = match portal.engine {
            Engine::Sqlite => (vec!["create trigger stuck before delete on draft begin select raise(abort, 'stuck'); end"], vec!["drop trigger stuck"]),
            Engine::Postgres => (
                vec![
                    "create function stuck() returns trigger language plpgsql as 'begin raise exception ''stuck''; end'",
                    "create trigger stuck before delete on draft for each row execute function stuck()",
                ],
                vec!["drop trigger stuck on draft"],
            ),
        };
        portal.direct(make.into_iter().map(str::to_owned).collect()).await;
        let body = crate::harness::urlencoded(&fields);
        let kind = "application/x-www-form-urlencoded";
        let page = person.try_send(reqwest::Method::POST, &check, |request| request.header("content-type", kind).body(body)).await.unwrap();
        assert_eq!(page.status, 500, "{}", page.words());
        nadia.get(&theirs).await.is(200).shows("En attente de l'usager").hides("Zoëlle");
        portal.direct(drop.into_iter().map(str::to_owned).collect()).await;
        person.post_form(&check, &fields).await.leads_to(&format!("{mine}?fait=repondu"));
        nadia.get(&theirs).await.is(200).shows("Zoëlle");
    }

    async fn a_request_is_entrusted_to_a_colleague(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let (one, two, three) = (person.file("acte-naissance", &birth()).await, person.file("acte-naissance", &birth()).await, person.file("acte-naissance", &birth()).await);
        let theirs = format!("/agent/demandes/{}", one.id);
        let path = format!("{theirs}/confier");
        let (mut nadia, mut herve) = (portal.agent("nadia.benali").await, portal.agent("herve.le-goff").await);
        // Each sees that the other is at work, before either holds it.
        nadia.get(&theirs).await.is(200).hides("travaille sur ce dossier").shows("Confier à un collègue");
        herve.get(&theirs).await.is(200).shows("Nadia Benali travaille sur ce dossier");
        herve.get(&format!("{theirs}/actions/take")).await.is(200).shows("Nadia Benali travaille sur ce dossier");

        let page = nadia.get(&path).await.is(200).shows("Hervé Le Goff").hides("Fatoumata");
        let form = page.form("une-fois");
        let wrong = nadia.post_form(&path, &form.clone().with("note", "Tu le connais mieux.").fields).await.is(422).shows("Choisissez à qui");
        assert_eq!(wrong.form("une-fois").value("note"), "Tu le connais mieux.");
        let option = |page: &Page, name: &str| {
            let tags = crate::harness::html::tags(page.html());
            tags.iter().find(|tag| tag.name == "option" && crate::harness::html::decode(tag.after).starts_with(name)).unwrap().get("value").to_owned()
        };
        let to = option(&page, "Hervé Le Goff");
        let chosen = wrong.form("une-fois").with("collegue", &to);
        let mut third = portal.agent("claire.daubigny").await;
        let late = third.get(&path).await.is(200).form("une-fois").with("collegue", &to).with("note", "Il faut le livret.");
        nadia.post_form(&path, &chosen.fields).await.leads_to(&format!("{theirs}?fait=confie"));
        nadia.post_form(&path, &chosen.fields).await.is(303);
        // Another colleague did the same a little later: what they had to say is not lost.
        third.post_form(&path, &late.fields).await.leads_to(&format!("{theirs}?fait=confie"));
        nadia.get(&format!("{theirs}?fait=confie")).await.is(200).shows("Le dossier est confié").shows("pris en charge par Hervé Le Goff depuis le 17 novembre 2026");
        herve.get(&format!("{theirs}?onglet=historique")).await.is(200).shows("Dossier confié à Hervé Le Goff").shows("Nadia Benali");
        let notes = herve.get(&format!("{theirs}?onglet=notes")).await.is(200).shows("Tu le connais mieux.").shows("Il faut le livret.");
        assert_eq!(notes.words().matches("Tu le connais mieux.").count(), 1);
        portal.work().await;
        let told: Vec<_> = portal.outbox().await.into_iter().filter(|(_, subject, _)| subject.contains("vous sont confiés")).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].2.contains("Nadia Benali vous confie le dossier") && told[0].2.contains(&one.reference), "{told:?}");
        person.get(&format!("/demandes/{}", one.id)).await.is(200).hides("Hervé").hides("Tu le connais");
        // Whoever looked at it before it moved learns that it did.
        nadia.post_form(&path, &form.with("collegue", &option(&page, "Claire")).fields).await.is(422).shows("changer de mains");

        // Several, in one mail.
        let several = format!("/agent/lot?d={}&d={}", two.id, three.id);
        nadia.get(&format!("{several}&action=confier&collegue=")).await.is(422).shows("Choisissez à qui confier ces dossiers");
        let shown = nadia.get(&format!("{several}&action=confier&collegue={to}")).await.is(200).shows("Confier les dossiers à Hervé Le Goff").shows("Confirmer pour 2 dossiers");
        let form = shown.form("collegue");
        nadia.post_form("/agent/lot", &form.fields).await.is(200).shows("Confier les dossiers à Hervé Le Goff : 2 dossiers");
        nadia.post_form("/agent/lot", &form.fields).await.is(200);
        portal.work().await;
        let told: Vec<_> = portal.outbox().await.into_iter().filter(|(_, subject, _)| subject.contains("vous sont confiés")).collect();
        assert_eq!(told.len(), 2);
        assert!(told[1].2.contains("Nadia Benali vous confie 2 dossiers"), "{told:?}");
        herve.get("/agent?vue=mes-dossiers").await.is(200).shows(&one.reference).shows(&two.reference).shows(&three.reference);
    }

    async fn from_taking_charge_to_the_decision(portal: Portal) {
        let mut person = portal.usager(USAGER).await;
        let filed = person.file("acte-naissance", &birth()).await;
        let (mine, theirs) = (format!("/demandes/{}", filed.id), format!("/agent/demandes/{}", filed.id));

        let mut nadia = portal.agent("nadia.benali").await;
        nadia.get("/agent").await.is(200).shows(&filed.reference).shows("Demander un acte de naissance");
        nadia.get(&theirs).await.is(200).shows("À prendre en charge").shows("Zéphyrine");
        let done = act(&mut nadia, &theirs, "take", &[]).await;
        nadia.follow(&done).await.is(200).shows("C'est fait : Prendre en charge").shows("Pris en charge par vous");
        person.get(&mine).await.is(200).shows("En cours de traitement").hides("Nadia");

        act(&mut nadia, &theirs, "ask", &[("jours", "15")]).await.is(422).shows("Cochez au moins une pièce");
        let done = act(&mut nadia, &theirs, "ask", &[("champs", "titulaire"), ("message", "Le second prénom est illisible sur le registre."), ("jours", "15")]).await;
        nadia.follow(&done).await.is(200).shows("En attente de l'usager depuis le 17 novembre 2026");

        person.get(&mine).await.is(200).shows("Le second prénom est illisible").shows("2 décembre 2026").shows("De qui demandez-vous l'acte");
        let path = person.get(&format!("{mine}/repondre?vers=la-personne-concernee")).await.is(303).location().to_owned();
        let mut corrected = birth();
        corrected.set("titulaire.prenoms", "Camille Zoëlle");
        let check = person.answer(&path, &corrected).await;
        let page = person.get(&check).await.is(200).shows("Vos modifications ne sont pas encore envoyées").shows("Zoëlle");
        let sent = person.post_form(&check, &page.form("version").fields).await.leads_to(&format!("{mine}?fait=repondu"));
        person.follow(&sent).await.is(200).shows("Votre réponse est envoyée").shows("Zoëlle");

        // A processor decides nothing; a decider may be somebody else than the holder.
        nadia.get(&format!("{theirs}/actions/accept")).await.is(403);
        let mut herve = portal.agent("herve.le-goff").await;
        herve.get(&theirs).await.is(200).shows("Pour Camille Zoëlle Martin");
        herve.get("/agent?vue=toutes").await.is(200).shows("pour Camille Zoëlle Martin");
        let done = act(&mut herve, &theirs, "accept", &[("faits", "La copie part ce jour par courrier.")]).await;
        herve.follow(&done).await.is(200).shows("Accepter");
        person.get(&mine).await.is(200).shows("Acceptée").shows("La copie part ce jour").shows("Hervé Le Goff").shows("Officier de l’état civil délégué").shows("Service de l’état civil");

        for action in ["notify", "close"] {
            act(&mut nadia, &theirs, action, &[]).await.leads_to(&format!("{theirs}?fait={action}"));
        }
        person.get(&mine).await.is(200).shows("Terminée").hides("Annuler ma demande");
        nadia.get(&theirs).await.is(200).shows("Clôturée");
        let file = nadia.get(&format!("{theirs}/dossier.pdf")).await.is(200);
        assert!(file.bytes.starts_with(b"%PDF"));

        let subjects: Vec<String> = portal.outbox().await.into_iter().map(|(_, subject, _)| subject.replace(&filed.reference, "R")).collect();
        assert_eq!(subjects.len(), 4, "received, taken, asked, decided: {subjects:?}");
    }

    async fn a_refusal_says_why_and_where_to_appeal(portal: Portal) {
        let mut person = portal.client();
        let filed = person.file("acte-naissance", &birth()).await;
        let theirs = format!("/agent/demandes/{}", filed.id);
        let mut herve = portal.agent("herve.le-goff").await;
        for (missing, kept) in [("motif", "faits"), ("faits", "recours"), ("recours", "motif")] {
            let mut fields = vec![("motif", "Décret n° 2017-890, article 30"), ("faits", "Aucun acte à ce nom."), ("recours", "Deux mois, tribunal administratif.")];
            fields.iter_mut().filter(|(name, _)| *name == missing).for_each(|(_, value)| *value = " ");
            let page = act(&mut herve, &theirs, "refuse", &fields).await.is(422);
            let typed = fields.iter().find(|(name, _)| *name == kept).unwrap().1;
            assert_eq!(page.form("version").value(kept), typed, "what was typed stays");
        }
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).hides("Refusée");
        // The appeal routes are proposed.
        let page = herve.get(&format!("{theirs}/actions/refuse")).await;
        assert!(page.form("version").value("recours").contains("tribunal administratif"));
        let done = act(&mut herve, &theirs, "refuse", &[("motif", "Décret n° 2017-890, article 30"), ("faits", "Aucun acte à ce nom.")]).await;
        herve.follow(&done).await.is(200).shows("Refusée");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).shows("Refusée").shows("article 30").shows("Aucun acte à ce nom").shows("tribunal administratif").shows("Hervé Le Goff");

        let mails = portal.outbox().await;
        assert_eq!(mails.len(), 2);
        assert!(mails.iter().all(|(_, subject, body)| !format!("{subject}{body}").contains("Aucun acte") && !body.contains("article 30")), "{mails:?}");
    }

    async fn notes_stay_inside_and_messages_are_announced(portal: Portal) {
        let mut person = portal.client();
        let filed = person.file("acte-naissance", &birth()).await;
        let (mine, theirs) = (format!("/demandes/{}", filed.id), format!("/agent/demandes/{}", filed.id));
        let mut nadia = portal.agent("nadia.benali").await;
        let page = nadia.get(&format!("{theirs}?onglet=notes")).await.is(200);
        let form = page.form("note").with("note", "Registre de 1989, feuillet abîmé");
        for _ in 0..2 {
            nadia.post_form(&form.action, &form.fields).await.is(303);
        }
        let page = nadia.get(&format!("{theirs}?onglet=notes")).await.shows("feuillet abîmé");
        assert_eq!(page.words().matches("feuillet abîmé").count(), 1);
        let form = nadia.get(&format!("{theirs}?onglet=messages")).await.form("message").with("message", "Votre acte est retrouvé, patience.");
        nadia.post_form(&form.action, &form.fields).await.is(303);
        person.get(&mine).await.shows("Votre acte est retrouvé").hides("feuillet abîmé");
        let mails = portal.outbox().await;
        assert_eq!(mails.len(), 2);
        assert!(mails.iter().all(|(_, _, body)| !body.contains("retrouvé")));

        let form = person.get(&mine).await.form("message").with("message", "Merci beaucoup");
        person.post_form(&form.action, &form.fields).await.is(303);
        nadia.get(&format!("{theirs}?onglet=messages")).await.shows("Merci beaucoup");
        person.get(&mine).await.shows("Lu");
    }
}
