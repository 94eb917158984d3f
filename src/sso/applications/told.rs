//! A declaration and its changes, in French.

use serde_json::{Value as Json, json};

use super::form::claim_label;
use crate::sso::{
    changes::{Change, Code},
    client::Declaration,
};

/// What a declaration says, line by line: label, values.
pub fn lines(declaration: &Declaration) -> Vec<(&'static str, Vec<String>)> {
    let yes = |told: bool| vec![if told { "Oui" } else { "Non" }.to_owned()];
    let claims: Vec<String> = declaration.claims.iter().map(|claim| claim_label(*claim).to_owned()).collect();
    let mut lines = vec![("Nom", vec![declaration.name.clone()]), ("Données transmises", claims)];
    if let Some(oidc) = &declaration.oidc {
        let kind =
            if oidc.public { "Sur l’appareil de l’usager, sans secret" } else { "Sur un serveur, avec un secret" };
        lines.extend([
            ("OpenID Connect : où elle fonctionne", vec![kind.to_owned()]),
            ("Adresses de retour", oidc.redirect_uris.clone()),
            ("Adresses après la déconnexion", oidc.post_logout_redirect_uris.clone()),
            ("Adresse à prévenir de la fin d’une session", oidc.backchannel_logout_uri.iter().cloned().collect()),
            ("Jetons renouvelés", yes(oidc.refresh_tokens)),
        ]);
    }
    if let Some(cas) = &declaration.cas {
        lines.extend([
            ("CAS : débuts d’adresse", cas.services.clone()),
            ("CAS : adresses de mandataire", cas.proxy_callbacks.clone()),
        ]);
    }
    lines
}

/// What differs: « Adresses de retour : ajouté https://… ; retiré https://… ».
pub fn differences(before: &Declaration, after: &Declaration) -> Vec<String> {
    let (before, after) = (lines(before), lines(after));
    let of = |lines: &[(&'static str, Vec<String>)], label: &str| -> Vec<String> {
        lines.iter().find(|(found, _)| *found == label).map(|(_, values)| values.clone()).unwrap_or_default()
    };
    let mut labels: Vec<&'static str> = after.iter().map(|(label, _)| *label).collect();
    labels.extend(before.iter().map(|(label, _)| *label).filter(|label| of(&after, label).is_empty()));
    let mut told = Vec::new();
    for (index, label) in labels.iter().enumerate() {
        let (old, new) = (of(&before, label), of(&after, label));
        if old == new || labels.iter().take(index).any(|seen| seen == label) {
            continue;
        }
        let added: Vec<&str> = new.iter().filter(|one| !old.contains(one)).map(String::as_str).collect();
        let gone: Vec<&str> = old.iter().filter(|one| !new.contains(one)).map(String::as_str).collect();
        let part = |word: &str, list: &[&str]| (!list.is_empty()).then(|| format!("{word} {}", list.join(", ")));
        let parts: Vec<String> = [part("ajouté", &added), part("retiré", &gone)].into_iter().flatten().collect();
        let parts = if parts.is_empty() { "ordre changé".to_owned() } else { parts.join("\u{a0}; ") };
        told.push(format!("{label}\u{a0}: {parts}"));
    }
    told
}

/// Lines of the history, latest first, with what each changed.
pub fn history(changes: &[Change]) -> Vec<Json> {
    let before = |index: usize, id: &str| {
        let older = changes.iter().skip(index + 1).find(|older| older.client_id == id);
        older.filter(|older| Code::named(&older.code) != Some(Code::Removed)).map(|older| &older.declaration.0)
    };
    let line = |(index, change): (usize, &Change)| {
        let code = Code::named(&change.code);
        let changed = match (code, before(index, &change.client_id)) {
            (Some(Code::Changed), Some(before)) => differences(before, &change.declaration.0),
            _ => Vec::new(),
        };
        let who = change.actor_name.as_deref().unwrap_or("Direction informatique (ligne de commande)");
        json!({
            "id": change.client_id, "name": change.declaration.0.name, "date": change.at.to_string(), "who": who,
            "text": code.map(words).unwrap_or_default(), "changed": changed,
        })
    };
    changes.iter().enumerate().map(line).collect()
}

fn words(code: Code) -> &'static str {
    match code {
        Code::Added => "Application ajoutée",
        Code::Changed => "Déclaration modifiée",
        Code::SecretRenewed => "Secret renouvelé",
        Code::SecretReplaced => "Secret remplacé, l’ancien a cessé tout de suite",
        Code::Removed => "Application retirée",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_told() {
        let file = include_str!("../../../docs/examples/service.toml");
        let read = |text: &str| Declaration::read("a.toml", text).unwrap();
        let before = read(file);
        assert_eq!(differences(&before, &before), Vec::<String>::new());
        let after = read(&file.replace("/retour\"", "/autre\"").replace("\"email\"", "\"login\""));
        let told = differences(&before, &after);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].contains(
            "ajouté https://mediatheque.exemple.fr/autre\u{a0}; retiré https://mediatheque.exemple.fr/retour"
        ));
        let bare = read(file.split("[cas]").next().unwrap());
        assert!(differences(&before, &bare)[0].starts_with("CAS : débuts d’adresse\u{a0}: retiré"));
        assert!(differences(&bare, &before)[0].starts_with("CAS : débuts d’adresse\u{a0}: ajouté"));
    }
}
