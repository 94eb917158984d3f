//! Letters: read before they leave, signed by who may, made once, kept with the request.

use db::{args, sql};
use uuid::Uuid;

use crate::harness::{Client, Engine, Page, Portal, USAGER, both, html::Form, journey::Filed};

const BAR: &str = "debit-boissons-temporaire";
const LAW: &str = "Article L. 3335-1 du code de la santé publique";

/// A request for a bar, filed and taken in charge.
async fn bar(portal: &Portal, person: &mut Client, agent: &mut Client) -> Filed {
    let mut answers = portal.sample(BAR).await;
    answers.set("manifestation", "Tournoi #1 **de judo**");
    let filed = person.file(BAR, &answers).await;
    crate::journeys::agent::act(agent, &desk(&filed), "take", &[]).await.is(303);
    filed
}

fn desk(filed: &Filed) -> String {
    format!("/agent/demandes/{}", filed.id)
}

fn typed(form: &Form, fields: &[(&str, &str)]) -> Form {
    fields.iter().fold(form.clone(), |form, (name, value)| form.with(name, value))
}

/// Fires a transition that makes a letter: types, reads the letter again, confirms.
pub async fn send(agent: &mut Client, request: &str, action: &str, fields: &[(&str, &str)]) -> Page {
    send_as(agent, request, action, fields, "telle qu'elle partira").await
}

/// The same, where the page that is read again says `told`.
pub async fn send_as(agent: &mut Client, request: &str, action: &str, fields: &[(&str, &str)], told: &str) -> Page {
    let path = format!("{request}/actions/{action}");
    let form = typed(&agent.get(&path).await.is(200).form("version"), fields);
    let page = agent.post_form(&path, &form.fields).await;
    if page.status == 303 {
        return page;
    }
    let form = page.is(200).shows(told).form("version");
    agent.post_form(&path, &form.fields).await
}

/// The words of the letters that the usager finds on their page, the latest first.
pub async fn letters(person: &mut Client, filed: &Filed) -> Vec<String> {
    let page = person.get(&format!("/demandes/{}", filed.id)).await.is(200);
    let hrefs: Vec<String> = crate::harness::html::tags(page.html())
        .into_iter()
        .filter_map(|tag| Some(tag.get("href")).filter(|href| href.starts_with("/fichiers/")).map(str::to_owned))
        .collect();
    let mut texts = Vec::new();
    for href in hrefs {
        texts.push(crate::journeys::identity::text_of(&person.get(&href).await.is(200).bytes));
    }
    texts
}

