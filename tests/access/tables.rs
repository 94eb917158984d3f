//! The tables. Rows that end something (a session, a draft, a request) come last.

/// Nobody's in particular: nobody, a usager, an agent.
pub const PUBLIC: &[(&str, &str, &str)] = &[
    ("GET", "/", "200 200 200"),
    ("GET", "/accessibilite", "200 200 200"),
    ("GET", "/adresse", "200 200 200"),
    ("GET", "/aide", "200 200 200"),
    ("GET", "/cookies", "200 200 200"),
    ("GET", "/demarches", "200 200 200"),
    ("GET", "/demarches/{procedure}", "200 200 200"),
    ("GET", "/demarches/{procedure=inconnue}", "404 404 404"),
    ("GET", "/demarches/{procedure}/commencer", "303 303 303"),
    ("GET", "/demarches/{procedure}/remplir", "303 303 303"),
    ("POST", "/demarches/{procedure}/remplir", "422 422 422"),
    // An account is needed for these.
    ("GET", "/demarches/{procedure=restaurant-scolaire}/remplir", "303 303 303"),
    ("GET", "/donnees-personnelles", "200 200 200"),
    ("GET", "/mentions-legales", "200 200 200"),
    ("GET", "/plan-du-site", "200 200 200"),
    ("GET", "/sante", "200 200 200"),
    ("GET", "/static/{name}", "200 200 200"),
    ("GET", "/suivre", "200 200 200"),
    ("POST", "/suivre", "422 422 422"),
    ("GET", "/connexion", "200 303 200"),
    ("POST", "/connexion", "422 422 422"),
    ("GET", "/inscription", "200 303 200"),
    ("POST", "/inscription", "422 422 422"),
    ("GET", "/confirmer/{token}", "410 410 410"),
    ("POST", "/confirmer/{token}", "410 410 410"),
    ("GET", "/mot-de-passe-oublie", "200 200 200"),
    ("POST", "/mot-de-passe-oublie", "422 422 422"),
    ("GET", "/mot-de-passe/{token}", "410 410 410"),
    ("POST", "/mot-de-passe/{token}", "410 410 410"),
    ("GET", "/compte/supprime", "200 200 200"),
    ("GET", "/agent/connexion", "200 200 303"),
    ("POST", "/agent/connexion", "422 422 422"),
    // Only on a sample city.
    ("GET", "/demo/courriels", "404 404 404"),
    ("GET", "/demo/courriels/{mail}", "404 404 404"),
    ("POST", "/deconnexion", "303 303 303"),
];

/// What belongs to a person: nobody, smuggler, agent, usager of another city, another usager, the owner.
pub const USAGERS: &[(&str, &str, &str)] = &[
    ("GET", "/brouillons/{draft}/verifier", "in in in 404 404 200"),
    ("POST", "/brouillons/{draft}/verifier", "in in in 404 404 422"),
    ("GET", "/brouillons/{draft}/supprimer", "in in in 404 404 200"),
    ("GET", "/brouillons/{draft}/enregistre", "in in in 404 404 200"),
    ("GET", "/brouillons/{draft}/pieces/{piece}", "in in in 404 404 200"),
    ("POST", "/brouillons/{draft}/pieces/{piece}", "in in in 404 404 422"),
    ("GET", "/brouillons/{draft}/{page=la-personne-a-recenser}", "in in in 404 404 200"),
    ("POST", "/brouillons/{draft}/{page=la-personne-a-recenser}", "in in in 404 404 422"),
    ("GET", "/mes-demandes", "in in in 200 200 200"),
    ("GET", "/demandes/{request}", "in in in 404 404 200"),
    ("GET", "/demandes/{request}/envoyee", "in in in 404 404 200"),
    ("GET", "/demandes/{request}/recepisse.pdf", "in in in 404 404 200"),
    ("POST", "/demandes/{request}/messages", "in in in 404 404 422"),
    ("GET", "/demandes/{request}/repondre", "in in in 404 404 303"),
    ("POST", "/demandes/{request}/repondre", "in in in 404 404 303"),
    ("GET", "/demandes/{request}/annuler", "in in in 404 404 200"),
    ("GET", "/fichiers/{file}", "in in in 404 404 200"),
    ("GET", "/fichiers/{file=draft_file}", "in in in 404 404 200"),
    ("GET", "/compte", "in in in 200 200 200"),
    ("POST", "/compte", "in in in 422 422 422"),
    ("GET", "/compte/donnees", "in in in 200 200 200"),
    ("POST", "/compte/adresse", "in in in 422 422 422"),
    ("POST", "/compte/mot-de-passe", "in in in 422 422 422"),
    ("POST", "/compte/deconnecter", "in in in 303 303 303"),
    ("POST", "/compte/supprimer", "in in in 422 422 422"),
    // A request's id where a draft's is meant: the request, or nothing.
    ("GET", "/brouillons/{draft=request}/verifier", "in in in 404 404 303"),
    ("POST", "/brouillons/{draft=request}/supprimer", "in in in 404 404 303"),
    ("POST", "/brouillons/{draft}/supprimer", "in in in 404 404 303"),
];

