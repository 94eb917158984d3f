//! How an identity is shown: as lines of text, and to its template.

use super::{
    clean::{self, member},
    date,
    french::NBSP,
    identity::Identity,
    partial_date::PartialDate,
    place::{self, LONGEST},
};
use crate::answers::{Input, Json};

const PARTS: [&str; 10] =
    ["nom_naissance", "nom_usage", "prenoms", "sans_prenom", "jour", "mois", "annee", "lieu", "departement", "pays"];

/// « Léa Martin », from whatever is typed already: the use name rather than the birth name, commas
/// between first names left out.
pub fn name(input: Input<'_>) -> String {
    let part = |part: &str| clean::line(input.part(part)).unwrap_or_default();
    let family = Some(part("nom_usage")).filter(|it| !it.is_empty()).unwrap_or_else(|| part("nom_naissance"));
    let words = format!("{} {family}", part("prenoms").replace(',', " "));
    // A draft keeps anything, a name is shown on one line.
    words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(2 * LONGEST).collect()
}

/// One line for each thing known.
pub fn display(answer: &Json) -> Vec<String> {
    let first_names = match answer.get("prenoms") {
        None => "",
        Some(_) => Some(member(answer, "prenoms")).filter(|it| !it.is_empty()).unwrap_or("sans prénom"),
    };
    let date = answer.get("date_naissance").and_then(date::value).map(PartialDate::french);
    let lines = [
        ("Nom de naissance", member(answer, "nom_naissance").to_owned()),
        ("Nom d’usage", member(answer, "nom_usage").to_owned()),
        ("Prénoms", first_names.to_owned()),
        ("Date de naissance", date.unwrap_or_default()),
        ("Lieu de naissance", answer.get("lieu_naissance").map(birth_place).unwrap_or_default()),
    ];
    lines.into_iter().filter(|(_, it)| !it.is_empty()).map(|(label, it)| format!("{label}{NBSP}: {it}")).collect()
}

/// « Lyon (Rhône) », « Cracovie, Pologne ».
fn birth_place(place: &Json) -> String {
    let mut line = member(place, "commune").to_owned();
    let area = member(place, "departement");
    if !area.is_empty() {
        line.push_str(&format!(" ({area})"));
    }
    let country = member(place, "pays");
    if !country.is_empty() && country != place::FRANCE {
        line.push_str(&format!(", {country}"));
    }
    line
}

pub fn view(kind: &Identity, input: Input<'_>) -> Json {
    let mut view = clean::composite(input, &PARTS);
    place::prefill_country(&mut view, input);
    let flags = [
        ("birth_date", kind.birth_date),
        ("birth_place", kind.birth_place),
        ("use_name", kind.use_name),
        ("autocomplete", kind.autocomplete),
        ("no_first_name", !input.part("sans_prenom").is_empty()),
    ];
    view.extend(flags.into_iter().map(|(key, flag)| (key.to_owned(), flag.into())));
    view.into()
}
