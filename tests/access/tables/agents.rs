//! What agents do, by their role.

/// What agents do: nobody, smuggler, the owner, agent of another city, of another department, reader,
/// processor, decider.
pub const AGENTS: &[(&str, &str, &str)] = &[
    ("GET", "/agent", "ag ag ag 200 200 200 200 200"),
    // Finds what one may see: nothing of that name.
    ("GET", "/agent/recherche?q=Introuvable", "ag ag ag 200 200 200 200 200"),
    ("GET", "/agent/lot", "ag ag ag 200 200 200 200 200"),
    ("POST", "/agent/lot", "ag ag ag 422 422 422 422 422"),
    ("GET", "/agent/vues", "ag ag ag 200 200 200 200 200"),
    ("POST", "/agent/vues", "ag ag ag 422 422 422 422 422"),
    ("POST", "/agent/vues/renommer", "ag ag ag 404 404 404 404 404"),
    ("POST", "/agent/vues/supprimer", "ag ag ag 404 404 404 404 404"),
    ("GET", "/agent/export.csv", "ag ag ag 200 200 200 200 200"),
    ("GET", "/agent/export.xlsx", "ag ag ag 200 200 200 200 200"),
    ("GET", "/agent/export.ods", "ag ag ag 200 200 200 200 200"),
    ("GET", "/agent/envois", "ag ag ag 200 200 200 200 200"),
    ("GET", "/agent/depots", "ag ag ag 200 200 403 200 200"),
    ("GET", "/agent/depots/nouveau", "ag ag ag 200 200 403 200 200"),
    ("POST", "/agent/depots/nouveau", "ag ag ag 422 422 403 422 422"),
    ("GET", "/agent/depots/papier/{procedure}", "ag ag ag 200 404 403 200 200"),
    // What is being filled in is the department's, for those who process.
    ("GET", "/agent/depots/{draft=intake}/verifier", "ag ag ag 404 404 404 200 200"),
    ("POST", "/agent/depots/{draft=intake}/verifier", "ag ag ag 404 404 404 422 422"),
    ("GET", "/agent/depots/{draft=intake}/{page=l-acte-demande}", "ag ag ag 404 404 404 200 200"),
    ("POST", "/agent/depots/{draft=intake}/{page=l-acte-demande}", "ag ag ag 404 404 404 422 422"),
    // It asks for no piece.
    ("GET", "/agent/depots/{draft=intake}/pieces/{piece}", "ag ag ag 404 404 404 404 404"),
    ("POST", "/agent/depots/{draft=intake}/pieces/{piece}", "ag ag ag 404 404 404 404 404"),
    ("GET", "/agent/depots/{draft=intake}/supprimer", "ag ag ag 404 404 404 200 200"),
    // An usager's own draft is nobody else's, and a request that was sent is found among requests.
    ("GET", "/agent/depots/{draft}/verifier", "ag ag ag 404 404 404 404 404"),
    ("GET", "/agent/depots/{draft=request}/verifier", "ag ag ag 404 404 403 303 303"),
    ("POST", "/agent/depots/{draft=intake}/supprimer", "ag ag ag 404 404 404 303 404"),
    // The owner sent theirs, and nothing is asked of them.
    ("GET", "/agent/demandes/{request}/deposee", "ag ag ag 404 404 403 303 303"),
    ("GET", "/agent/demandes/{request}/completer", "ag ag ag 404 404 403 303 303"),
    ("POST", "/agent/demandes/{request}/completer", "ag ag ag 404 404 403 303 303"),
    ("GET", "/agent/demandes/{request}/accuse.pdf", "ag ag ag 404 404 403 200 200"),
    ("GET", "/agent/demandes/{request}", "ag ag ag 404 404 200 200 200"),
    ("GET", "/agent/demandes/{request}?onglet=pieces", "ag ag ag 404 404 200 200 200"),
    ("GET", "/agent/demandes/{request}?onglet=messages", "ag ag ag 404 404 200 200 200"),
    ("GET", "/agent/demandes/{request}?onglet=notes", "ag ag ag 404 404 200 200 200"),
    ("GET", "/agent/demandes/{request}?onglet=historique", "ag ag ag 404 404 200 200 200"),
    ("GET", "/agent/demandes/{request}/dossier.pdf", "ag ag ag 404 404 403 200 200"),
    ("GET", "/agent/demandes/{request}/acces", "ag ag ag 404 404 403 200 200"),
    ("GET", "/agent/demandes/{request}/avis/demander", "ag ag ag 404 404 403 200 200"),
    ("POST", "/agent/demandes/{request}/avis/demander", "ag ag ag 404 404 403 422 422"),
    ("POST", "/agent/demandes/{request}/avis/{consultation}/lien", "ag ag ag 404 404 403 303 303"),
    ("GET", "/agent/avis-a-rendre", "ag ag ag 200 200 403 200 200"),
    // Asked of another department: not even who asks answers for it.
    ("GET", "/agent/avis-a-rendre/{consultation}", "ag ag ag 404 404 404 404 404"),
    ("POST", "/agent/avis-a-rendre/{consultation}", "ag ag ag 404 404 404 404 404"),
    ("GET", "/agent/avis-a-rendre/{consultation}/fichiers/{file}", "ag ag ag 404 404 404 404 404"),
    ("POST", "/agent/demandes/{request}/avis/{consultation}/retirer", "ag ag ag 404 404 403 303 303"),
    // The scene's request is an account's: it has no code.
    ("GET", "/agent/demandes/{request}/code", "ag ag ag 404 404 403 404 404"),
    ("POST", "/agent/demandes/{request}/code", "ag ag ag 404 404 403 404 404"),
    ("POST", "/agent/demandes/{request}/notes", "ag ag ag 404 404 403 422 422"),
    ("POST", "/agent/demandes/{request}/messages", "ag ag ag 404 404 403 422 422"),
    ("GET", "/agent/demandes/{request}/echanges", "ag ag ag 404 404 403 200 200"),
    ("POST", "/agent/demandes/{request}/echanges", "ag ag ag 404 404 403 422 422"),
    ("GET", "/agent/contacts", "ag ag ag 200 200 403 200 200"),
    // Another city has a department of that name too.
    ("GET", "/agent/contacts/nouveau?service=etat-civil", "ag ag ag 200 404 403 200 200"),
    ("POST", "/agent/contacts/nouveau?service=etat-civil", "ag ag ag 422 404 403 422 422"),
    ("GET", "/agent/contacts/{contact}", "ag ag ag 404 404 403 200 200"),
    ("POST", "/agent/contacts/{contact}/rattacher", "ag ag ag 404 404 403 422 422"),
    ("POST", "/agent/contacts/{contact}/classer", "ag ag ag 404 404 403 422 422"),
    ("POST", "/agent/contacts/{contact}/confier", "ag ag ag 404 404 403 422 422"),
    // A contact has its own files only.
    ("GET", "/agent/contacts/{contact}/fichiers/{file}", "ag ag ag 404 404 403 404 404"),
    // The post of a department is for who treats its requests.
    ("GET", "/agent/numerisations", "ag ag ag 200 200 403 200 200"),
    ("GET", "/agent/numerisations/nouvelle", "ag ag ag 200 200 403 200 200"),
    ("POST", "/agent/numerisations/nouvelle", "ag ag ag 422 422 403 422 422"),
    ("GET", "/agent/numerisations/{batch}", "ag ag ag 404 404 403 200 200"),
    ("GET", "/agent/numerisations/{batch}/documents/{first=1}", "ag ag ag 404 404 403 200 200"),
    ("GET", "/agent/numerisations/{batch}/documents/{first=1}/document.pdf", "ag ag ag 404 404 403 200 200"),
    // A batch has its own files only.
    ("GET", "/agent/numerisations/{batch}/images/{file}", "ag ag ag 404 404 403 404 404"),
    // Of another version than the one that was seen; and the same of a document.
    ("POST", "/agent/numerisations/{batch}", "ag ag ag 404 404 403 409 409"),
    ("POST", "/agent/numerisations/{batch}/documents/{first=1}", "ag ag ag 404 404 403 303 303"),
    ("POST", "/agent/numerisations/{batch}/blanches", "ag ag ag 404 404 403 303 303"),
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
    ("GET", "/agent/organisations", "ag ag ag 200 200 403 200 200"),
    ("POST", "/agent/organisations", "ag ag ag 422 422 403 422 422"),
    ("POST", "/agent/organisations/{organisation}/verifier", "ag ag ag 404 422 403 422 422"),
    ("POST", "/agent/organisations/{organisation}/presidence", "ag ag ag 404 422 403 422 422"),
    ("GET", "/agent/mandats", "ag ag ag 200 200 403 200 200"),
    ("POST", "/agent/mandats", "ag ag ag 422 422 403 422 422"),
    ("POST", "/agent/envois/{job}/relancer", "ag ag ag 404 404 404 303 303"),
    // The processor takes it; the decider's page is then out of date.
    ("POST", "/agent/demandes/{request}/affecter", "ag ag ag 404 404 403 303 409"),
    ("POST", "/agent/demandes/{request}/liberer?de={nadia}", "ag ag ag 404 404 403 303 303"),
    ("GET", "/agent/comptes", "ag ag ag 200 200 403 200 200"),
    ("POST", "/agent/comptes", "ag ag ag 422 422 403 422 422"),
    // The counter serves every usager of its city, and nobody else.
    ("POST", "/agent/comptes/{account}/second-facteur", "ag ag ag 404 422 403 422 422"),
    ("GET", "/agent/comptes/ouvrir", "ag ag ag 200 200 403 200 200"),
    ("POST", "/agent/comptes/ouvrir", "ag ag ag 422 422 403 422 422"),
    ("GET", "/agent/comptes/{account}", "ag ag ag 404 200 403 200 200"),
    ("GET", "/agent/comptes/{account=nadia}", "ag ag ag 404 404 403 404 404"),
    // The owner's account is active: no code opens it.
    ("POST", "/agent/comptes/{account}/activation", "ag ag ag 404 400 403 400 400"),
    ("POST", "/agent/comptes/{account=nadia}/activation", "ag ag ag 404 404 403 404 404"),
    ("POST", "/agent/comptes/{account}/adresse", "ag ag ag 404 422 403 422 422"),
    ("POST", "/agent/comptes/{account=nadia}/adresse", "ag ag ag 404 404 403 404 404"),
    ("POST", "/agent/comptes/{account=nadia}/second-facteur", "ag ag ag 404 404 403 404 404"),
    ("GET", "/agent/comptes/{account}/identite", "ag ag ag 404 200 403 200 200"),
    ("POST", "/agent/comptes/{account}/identite", "ag ag ag 404 422 403 422 422"),
    ("GET", "/agent/comptes/{account=nadia}/identite", "ag ag ag 404 404 403 404 404"),
    ("POST", "/agent/comptes/{account=nadia}/identite", "ag ag ag 404 404 403 404 404"),
    ("GET", "/agent/courriers", "ag ag ag 200 200 403 200 200"),
    ("POST", "/agent/courriers/imprimer", "ag ag ag 303 303 403 303 303"),
    ("POST", "/agent/courriers/postes", "ag ag ag 303 303 403 303 303"),
    ("GET", "/agent/courriers/demandes", "ag ag ag 200 200 403 200 200"),
    ("POST", "/agent/courriers/demandes/imprimer", "ag ag ag 303 303 403 303 303"),
    ("POST", "/agent/courriers/demandes/postes", "ag ag ag 303 303 403 303 303"),
    // Nothing is sent by letter here.
    ("POST", "/agent/demandes/{request}/actions/{transition=accept}/lettre.pdf", "ag ag ag 404 404 403 403 404"),
    ("GET", "/agent/securite", "ag ag ag 200 200 200 200 200"),
    ("GET", "/agent/securite/second-facteur", "ag ag ag 303 303 303 303 303"),
    ("POST", "/agent/securite/second-facteur", "ag ag ag 422 422 422 422 422"),
    ("GET", "/agent/securite/second-facteur/activer", "ag ag ag 303 303 303 303 303"),
    ("POST", "/agent/securite/second-facteur/activer", "ag ag ag 303 303 303 303 303"),
    ("GET", "/agent/securite/second-facteur/codes", "ag ag ag 303 303 303 303 303"),
    ("POST", "/agent/securite/second-facteur/codes", "ag ag ag 422 422 422 422 422"),
    ("POST", "/agent/securite/second-facteur/retirer", "ag ag ag 422 422 422 422 422"),
    ("GET", "/agent/securite/cles", "ag ag ag 303 303 303 303 303"),
    ("POST", "/agent/securite/cles", "ag ag ag 422 422 422 422 422"),
    ("GET", "/agent/securite/cles/ajouter", "ag ag ag 303 303 303 303 303"),
    ("POST", "/agent/securite/cles/ajouter", "ag ag ag 303 303 303 303 303"),
    ("POST", "/agent/securite/cles/retirer", "ag ag ag 422 422 422 422 422"),
    ("GET", "/agent/securite/identites", "ag ag ag 303 303 303 303 303"),
    ("POST", "/agent/securite/identites", "ag ag ag 404 404 404 404 404"),
    ("POST", "/agent/securite/identites/retirer", "ag ag ag 422 422 422 422 422"),
    ("POST", "/agent/securite/connexions/{session=agent_session}/terminer", "ag ag ag 404 404 404 303 404"),
    ("POST", "/agent/securite/deconnecter", "ag ag ag 303 303 303 303 303"),
    // Signed out, or never in: the same page.
    ("POST", "/agent/deconnexion", "ag ag ag ag ag ag ag ag"),
];

