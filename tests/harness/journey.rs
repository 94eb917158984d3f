//! Filling in a procedure page after page, as a person does.

use std::collections::BTreeSet;

use forms::answers::Raw;
use guichet::catalogue;
use uuid::Uuid;

use super::{Client, Page, Portal, html::Form};

/// A request that was sent.
pub struct Filed {
    pub id: Uuid,
    pub reference: String,
    /// Tracking code, without an account.
    pub code: String,
    pub page: Page,
}

pub const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";
pub const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9";
pub const HEIC: &[u8] = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic\x00\x00\x00\x08mdat";

pub fn raw(answers: &[(&str, &str)]) -> Raw {
    let mut raw = Raw::default();
    for (name, value) in answers {
        raw.0.entry((*name).to_owned()).or_default().push((*value).to_owned());
    }
    raw
}

/// Asking for one's own birth certificate.
pub fn birth() -> Raw {
    raw(&[
        ("lieu", "ici"),
        ("usage", "mariage"),
        ("document", "copie"),
        ("exemplaires", "2"),
        ("titulaire.nom_naissance", "Martin"),
        ("titulaire.prenoms", "Camille Zoé"),
        ("titulaire.jour", "12"),
        ("titulaire.mois", "4"),
        ("titulaire.annee", "1989"),
        ("parents_inscrits", "un"),
        ("parent1.nom_naissance", "Martin"),
        ("parent1.prenoms", "Zéphyrine"),
        ("qualite", "titulaire"),
        ("demandeur.nom_naissance", "Martin"),
        ("demandeur.prenoms", "Camille Zoé"),
        ("adresse.numero_voie", "1 rue de la République"),
        ("adresse.code_postal", "96000"),
        ("adresse.commune", "Valmont"),
        ("courriel", "camille.martin@exemple.fr"),
    ])
}

/// A question to the town hall: the shortest procedure.
pub fn question(message: &str) -> Raw {
    raw(&[("sujet", "rue"), ("nature", "question"), ("message", message), ("courriel", "camille.martin@exemple.fr")])
}

impl Portal {
    /// Answers that fit a procedure, made by its own field kinds.
    pub async fn sample(&self, procedure: &str) -> Raw {
        let visit = guichet::work::visit(&self.app, self.city).await.unwrap();
        let found = catalogue::any(&visit, procedure).await.unwrap().unwrap();
        let mut answers = found.procedure.sample(visit.today());
        adjust(procedure, &mut answers);
        answers
    }
}

/// Where any answer of the right kind will not do: dates that follow each other, ages.
fn adjust(procedure: &str, answers: &mut Raw) {
    let mut day = |name: &str, (day, month, year): (&str, &str, &str)| {
        for (part, value) in [("jour", day), ("mois", month), ("annee", year)] {
            answers.set(format!("{name}.{part}"), value);
        }
    };
    match procedure {
        "operation-tranquillite-vacances" => {
            day("debut", ("20", "11", "2026"));
            day("fin", ("4", "12", "2026"));
            day("visites.0.visite_debut", ("22", "11", "2026"));
            day("visites.0.visite_fin", ("23", "11", "2026"));
        }
        "recensement-citoyen" => day("naissance", ("13", "10", "2010")),
        "inscription-scolaire" => day("enfant", ("1", "7", "2022")),
        "debit-boissons-temporaire" => answers.set("boissons", "fermentees"),
        _ => {}
    }
}