both! {
    async fn a_decision_leaves_by_letter(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let path = format!("{}/actions/accept", desk(&filed));
        let page = marc.get(&path).await.is(200).shows("Arrêté autorisant une buvette temporaire").shows("Tournoi #1 **de judo**");
        assert!(page.html().contains("Par délégation, arrêté n° 2026-118"), "{}", page.words());
        // What is typed changes the letter: it is shown again before it leaves.
        let form = page.form("version").with("motivation", "Merci de prévoir des *gobelets*.");
        let page = marc.post_form(&path, &form.fields).await.is(200).shows("telle qu'elle partira").shows("des *gobelets*");
        let preview = marc.post_form(&format!("{path}/lettre.pdf"), &page.form("version").fields).await.is(200);
        let text = crate::journeys::identity::text_of(&preview.bytes);
        assert!(text.contains("des *gobelets*") && text.contains("Tournoi #1 **de judo**"), "{text}");
        assert!(letters(&mut person, &filed).await.is_empty());
        // Looking once more does nothing else, though the letter is the one that was read.
        let form = page.form("version");
        let page = marc.post_form(&path, &form.clone().with("apercu", "oui").fields).await.is(200).shows("des *gobelets*");
        assert_eq!(page.form("version").fields, form.fields);
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).hides("Acceptée");
        marc.post_form(&path, &form.fields).await.leads_to(&format!("{}?fait=accept", desk(&filed)));

        portal.work().await;
        let sent = letters(&mut person, &filed).await;
        assert_eq!(sent.len(), 1);
        for words in ["Ville de Valmont", &filed.reference, "Article 1er", "Marc Rinaldi", "délégué à la signature", "arrêté n° 2026-118", "gobelets"] {
            assert!(sent[0].contains(words), "no {words:?} in:\n{}", sent[0]);
        }
        let page = marc.get(&format!("{}?onglet=pieces", desk(&filed))).await.is(200).shows("Documents de la mairie").shows("Arrêté de buvette temporaire");
        assert!(!page.html().contains("Lettre n’a pas"));
        let mails = portal.outbox().await;
        assert!(mails.iter().any(|(_, subject, _)| subject.contains("décision")) && mails.iter().all(|(_, _, body)| !body.contains("judo")), "{mails:?}");
        // Taken away with the rest, and gone with the request.
        let (archive, _) = person.export().await;
        assert!(String::from_utf8_lossy(&archive).contains("Arrêté de buvette temporaire"));
    }

    async fn a_refusal_has_its_ground_and_its_appeal_in_the_letter(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let path = format!("{}/actions/refuse", desk(&filed));
        let form = marc.get(&path).await.is(200).form("version");
        let page = marc.post_form(&path, &typed(&form, &[("faits", "Une école est à dix mètres."), ("motivation", "Un autre lieu ?")]).fields).await.is(422).shows("Indiquez le motif de droit");
        assert_eq!(page.form("version").value("motivation"), "Un autre lieu ?");
        send(&mut marc, &desk(&filed), "refuse", &[("motif", LAW), ("faits", "Une école est à dix mètres.")]).await.leads_to(&format!("{}?fait=refuse", desk(&filed)));
        portal.work().await;
        let sent = letters(&mut person, &filed).await;
        for words in [LAW, "dix mètres", "tribunal administratif", "deux mois", "Marc Rinaldi", "Camille"] {
            assert!(sent[0].contains(words), "no {words:?} in:\n{}", sent[0]);
        }
    }

    async fn who_has_no_delegation_that_day_cannot_sign(portal: Portal) {
        let (mut person, mut marc, mut solene) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await, portal.agent("solene.petitjean").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let path = format!("{}/actions/accept", desk(&filed));
        let page = solene.get(&path).await.is(200).shows("Vous n'avez pas de délégation de signature en vigueur").shows("Marc Rinaldi, Directeur du commerce");
        let form = page.form("version");
        let refused = solene.post_form(&path, &form.with("motivation", "Gardé").fields).await.is(422);
        assert_eq!(refused.form("version").value("motivation"), "Gardé");
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).hides("Acceptée");
        // Ended yesterday: nobody may any more.
        let ended = portal.app.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date().yesterday().unwrap();
        portal
            .db()
            .write(async |tx: &mut db::Tx| {
                tx.run(sql!("update delegation set until_on = $1 where authority_id = $2"), args![ended, tx.authority()]).await
            })
            .await
            .unwrap();
        marc.get(&path).await.is(200).shows("Personne n'en a");
        let form = marc.get(&path).await.form("version");
        marc.post_form(&path, &form.fields).await.is(422);
        assert_eq!(portal.count("letter").await, 0);
    }

    /// The worker stops after the file is kept and before it says so: the next one finds the same file.
    async fn a_resumed_job_makes_one_document(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        portal.work().await;
        send(&mut marc, &desk(&filed), "accept", &[]).await.is(303);
        portal.work().await;
        portal
            .db()
            .write(async |tx: &mut db::Tx| {
                tx.run(sql!("update letter set made_at = null where authority_id = $1"), args![tx.authority()]).await?;
                let letter: Uuid = tx.one(sql!("select id from letter where authority_id = $1"), args![tx.authority()]).await?;
                tx.run(
                    sql!("update job set done_at = null, lease = null, payload = $1 where authority_id = $2 and kind = 'request-letter'"),
                    args![db::Json(serde_json::json!({"letter": letter})), tx.authority()],
                )
                .await
            })
            .await
            .unwrap();
        portal.work().await;
        assert_eq!(letters(&mut person, &filed).await.len(), 1);
        let unmade: i64 = portal.db().one(sql!("select count(*) from letter where authority_id = $1 and made_at is null"), args![portal.city]).await.unwrap();
        assert_eq!(unmade, 0);
    }

    async fn a_template_is_judged_when_it_is_saved_and_every_version_is_kept(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let path = "/agent/modeles/commerce/buvette-refus";
        assert!(marc.get("/agent/modeles").await.is(200).shows("Refus de buvette temporaire").shows("Texte commun").links_to(path));
        let page = marc.get(path).await.is(200).shows("Sur un exemple").shows("organisateur_nom").shows("Quelle manifestation organisez-vous");
        let form = page.form("texte").with("action", "enregistrer");
        let wrong = form.clone().with("texte", "Bonjour,\n{{ manifestaton }}\n{{ lieu_nom }}\n{% si boissons == \"rhum\" %}x{% fin %}");
        let again = marc.post_form(path, &wrong.fields).await.is(422).shows("Ligne 2").shows("{{ manifestation }}").shows("Ligne 3").shows("peut manquer").shows("Ligne 4");
        assert_eq!(again.form("texte").value("texte"), wrong.value("texte"), "nothing typed is lost");
        // A preview keeps nothing.
        let text = "Bonjour,\n\nNon pour **{{ manifestation }}** ! <script>\n\n{{ lettre.motivation }}";
        let tried = form.clone().with("texte", text).with("dossier", &filed.reference).with("action", "apercu");
        let page = marc.post_form(path, &tried.fields).await.is(200).shows("Sur le dossier").shows("Tournoi #1 **de judo**");
        assert!(page.html().contains("&lt;script&gt;") && !page.html().contains("<strong>Tournoi #1 **de judo**</strong> ! <script>"));
        let pdf = marc.post_form(&format!("{path}/apercu.pdf"), &tried.fields).await.is(200);
        assert!(crate::journeys::identity::text_of(&pdf.bytes).contains("Non pour Tournoi #1 **de judo**"));
        marc.get(path).await.is(200).hides("Non pour");
        // Another department's request is not shown in a preview.
        let mut nadia = portal.client();
        let other = nadia.file("acte-naissance", &crate::harness::journey::birth()).await;
        marc.post_form(path, &tried.clone().with("dossier", &other.reference).fields).await.is(200).shows("Aucun dossier de ce service");

        let saved = form.clone().with("texte", text);
        marc.post_form(path, &saved.fields).await.leads_to("/agent/modeles?fait=enregistre");
        // A colleague who wrote meanwhile loses nothing, and overwrites nothing unseen.
        let late = form.with("texte", "Autre texte");
        let page = marc.post_form(path, &late.fields).await.is(422).shows("Un collègue a enregistré la version 2");
        assert_eq!(page.form("texte").value("texte"), "Autre texte");
        marc.get(&format!("{path}?version=1")).await.is(200).shows("Vous voyez la version 1").shows("Je suis au regret");
        marc.get(path).await.is(200).shows("Non pour").shows("Version 2").shows("livrée avec la démarche");
        send(&mut marc, &desk(&filed), "refuse", &[("motif", LAW), ("faits", "Une école est trop près.")]).await.is(303);
        portal.work().await;
        let sent = letters(&mut person, &filed).await;
        assert!(sent[0].contains("Non pour Tournoi #1 **de judo** !") && sent[0].contains("tribunal administratif"), "{}", sent[0]);
        portal.agent("maelle.keller").await.get("/agent/journal").await.is(200).shows("Modèle de lettre, de courriel ou de SMS changé");
    }

    /// The procedure has a new question and its letter names it; a request of before cannot answer.
    async fn a_request_of_an_older_version_is_told_before_anything_is_sent(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let mut sources = guichet::catalogue::shipped().unwrap();
        sources.procedures.retain(|(name, _)| name.starts_with(BAR));
        let (_, text) = &mut sources.procedures[0];
        *text = text.replace("      - id: lieu_type\n", "      - id: surface\n        ask: Quelle surface ?\n        kind: number\n      - id: lieu_type\n");
        assert_eq!(guichet::catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap(), 1);
        portal.app.catalogue.refresh(portal.city);
        let path = "/agent/modeles/commerce/buvette-arrete";
        let form = marc.get(path).await.is(200).form("texte").with("action", "enregistrer");
        let body = format!("{}\n\nSurface : {{{{ surface }}}}", form.value("texte"));
        marc.post_form(path, &form.with("texte", &body).fields).await.leads_to("/agent/modeles?fait=enregistre");

        let action = format!("{}/actions/accept", desk(&filed));
        let page = marc.get(&action).await.is(200).shows("ne convient pas à cette demande").shows("surface").shows("Prendre la version 1");
        let form = page.form("version").with("motivation", "Gardé");
        marc.post_form(&action, &form.fields).await.is(422).shows("ne convient pas");
        portal.work().await;
        assert_eq!(portal.count("letter").await, 0);
        person.get(&format!("/demandes/{}", filed.id)).await.is(200).hides("Acceptée");
        // The version that suits it may still be sent, knowingly, as long as the present one does not.
        let form = marc.get(&format!("{action}?modele=1")).await.is(200).shows("version 1 du modèle, plus ancienne").form("version");
        let save = async |marc: &mut Client, text: &str| {
            let form = marc.get(path).await.is(200).form("texte").with("action", "enregistrer");
            marc.post_form(path, &form.with("texte", text).fields).await.leads_to("/agent/modeles?fait=enregistre");
        };
        save(&mut marc, "Nouvel arrêté pour {{ manifestation }}.").await;
        marc.post_form(&action, &form.fields).await.is(200).shows("telle qu'elle partira").shows("Nouvel arrêté").hides("plus ancienne");
        save(&mut marc, &body).await;
        let form = marc.get(&format!("{action}?modele=3")).await.is(200).shows("version 3 du modèle, plus ancienne").form("version");
        marc.post_form(&action, &form.fields).await.is(303);
        portal.work().await;
        assert_eq!(letters(&mut person, &filed).await.len(), 1);

        // And a procedure that no longer asks what its letter names is not published.
        let (_, text) = &mut sources.procedures[0];
        *text = text.replace("      - id: surface\n        ask: Quelle surface ?\n        kind: number\n", "");
        let told = guichet::catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap_err().to_string();
        assert!(told.contains("buvette-arrete") && told.contains("surface"), "{told}");
    }

    /// What the agent answers in the very action is what its letter says, not what was answered before.
    async fn a_letter_knows_what_its_agent_answers(portal: Portal) {
        let mut sources = guichet::catalogue::shipped().unwrap();
        sources.procedures.retain(|(name, _)| name.starts_with(BAR));
        let letter = sources.shared.files.get_mut("letters/buvette-arrete.yaml").unwrap();
        letter.push_str("\n  {% si answered(surface) %}\n  Surface : {{ surface }}\n  {% fin %}\n");
        let (_, text) = &mut sources.procedures[0];
        *text = text.replace("    - id: accept\n", "    - id: accept\n      form:\n        - {id: surface, ask: Quelle surface ?, kind: number, optional: true}\n");
        assert_eq!(guichet::catalogue::publish(&portal.db(), &sources, portal.app.clock.now()).await.unwrap(), 1);
        portal.app.catalogue.refresh(portal.city);
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let path = format!("{}/actions/accept", desk(&filed));
        let page = marc.get(&path).await.is(200).shows("Quelle surface ?").hides("Surface : ");
        let form = page.form("version").with("saisie.surface", "12");
        let page = marc.post_form(&path, &form.fields).await.is(200).shows("telle qu'elle partira").shows("Surface : 12");
        let pdf = marc.post_form(&format!("{path}/lettre.pdf"), &page.form("version").fields).await.is(200);
        assert!(crate::journeys::identity::text_of(&pdf.bytes).contains("Surface : 12"));
        marc.post_form(&path, &page.form("version").fields).await.is(303);
        portal.work().await;
        assert!(letters(&mut person, &filed).await[0].contains("Surface : 12"));
    }

    async fn a_department_words_its_own_mails(portal: Portal) {
        let (mut person, mut marc) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let path = "/agent/modeles/commerce/courriel-decision";
        let page = marc.get(path).await.is(200).shows("Vous pouvez la lire sur la page de suivi");
        let form = page.form("texte").with("action", "enregistrer");
        let wrong = form.clone().with("objet", "{{ demande.demarche }}").with("texte", "Bonjour {{ usager.nom }}, {{ decision.motif }}");
        marc.post_form(path, &wrong.fields).await.is(422).shows("« usager.nom »").shows("« decision.motif »").shows("« demande.demarche »");
        let right = form.with("objet", "Buvette : {{ demande.reference }}").with("texte", "Bonjour,\n\nVotre {{ demande.demarche }} attend.\n- {{ service.nom }}");
        marc.post_form(path, &right.fields).await.leads_to("/agent/modeles?fait=enregistre");
        send(&mut marc, &desk(&filed), "accept", &[]).await.is(303);
        let mails = portal.outbox().await;
        let (_, subject, body) = mails.last().unwrap();
        assert_eq!(subject, &format!("Buvette : {}", filed.reference));
        assert!(body.contains("Votre Demander une buvette temporaire attend.\n\n– Service") && body.contains(&format!("/demandes/{}", filed.id)), "{body}");
    }

    async fn letters_to_post_are_one_file_and_posted_once(portal: Portal) {
        let (mut person, mut marc) = (portal.client(), portal.agent("marc.rinaldi").await);
        let mut answers = portal.sample(BAR).await;
        answers.clear("courriel");
        let mut filed = Vec::new();
        for name in ["Loto", "Kermesse"] {
            answers.set("manifestation", name);
            let one = person.file(BAR, &answers).await;
            crate::journeys::agent::act(&mut marc, &desk(&one), "take", &[]).await.is(303);
            // No e-mail: proposed by post.
            send(&mut marc, &desk(&one), "refuse", &[("motif", LAW), ("faits", "Trop tard.")]).await.is(303);
            filed.push(one);
        }
        let page = marc.get("/agent/courriers/demandes").await.is(200).shows(&filed[0].reference).shows(&filed[1].reference);
        let form = page.form("lettre");
        let pdf = marc.post_form("/agent/courriers/demandes/imprimer", &form.fields).await.is(200);
        let text = crate::journeys::identity::text_of(&pdf.bytes);
        assert!(text.contains("Loto") && text.contains("Kermesse") && text.matches("Page 1 /").count() == 2, "{text}");
        // Elsewhere nobody sees them.
        portal.agent("nadia.benali").await.get("/agent/courriers/demandes").await.is(200).hides(&filed[0].reference);
        marc.post_form("/agent/courriers/demandes/postes", &form.fields).await.leads_to("/agent/courriers/demandes?fait=postees");
        marc.post_form("/agent/courriers/demandes/postes", &form.fields).await.leads_to("/agent/courriers/demandes?fait=aucune");
        marc.get("/agent/courriers/demandes").await.is(200).shows("Aucune lettre n'attend");
        let page = marc.get(&format!("{}?onglet=historique", desk(&filed[0]))).await.is(200);
        assert_eq!(page.words().matches("Lettre postée").count(), 1);
    }

    async fn the_register_of_delegations_opens_and_ends_a_right_to_sign(portal: Portal) {
        let (mut person, mut marc, mut solene) = (portal.usager(USAGER).await, portal.agent("marc.rinaldi").await, portal.agent("solene.petitjean").await);
        let filed = bar(&portal, &mut person, &mut marc).await;
        let new = marc.get("/agent/delegations").await.is(200).shows("arrêté n° 2026-118");
        assert!(new.links_to("/agent/delegations/nouvelle?service=commerce"));
        let path = "/agent/delegations/nouvelle?service=commerce";
        let page = marc.get(path).await.is(200);
        let solene_id: Uuid = portal.db().one(sql!("select id from account where authority_id = $1 and email = 'solene.petitjean@valmont.example'"), args![portal.city]).await.unwrap();
        let solene_id = solene_id.to_string();
        let form = typed(&page.form("ligne"), &[
            ("agent", &solene_id), ("qualite", "Adjointe au maire déléguée au commerce"), ("droit", "delegue"), ("acte", "arrêté n° 2026-200"), ("decisions", "favourable"),
            ("acte_date.jour", "10"), ("acte_date.mois", "11"), ("acte_date.annee", "2026"), ("debut.jour", "12"), ("debut.mois", "11"), ("debut.annee", "2026"),
        ]);
        let early = form.clone().with("debut.jour", "9");
        let page = marc.post_form(path, &early.fields).await.is(422).shows("avant la date de l'acte");
        assert_eq!(page.form("ligne").value("acte"), "arrêté n° 2026-200");
        for _ in 0..2 {
            marc.post_form(path, &form.fields).await.leads_to("/agent/delegations?fait=ajoutee");
        }
        // Corrected on the page before and sent again: said, not lost.
        marc.post_form(path, &form.clone().with("acte", "arrêté n° 2026-201").fields).await.is(422).shows("déjà au registre");
        marc.get("/agent/delegations").await.is(200).shows("Adjointe au maire déléguée au commerce").shows("Les accords seulement").hides("2026-201");
        solene.get(&format!("{}/actions/refuse", desk(&filed))).await.is(200).shows("Vous n'avez pas de délégation");
        send(&mut solene, &desk(&filed), "accept", &[]).await.is(303);
        portal.work().await;
        let sent = letters(&mut person, &filed).await;
        assert!(sent[0].contains("Adjointe au maire déléguée au commerce") && sent[0].contains("arrêté n° 2026-200"), "{}", sent[0]);
        person.get(&format!("/demandes/{}", filed.id)).await.shows("Adjointe au maire déléguée au commerce");

        let page = marc.get("/agent/delegations").await;
        let end = crate::harness::html::tags(page.html()).into_iter().map(|tag| tag.get("href").to_owned()).filter(|href| href.ends_with("/fin")).collect::<Vec<_>>();
        assert_eq!(end.len(), 2);
        let line: Uuid = portal.db().one(sql!("select id from delegation where authority_id = $1 and account_id = $2"), args![portal.city, solene_id.parse::<Uuid>().unwrap()]).await.unwrap();
        let path = format!("/agent/delegations/{line}/fin");
        let form = marc.get(&path).await.is(200).form("fin.jour");
        marc.post_form(&path, &form.clone().with("fin.jour", "1").fields).await.is(422).shows("Ce jour est passé");
        marc.post_form(&path, &form.with("fin.jour", "16").fields).await.leads_to("/agent/delegations?fait=terminee");
        let second = bar(&portal, &mut person, &mut marc).await;
        solene.get(&format!("{}/actions/accept", desk(&second))).await.is(200).shows("Vous n'avez pas de délégation").shows("Marc Rinaldi");
        marc.get("/agent/delegations").await.is(200).shows("Terminée");
    }
}
