//! What the people of the sample city write: the procedure's own sample, made theirs.

use forms::{answers::Raw, model::Procedure};
use jiff::civil::Date;

use super::city::Usager;

/// Age of the person at a day, in whole years.
pub fn age(usager: &Usager, today: Date) -> i16 {
    let born: Date = usager.birth_date.parse().unwrap_or(today);
    let birthday_to_come = (today.month(), today.day()) < (born.month(), born.day());
    today.year() - born.year() - i16::from(birthday_to_come)
}

/// Whether this person would ask for this: no minor runs a bar, and parents are neither very young nor very old.
pub fn suits(procedure: &Procedure, usager: &Usager, today: Date) -> bool {
    match (procedure.theme.as_str(), procedure.id.as_str()) {
        ("enfance", _) => (24..56).contains(&age(usager, today)),
        (_, "recensement-citoyen" | "inscription-bibliotheque" | "demande-information") => true,
        _ => age(usager, today) >= 18,
    }
}

/// The procedure's own sample, in the usager's name. `index` varies what has no reason to be the same.
pub fn typed(procedure: &Procedure, usager: &Usager, today: Date, index: usize) -> Raw {
    let mut raw = procedure.sample(today);
    sentences(procedure, &mut raw);
    others(usager, today, index, &mut raw);
    for (_, field, days) in DATES.iter().filter(|(of, ..)| *of == procedure.id) {
        set_date(&mut raw, field, day_in(today, *days));
    }
    for (of, field, choice) in CHOICES {
        if *of == procedure.id {
            put(&mut raw, field, choice);
        }
    }
    own(usager, &mut raw);
    raw
}

fn day_in(today: Date, days: i32) -> Date {
    today.checked_add(jiff::Span::new().days(days)).unwrap_or(today)
}

fn put(raw: &mut Raw, name: &str, value: &str) {
    if raw.0.contains_key(name) {
        raw.set(name, value);
    }
}

fn set_date(raw: &mut Raw, field: &str, day: Date) {
    for (part, value) in [("jour", i16::from(day.day())), ("mois", i16::from(day.month())), ("annee", day.year())] {
        put(raw, &format!("{field}.{part}"), &value.to_string());
    }
}

fn own(usager: &Usager, raw: &mut Raw) {
    put(raw, "demandeur.nom_naissance", &usager.birth_name);
    put(raw, "demandeur.nom_usage", usager.use_name.as_deref().unwrap_or_default());
    put(raw, "demandeur.prenoms", &usager.first_names);
    if let Ok(born) = usager.birth_date.parse() {
        set_date(raw, "demandeur", born);
    }
    put(raw, "courriel", usager.email.as_deref().unwrap_or_default());
    put(raw, "telephone", usager.phone.as_deref().unwrap_or_default());
    let home = &usager.address;
    put(raw, "adresse.numero_voie", format!("{} {}", home.number.as_deref().unwrap_or_default(), home.street).trim());
    put(raw, "adresse.code_postal", &home.postcode);
    put(raw, "adresse.commune", &home.city);
}

/// The other people of the answers: each keeps to the part that the question gives them.
fn others(usager: &Usager, today: Date, index: usize, raw: &mut Raw) {
    let names: Vec<String> = raw.0.keys().filter_map(|key| Some(key.strip_suffix(".prenoms")?.to_owned())).collect();
    for name in names {
        let role = name.rsplit('.').next().unwrap_or_default();
        let Some(other) = OTHERS.iter().find(|other| other.role == role) else { continue };
        let first = other.first_names.get(index % other.first_names.len()).copied().unwrap_or_default();
        put(raw, &format!("{name}.prenoms"), first);
        put(raw, &format!("{name}.nom_naissance"), other.family.unwrap_or(&usager.birth_name));
        let born = day_in(today, -other.age * 365 - i32::try_from(index % 200).unwrap_or_default());
        set_date(raw, &name, born);
        // A pupil of seven is in no nursery school.
        if let Some(row) = name.strip_suffix(".enfant") {
            put(raw, &format!("{row}.ecole"), "e_jean_moulin");
        }
    }
}

fn sentences(procedure: &Procedure, raw: &mut Raw) {
    let dull: Vec<String> = raw
        .0
        .iter()
        .filter(|(_, values)| values.iter().any(|value| value == "Exemple" || value.starts_with("Première ligne")))
        .map(|(name, _)| name.clone())
        .collect();
    for name in dull {
        let field = name.rsplit('.').next().unwrap_or_default();
        let said = SENTENCES.iter().find(|(of, id, _)| *id == field && (of.is_empty() || *of == procedure.id));
        if let Some((_, _, text)) = said {
            raw.set(name, *text);
        }
    }
}