/// Ends the request: after everything else, for the same people as [`USAGERS`].
pub const ENDING: &[(&str, &str, &str)] = &[("POST", "/demandes/{request}/annuler", "in in in 404 404 303")];

/// What agents do: nobody, smuggler, the owner, agent of another city, of another department, reader,
/// processor, decider.
pub const AGENTS: &[(&str, &str, &str)] = &[
    ("GET", "/agent", "ag ag ag 200 200 200 200 200"),
    ("GET", "/agent/envois", "ag ag ag 200 200 200 200 200"),
    ("GET", "/agent/demandes/{request}", "ag ag ag 404 404 200 200 200"),
    ("GET", "/agent/demandes/{request}?onglet=pieces", "ag ag ag 404 404 200 200 200"),
    ("GET", "/agent/demandes/{request}?onglet=messages", "ag ag ag 404 404 200 200 200"),
    ("GET", "/agent/demandes/{request}?onglet=notes", "ag ag ag 404 404 200 200 200"),
    ("GET", "/agent/demandes/{request}?onglet=historique", "ag ag ag 404 404 200 200 200"),
    ("GET", "/agent/demandes/{request}/dossier.pdf", "ag ag ag 404 404 403 200 200"),
    ("POST", "/agent/demandes/{request}/notes", "ag ag ag 404 404 403 422 422"),
    ("POST", "/agent/demandes/{request}/messages", "ag ag ag 404 404 403 422 422"),
    ("GET", "/agent/fichiers/{file}", "ag ag ag 404 404 403 200 200"),
    // A draft is nobody's business.
    ("GET", "/agent/fichiers/{file=draft_file}", "ag ag ag 404 404 404 404 404"),
    ("GET", "/agent/demandes/{request=draft}", "ag ag ag 404 404 404 404 404"),
    ("GET", "/agent/demandes/{request}/actions/{transition=take}", "ag ag ag 404 404 403 200 200"),
    ("GET", "/agent/demandes/{request}/actions/{transition=refuse}", "ag ag ag 404 404 403 403 200"),
    ("POST", "/agent/demandes/{request}/actions/{transition=refuse}", "ag ag ag 404 404 403 403 400"),
    // The usager's own actions, the system's, and none at all.
    ("POST", "/agent/demandes/{request}/actions/{transition=cancel}", "ag ag ag 404 404 403 404 404"),
    ("POST", "/agent/demandes/{request}/actions/{transition=archive}", "ag ag ag 404 404 403 404 404"),
    ("GET", "/agent/demandes/{request}/actions/{transition=inconnue}", "ag ag ag 404 404 403 404 404"),
    ("POST", "/agent/envois/{job}/relancer", "ag ag ag 404 404 404 303 303"),
    // The processor takes it; the decider's page is then out of date.
    ("POST", "/agent/demandes/{request}/affecter", "ag ag ag 404 404 403 303 409"),
    ("POST", "/agent/demandes/{request}/liberer?de={nadia}", "ag ag ag 404 404 403 303 303"),
    // Signed out, or never in: the same page.
    ("POST", "/agent/deconnexion", "ag ag ag ag ag ag ag ag"),
];
