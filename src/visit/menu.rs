//! The agents' menu beside their requests: groups of pages, each for the roles that may open them.

use serde::Serialize;

use crate::agents::{General, Role};

#[derive(Debug, Serialize)]
pub struct Group {
    title: &'static str,
    here: bool,
    /// Never empty: the group's own link goes to the first.
    pages: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    href: &'static str,
    title: &'static str,
    here: bool,
}

const COUNTER: &[(&str, &str)] = &[
    ("/agent/comptes", "Comptes"),
    ("/agent/depots", "Dépôts"),
    ("/agent/organisations", "Organisations"),
    ("/agent/mandats", "Mandats"),
    ("/agent/contacts", "Contacts"),
    ("/agent/numerisations", "Numérisations"),
    ("/agent/courriers", "Lettres"),
    ("/agent/avis-a-rendre", "Avis à rendre"),
    ("/agent/a-viser", "À viser"),
];
const FIGURES: &[(&str, &str)] = &[("/agent/retards", "Retards"), ("/agent/statistiques", "Statistiques")];
const DEPARTMENT: &[(&str, &str)] = &[
    ("/agent/agents", "Agents"),
    ("/agent/references", "Références"),
    ("/agent/avis", "Avis des usagers"),
    ("/agent/enquetes", "Enquêtes"),
    ("/agent/modeles", "Modèles"),
    ("/agent/delegations", "Délégations"),
    ("/agent/retards", "Retards"),
    ("/agent/statistiques", "Statistiques"),
];
const ADMINISTRATION: &[(&str, &str)] = &[
    ("/agent/applications", "Applications"),
    ("/agent/journal", "Journal"),
    ("/agent/delegations", "Délégations"),
    ("/agent/calendrier", "Calendrier"),
    ("/agent/observateurs", "Qui voit les chiffres"),
];
const OVERVIEW: &[(&str, &str)] = &[("/agent/ensemble", "Chiffres de la collectivité")];
const INTERNAL: &[(&str, &str)] =
    &[("/agent/interne/demarches", "Démarches internes"), ("/agent/interne/demandes", "Mes demandes internes")];
const ARCHIVES: &[(&str, &str)] = &[("/agent/archives", "Archives")];

/// The groups open to somebody whose highest role is `role`, as seen from the page `here`.
pub fn of(here: &str, role: Option<Role>, general: &[General]) -> Vec<Group> {
    let open = [
        ("Guichet", COUNTER, role >= Some(Role::Processor)),
        // Who processes requests sees their figures; who manages the department, all of it.
        ("Service", FIGURES, matches!(role, Some(Role::Processor | Role::Decider))),
        ("Service", DEPARTMENT, role >= Some(Role::Manager)),
        ("Collectivité", OVERVIEW, general.contains(&General::Observer)),
        ("Administration", ADMINISTRATION, general.contains(&General::Administrator)),
        ("Administration", ARCHIVES, general.contains(&General::Archivist)),
        // What every agent asks for themself.
        ("Interne", INTERNAL, true),
    ];
    let mut groups: Vec<Group> = Vec::new();
    for (title, pages, _) in open.into_iter().filter(|(.., open)| *open) {
        let pages = pages.iter().map(|&(href, title)| Entry { href, title, here: under(href, here) });
        match groups.last_mut().filter(|last| last.title == title) {
            Some(last) => last.pages.extend(pages),
            None => groups.push(Group { title, here: false, pages: pages.collect() }),
        }
    }
    for group in &mut groups {
        // What is being filled in is under neither of its pages.
        let filling = group.title == "Interne" && under("/agent/interne", here);
        group.here = filling || group.pages.iter().any(|page| page.here);
    }
    groups
}

/// `/agent/comptes`, what follows a slash or a question mark; not `/agent/comptes-rendus`.
fn under(page: &str, here: &str) -> bool {
    here.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(here: &str, role: Option<Role>, general: &[General]) -> Vec<(&'static str, bool)> {
        of(here, role, general).iter().map(|group| (group.title, group.here)).collect()
    }

    #[test]
    fn each_sees_what_opens() {
        let own = ("Interne", false);
        assert_eq!(shown("/agent", None, &[]), [own]);
        assert_eq!(shown("/agent/interne/demandes/1", Some(Role::Reader), &[]), [("Interne", true)]);
        assert_eq!(shown("/agent/interne/brouillons/1/vous", None, &[]), [("Interne", true)]);
        assert_eq!(
            shown("/agent/comptes?fait=x", Some(Role::Decider), &[]),
            [("Guichet", true), ("Service", false), own]
        );
        assert_eq!(
            shown("/agent/agents/1", Some(Role::Manager), &[General::Administrator]),
            [("Guichet", false), ("Service", true), ("Administration", false), own]
        );
        assert_eq!(shown("/agent/comptes-rendus", None, &[General::Administrator]), [("Administration", false), own]);
        assert_eq!(shown("/agent/archives/1", None, &[General::Archivist]), [("Administration", true), own]);
        assert_eq!(shown("/agent/ensemble?par=x", None, &[General::Observer]), [("Collectivité", true), own]);
        let both = [General::Administrator, General::Archivist];
        assert_eq!(shown("/agent/archives", None, &both), [("Administration", true), own]);
    }
}