/// What managers do with the agents and the references of their departments: nobody, smuggler, the owner, manager of another city,
/// agent of another department, reader, processor, decider, manager of another department, manager.
pub const MANAGERS: &[(&str, &str, &str)] = &[
    ("GET", "/agent/references", "ag ag ag 200 403 403 403 403 200 200"),
    ("GET", "/agent/references/{service}", "ag ag ag 404 404 403 403 403 404 200"),
    ("POST", "/agent/references/{service}", "ag ag ag 404 404 403 403 403 404 422"),
    ("POST", "/agent/references/{service}/chercher", "ag ag ag 404 404 403 403 403 404 422"),
    ("GET", "/agent/avis", "ag ag ag 200 403 403 403 403 200 200"),
    ("POST", "/agent/avis/{request}", "ag ag ag 404 404 404 404 404 404 404"),
    // Figures and late requests: of one's own departments, for who processes there.
    ("GET", "/agent/statistiques", "ag ag ag 200 200 403 200 200 200 200"),
    // Another city has a department of that name too.
    ("GET", "/agent/statistiques?service=etat-civil", "ag ag ag 200 404 403 200 200 404 200"),
    ("GET", "/agent/statistiques.csv?tableau=volumes", "ag ag ag 200 200 403 200 200 200 200"),
    ("GET", "/agent/statistiques.csv?tableau=volumes&service=etat-civil", "ag ag ag 200 404 403 200 200 404 200"),
    // No department is named.
    ("POST", "/agent/statistiques/courriels", "ag ag ag 404 404 404 404 404 404 404"),
    ("GET", "/agent/statistiques/autrement", "ag ag ag 200 403 403 403 403 200 200"),
    ("GET", "/agent/statistiques/autrement?demarche=acte-naissance", "ag ag ag 200 403 403 403 403 404 200"),
    // No procedure is named.
    ("POST", "/agent/statistiques/autrement", "ag ag ag 404 403 403 403 403 404 404"),
    ("GET", "/agent/retards", "ag ag ag 200 200 403 200 200 200 200"),
    ("GET", "/agent/retards?service=etat-civil", "ag ag ag 200 404 403 200 200 404 200"),
    ("POST", "/agent/retards/rappels", "ag ag ag 400 400 403 400 400 400 400"),
    ("GET", "/agent/modeles", "ag ag ag 200 403 403 403 403 200 200"),
    ("GET", "/agent/modeles/{service=etat-civil}/{modele=courriel-decision}", "ag ag ag 200 403 403 403 403 404 200"),
    ("POST", "/agent/modeles/{service=etat-civil}/{modele=courriel-decision}", "ag ag ag 422 403 403 403 403 404 422"),
    (
        "POST",
        "/agent/modeles/{service=commerce}/{modele=buvette-refus}/apercu.pdf",
        "ag ag ag 422 403 403 403 403 404 404",
    ),
    ("GET", "/agent/delegations", "ag ag ag 200 403 403 403 403 200 200"),
    ("GET", "/agent/delegations/nouvelle?service=etat-civil", "ag ag ag 200 403 403 403 403 404 200"),
    ("POST", "/agent/delegations/nouvelle?service=etat-civil", "ag ag ag 422 403 403 403 403 404 422"),
    ("GET", "/agent/delegations/{delegation}/fin", "ag ag ag 404 403 403 403 403 404 200"),
    ("POST", "/agent/delegations/{delegation}/fin", "ag ag ag 404 403 403 403 403 404 422"),
    ("GET", "/agent/droits/nouveau?service=etat-civil", "ag ag ag 200 403 403 403 403 404 200"),
    // Nothing says which department.
    ("POST", "/agent/droits/nouveau", "ag ag ag 404 403 403 403 403 404 404"),
    ("POST", "/agent/droits/{right=request}/retirer", "ag ag ag 404 403 403 403 403 404 404"),
    ("GET", "/agent/agents", "ag ag ag 200 403 403 403 403 200 200"),
    ("GET", "/agent/agents/{agent=nadia}", "ag ag ag 404 403 403 403 403 404 200"),
    ("POST", "/agent/agents/{agent=nadia}/fin", "ag ag ag 404 403 403 403 403 404 303"),
    ("GET", "/agent/agents/{agent=nadia}/dossiers?service=etat-civil", "ag ag ag 404 403 403 403 403 404 200"),
    ("POST", "/agent/agents/{agent=nadia}/dossiers", "ag ag ag 404 403 403 403 403 404 404"),
    // No department is named.
    ("POST", "/agent/agents/{agent=nadia}/retirer", "ag ag ag 404 403 403 403 403 404 404"),
    // An usager is no agent.
    ("GET", "/agent/agents/{agent=account}", "ag ag ag 404 403 403 403 403 404 404"),
];