/// The first part of an input's name: its field.
fn field(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// What is sent for this page: what it holds already, over it the answers to its questions.
pub fn filled(form: &Form, answers: &Raw) -> Vec<(String, String)> {
    let asked: BTreeSet<&str> = form.names.iter().map(|name| field(name)).collect();
    let given: Vec<(&String, &String)> = answers
        .0
        .iter()
        .filter(|(name, _)| asked.contains(field(name)))
        .flat_map(|(name, values)| values.iter().map(move |value| (name, value)))
        .collect();
    let kept = form.fields.iter().filter(|(name, _)| !given.iter().any(|(given, _)| *given == name));
    kept.cloned()
        .chain(given.iter().map(|(name, value)| ((*name).clone(), (*value).clone())))
        .chain([("action".to_owned(), "continuer".to_owned())])
        .collect()
}

impl Client {
    /// Sends a page's form as its browser would.
    pub async fn submit(&mut self, page: &Page, form: &Form, fields: &[(String, String)]) -> Page {
        let to = if form.action.is_empty() { page.path.clone() } else { form.action.clone() };
        if form.multipart { self.upload(&to, fields, &[]).await } else { self.post_form(&to, fields).await }
    }

    /// Answers one page of questions, those that appear with the answers included; gives the next address.
    pub async fn answer(&mut self, path: &str, answers: &Raw) -> String {
        let mut page = self.get(path).await;
        if page.status == 303 {
            page = self.follow(&page).await;
        }
        for _ in 0..6 {
            let form = page.form("action");
            let next = self.submit(&page, &form, &filled(&form, answers)).await;
            if next.status == 303 {
                return next.location().to_owned();
            }
            page = next;
        }
        panic!("stuck on {path}: {}", page.words());
    }

    /// Fills in a procedure up to the check page; gives its address.
    pub async fn fill(&mut self, procedure: &str, answers: &Raw) -> String {
        let first = self.get(&format!("/demarches/{procedure}/remplir")).await.is(303).location().to_owned();
        self.fill_from(&first, answers).await
    }

    /// The same, from this page on.
    pub async fn fill_from(&mut self, first: &str, answers: &Raw) -> String {
        let mut path = first.to_owned();
        for _ in 0..40 {
            if path.ends_with("/verifier") {
                return path;
            }
            path = if path.contains("/pieces/") {
                self.give(&path, &[("document.pdf", PDF)]).await
            } else {
                self.answer(&path, answers).await
            };
        }
        panic!("{first} never ends: {path}");
    }

    /// Sends the files of a piece, one at a time, and goes on; gives the next address.
    pub async fn give(&mut self, path: &str, files: &[(&str, &[u8])]) -> String {
        for (name, bytes) in files {
            self.upload(path, &[("action".into(), "ajouter".into())], &[("fichier", *name, *bytes)])
                .await
                .leads_to(path);
        }
        self.post(path, &[("action", "continuer")]).await.is(303).location().to_owned()
    }

    /// Sends what the check page shows; gives the confirmation.
    pub async fn send_checked(&mut self, check: &str) -> Filed {
        let page = self.get(check).await.is(200).shows("Votre demande n’est pas encore envoyée");
        let form = page
            .forms()
            .into_iter()
            .find(|form| form.holds("version"))
            .unwrap_or_else(|| panic!("not ready: {}", page.words()));
        let form = if form.holds("declaration") { form.with("declaration", "oui") } else { form };
        let sent = self.post_form(check, &form.fields).await.is(303);
        let page = self.get(sent.location()).await.is(200);
        filed(page)
    }

    pub async fn file(&mut self, procedure: &str, answers: &Raw) -> Filed {
        let check = self.fill(procedure, answers).await;
        self.send_checked(&check).await
    }
}

/// What a confirmation page tells.
pub fn filed(page: Page) -> Filed {
    assert!(page.path.ends_with("/envoyee"), "not a confirmation: {}", page.path);
    let page = page.shows("Demande envoyée");
    let strong = |class: &str| {
        let found =
            super::html::tags(page.html()).into_iter().find(|tag| tag.name == "strong" && tag.get("class") == class);
        found.map_or_else(String::new, |tag| super::html::decode(tag.after))
    };
    let (reference, code) = (strong("g-ref"), strong("g-code"));
    assert!(reference.starts_with("VAL-"), "{reference}");
    let id = page.path.rsplit('/').nth(1).unwrap().parse().unwrap();
    Filed { id, reference, code, page }
}