struct Other {
    /// Last part of the field's name.
    role: &'static str,
    first_names: [&'static str; 4],
    /// None for the usager's own family.
    family: Option<&'static str>,
    /// In years, at least.
    age: i32,
}

const fn other(role: &'static str, first_names: [&'static str; 4], family: Option<&'static str>, age: i32) -> Other {
    Other { role, first_names, family, age }
}

const OTHERS: &[Other] = &[
    other("enfant", ["Léa", "Inès", "Louise", "Sarah"], None, 7),
    other("fratrie_personne", ["Noé", "Adam", "Gabin", "Malo"], None, 5),
    other("membre", ["Louise", "Nassim", "Jade", "Titouan"], None, 19),
    other("responsable2", ["Julien", "Samira", "Thomas", "Aurélie"], None, 37),
    other("responsable_mineur", ["Nadège", "Karim", "Céline", "Marc"], None, 44),
    other("autorisee_personne", ["Manon", "Yanis", "Chloé", "Enzo"], None, 17),
    other("prevenir_personne", ["Monique", "Farid", "Odile", "Gérard"], None, 66),
    other("contact_personne", ["Sylvie", "Alain", "Fatima", "Yves"], Some("Perrin"), 58),
    other("titulaire", ["Jeanne", "Lucas", "Myriam", "Paul"], None, 34),
    other("defunt", ["Suzanne", "Roger", "Yvette", "Marcel"], None, 87),
    other("epoux1", ["Claire", "Sofia", "Hélène", "Amandine"], None, 35),
    other("epoux2", ["Nicolas", "Bilal", "Étienne", "Rémi"], Some("Faure"), 36),
    other("parent1", ["Patricia", "Khadija", "Sylvie", "Martine"], Some("Garnier"), 50),
    other("parent2", ["Philippe", "Rachid", "Denis", "Laurent"], None, 52),
];

/// (procedure or any, last part of the field's name, what somebody would write there).
const SENTENCES: &[(&str, &str, &str)] = &[
    ("", "assureur", "Assurance scolaire, contrat 4213987"),
    ("", "medecin", "Docteur Leroux, Valmont"),
    ("", "personne_interdite_qui", "Une ordonnance du juge aux affaires familiales, remise à la direction"),
    ("", "handicap_precisions", "Une place près de l’animateur : le bruit la fatigue vite."),
    ("", "accompagnement_precisions", "Une place au premier rang : elle porte des appareils auditifs."),
    ("", "derogation_texte", "Son frère est déjà dans cette école, et je travaille à côté."),
    ("", "visite_qui", "Ma voisine, qui arrose les plantes"),
    ("", "visite_vehicule", "Une petite voiture grise"),
    ("operation-tranquillite-vacances", "precisions", "Le portail du jardin reste fermé à clé."),
    ("stationnement-demenagement", "precisions", "Un camion de 12 mètres, avec un monte-meubles."),
    ("acte-deces", "precisions", "Décès à l’hôpital de Valmont."),
    ("", "numero_carte", "0204519"),
    ("", "immatriculation", "AB-123-CD"),
    ("", "lieu_nom", "Salle des fêtes"),
    ("", "organisateur_nom", "Comité des fêtes de Valmont"),
    ("", "lieu_precision", "Bureau 214, deuxième étage"),
    ("", "description", "Le radiateur ne chauffe plus depuis lundi."),
    ("", "message", "Bonjour, où puis-je déposer des livres pour la bibliothèque ? Merci d’avance."),
    ("", "autre_nationalite", "Portugaise"),
    ("", "parent1_nationalite", "Française"),
    ("", "parent2_nationalite", "Française"),
    ("", "commune_naissance", "Valmont"),
    ("", "cotes", "Le côté de la rue, sur 12,50 m"),
    ("", "lieu_dit", "Les Acacias"),
];

/// What goes with the ages and the dates: (procedure, field, option or text).
const CHOICES: &[(&str, &str, &str)] = &[
    ("debit-boissons-temporaire", "boissons", "fermentees"),
    ("inscription-scolaire", "niveau_maternelle", "ms"),
    ("inscription-scolaire", "responsable2_courriel", "second.parent@exemple.fr"),
    ("accueil-periscolaire", "responsable2_courriel", "second.parent@exemple.fr"),
];

/// Dates that make sense together where any date would not: (procedure, field, days from today).
const DATES: &[(&str, &str, i32)] = &[
    ("operation-tranquillite-vacances", "debut", 3),
    ("operation-tranquillite-vacances", "fin", 17),
    ("operation-tranquillite-vacances", "visites.0.visite_debut", 5),
    ("operation-tranquillite-vacances", "visites.0.visite_fin", 6),
    ("recensement-citoyen", "naissance", -5_880),
    ("inscription-scolaire", "enfant", -1_600),
];