/// What administrators do: nobody, smuggler, the owner, an agent of another city who administers it, an agent
/// who decides, an administrator.
pub const ADMINISTRATORS: &[(&str, &str, &str)] = &[
    ("GET", "/agent/journal", "ag ag ag 200 403 200"),
    ("GET", "/agent/applications", "ag ag ag 200 403 200"),
    ("GET", "/agent/applications/ajouter", "ag ag ag 200 403 200"),
    ("POST", "/agent/applications/ajouter", "ag ag ag 422 403 422"),
    ("GET", "/agent/applications/fiche/{client}", "ag ag ag 404 403 200"),
    ("GET", "/agent/applications/fiche/{client}/declaration.toml", "ag ag ag 404 403 200"),
    ("GET", "/agent/applications/fiche/{client}/modifier", "ag ag ag 404 403 200"),
    ("POST", "/agent/applications/fiche/{client}/modifier", "ag ag ag 404 403 422"),
    ("GET", "/agent/applications/fiche/{client}/secret", "ag ag ag 404 403 200"),
    ("POST", "/agent/applications/fiche/{client}/secret", "ag ag ag 404 403 303"),
    ("GET", "/agent/applications/fiche/{client}/retirer", "ag ag ag 404 403 200"),
    ("POST", "/agent/applications/fiche/{client}/retirer", "ag ag ag 404 403 303"),
    // An administrator has no right on requests.
    ("GET", "/agent/demandes/{request}", "ag ag ag 404 200 404"),
    ("GET", "/agent/comptes", "ag ag ag 200 200 403"),
];

