//! The agents' menu beside their requests: groups of pages, each for the roles that may open them.

use serde::Serialize;

use crate::agents::Role;

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
    ("/agent/organisations", "Organisations"),
    ("/agent/mandats", "Mandats"),
    ("/agent/courriers", "Lettres"),
];
const FIGURES: &[(&str, &str)] = &[("/agent/retards", "Retards"), ("/agent/statistiques", "Statistiques")];
const DEPARTMENT: &[(&str, &str)] = &[
    ("/agent/agents", "Agents"),
    ("/agent/references", "Références"),
    ("/agent/avis", "Avis des usagers"),
    ("/agent/retards", "Retards"),
    ("/agent/statistiques", "Statistiques"),
];
const ADMINISTRATION: &[(&str, &str)] = &[("/agent/applications", "Applications"), ("/agent/journal", "Journal")];

/// The groups open to somebody whose highest role is `role`, as seen from the page `here`.
pub fn of(here: &str, role: Option<Role>, administrator: bool) -> Vec<Group> {
    let open = [
        ("Guichet", COUNTER, role >= Some(Role::Processor)),
        // Who processes requests sees their figures; who manages the department, all of it.
        ("Service", FIGURES, matches!(role, Some(Role::Processor | Role::Decider))),
        ("Service", DEPARTMENT, role >= Some(Role::Manager)),
        ("Administration", ADMINISTRATION, administrator),
    ];
    open.into_iter().filter(|(.., open)| *open).map(|(title, pages, _)| group(title, pages, here)).collect()
}

fn group(title: &'static str, pages: &[(&'static str, &'static str)], here: &str) -> Group {
    let pages: Vec<Entry> = pages.iter().map(|&(href, title)| Entry { href, title, here: under(href, here) }).collect();
    Group { title, here: pages.iter().any(|page| page.here), pages }
}

/// `/agent/comptes`, what follows a slash or a question mark; not `/agent/comptes-rendus`.
fn under(page: &str, here: &str) -> bool {
    here.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(here: &str, role: Option<Role>, administrator: bool) -> Vec<(&'static str, bool)> {
        of(here, role, administrator).iter().map(|group| (group.title, group.here)).collect()
    }

    #[test]
    fn each_sees_what_opens() {
        assert_eq!(shown("/agent", None, false), []);
        assert_eq!(shown("/agent", Some(Role::Reader), false), []);
        assert_eq!(shown("/agent/comptes?fait=x", Some(Role::Decider), false), [("Guichet", true), ("Service", false)]);
        assert_eq!(
            shown("/agent/agents/1", Some(Role::Manager), true),
            [("Guichet", false), ("Service", true), ("Administration", false)]
        );
        assert_eq!(shown("/agent/comptes-rendus", None, true), [("Administration", false)]);
    }
}