/// What archivists do: nobody, smuggler, the owner, archivist of another city, manager, administrator, archivist.
pub const ARCHIVISTS: &[(&str, &str, &str)] = &[
    ("GET", "/agent/archives", "ag ag ag 200 403 403 200"),
    // No department is named; nothing is asked of the list.
    ("POST", "/agent/archives", "ag ag ag 404 403 403 404"),
    ("GET", "/agent/archives/gels", "ag ag ag 200 403 403 200"),
    ("POST", "/agent/archives/gels", "ag ag ag 422 403 403 422"),
    ("GET", "/agent/archives/{disposal}", "ag ag ag 404 403 403 200"),
    ("POST", "/agent/archives/{disposal}", "ag ag ag 404 403 403 400"),
    ("GET", "/agent/archives/{disposal}/bordereau.pdf", "ag ag ag 404 403 403 200"),
    ("GET", "/agent/archives/{disposal}/bordereau.csv", "ag ag ag 404 403 403 200"),
    // An archivist has no right on requests, accounts or the journal.
    ("GET", "/agent/demandes/{request}", "ag ag ag 404 200 404 404"),
    ("GET", "/agent/comptes", "ag ag ag 200 200 403 403"),
    ("GET", "/agent/journal", "ag ag ag 200 403 200 403"),
];
