//! One complete example of data per template.

use serde_json::{Value, json};

fn common() -> Value {
    json!({
        "authority": { "name": "Ville de Saint-Élier", "color": "#1f5a8a" },
        "department": {
            "name": "Service de l’état civil",
            "address": ["Hôtel de ville", "1, place de la Liberté", "99000 Saint-Élier"],
            "email": "etat-civil@saint-elier.example",
            "phone": "01 99 00 12 34"
        },
        "reference": "SEL-2026-004217",
        "procedure": "Demander un acte de naissance",
        "received": "21 novembre 2026 à 23 h 41",
        "filer": "Noémie Lefèvre-Gaüzère",
        "delay": "Sans réponse de notre part le 21 janvier 2027, votre demande sera considérée comme refusée. Vous pourrez alors saisir le tribunal administratif dans les deux mois.",
        "sections": [
            { "title": "L’acte demandé", "entries": [
                { "label": "Où a eu lieu la naissance\u{a0}?", "value": "À Saint-Élier" },
                { "label": "Quel document souhaitez-vous\u{a0}?", "value": "Copie intégrale" },
                { "label": "Combien d’exemplaires\u{a0}?", "value": "2" }
            ] },
            { "title": "La personne concernée", "entries": [
                { "label": "Nom de naissance", "value": "Gaüzère" },
                { "label": "Prénoms", "value": "Noémie Françoise Zoé" },
                { "label": "Date de naissance", "value": "29 février 1988" },
                { "label": "Parents", "value": ["Cœur Gaüzère", "Anaïs Le Goff"] }
            ] },
            { "title": "Vous", "entries": [
                { "label": "En quelle qualité faites-vous cette demande, pour vous-même ou pour quelqu’un d’autre\u{a0}?", "value": "la personne concernée" },
                { "label": "Adresse", "value": "12 bis, rue de l’Œuvre\nAppartement 4\n99000 Saint-Élier" },
                { "label": "Courriel", "value": "noemie@exemple.example" }
            ] }
        ],
        "pieces": [
            { "label": "Livret de famille", "name": "livret-été.pdf", "size": 1_253_000 },
            { "label": "Mandat", "name": "mandat.jpg", "size": 45_300 }
        ]
    })
}

fn notice() -> Value {
    json!({
        "purpose": "délivrer la copie ou l’extrait demandé.",
        "basis": "mission d’intérêt public.",
        "recipients": ["le service de l’état civil"],
        "retention": "trois mois, puis un an aux archives intermédiaires.",
        "rights": "Vous pouvez demander à voir vos données, à les faire corriger ou effacer, auprès de la personne déléguée à la protection des données\u{a0}: dpo@saint-elier.example. Vous pouvez aussi saisir la Cnil."
    })
}

fn with(mut base: Value, more: &Value) -> Value {
    if let (Value::Object(base), Value::Object(more)) = (&mut base, more) {
        base.extend(more.clone());
    }
    base
}

pub(crate) fn receipt() -> Value {
    with(
        common(),
        &json!({
            "tracking": "SEL-7F3K-29",
            "next": [
                "Le service de l’état civil étudie votre demande.",
                "Vous recevez un courriel dès qu’elle avance.",
                "L’acte vous est envoyé par courrier sous cinq jours ouvrés."
            ],
            "notice": notice()
        }),
    )
}

pub(crate) fn request() -> Value {
    let event = |date: &str, text: &[&str]| json!({ "label": date, "value": text });
    with(
        common(),
        &json!({
            "facts": [
                { "label": "Démarche", "value": "Demander un acte de naissance" },
                { "label": "Usager", "value": "Noémie Lefèvre-Gaüzère" },
                { "label": "Reçue le", "value": "21 novembre 2026 à 23 h 41" },
                { "label": "État", "value": "Acceptée" }
            ],
            "decision": {
                "label": "Demande acceptée",
                "date": "23 novembre 2026 à 10 h 12",
                "author": "Aïcha Benoît, officière d’état civil",
                "text": "L’acte a été trouvé au registre de 1988."
            },
            "parts": [
                { "title": "Historique", "blocks": [{ "entries": [
                    event("21 novembre 2026 à 23 h 41", &["Demande reçue"]),
                    event("23 novembre 2026 à 9 h 02", &["Dossier ouvert", "Service de l’état civil"]),
                    event("23 novembre 2026 à 10 h 12", &["Demande acceptée", "Service de l’état civil"])
                ] }] },
                { "title": "Messages et échanges", "blocks": [
                    { "title": "Noémie Lefèvre-Gaüzère", "entries": [{ "label": "Le", "value": "22 novembre 2026 à 8 h 05" }], "text": "Bonjour,\nl’acte est-il prêt ?" }
                ] },
                { "title": "Pièces et documents à joindre à part", "blocks": [
                    { "title": "1. Mandat", "entries": [{ "label": "Nom du fichier", "value": "mandat.heic" }, { "label": "Pourquoi à part", "value": "Ce format ne s’imprime pas ici." }] }
                ] }
            ],
            "files": []
        }),
    )
}

pub(crate) fn letter() -> Value {
    let span = |text: &str, bold: bool| json!({ "text": text, "bold": bold });
    let paragraph = |spans: Vec<Value>| json!({ "kind": "paragraph", "spans": spans });
    let one = with(
        common(),
        &json!({
            "recipient": {
                "name": "Noémie Lefèvre-Gaüzère",
                "address": ["12 bis, rue de l’Œuvre", "Appartement 4", "99000 Saint-Élier"]
            },
            "place": "Saint-Élier",
            "date": "1er mars 2027",
            "subject": "Refus de votre demande d’acte de naissance",
            "body": [
                paragraph(vec![span("Madame,", false)]),
                paragraph(vec![span("Votre demande est ", false), span("refusée", true), span(".", false)]),
                { "kind": "heading", "spans": [span("Ce que vous pouvez faire", false)] },
                { "kind": "list", "start": null, "items": [
                    [span("demander un extrait sans filiation", false)],
                    [span("nous écrire\nou venir au guichet", false)]
                ] },
                { "kind": "list", "start": 3, "items": [[span("troisièmement", false)]] }
            ],
            "ground": "Décret n° 2017-890 du 6 mai 2017 relatif à l’état civil, article 30.",
            "facts": ["L’acte demandé a moins de soixante-quinze ans.", "Vous n’êtes ni la personne concernée, ni de sa famille proche."],
            "author": {
                "name": "Aïcha Benoît",
                "quality": "Adjointe au maire déléguée à l’état civil",
                "delegation": "Par délégation du maire, arrêté n° 2026-118 du 3 avril 2026",
                "service": "Service de l’état civil"
            },
            "by_hand": true,
            "appeal": [
                "Dans les deux mois, vous pouvez demander au maire de revoir sa décision (recours gracieux).",
                "Vous pouvez aussi saisir le procureur de la République près le tribunal judiciaire."
            ]
        }),
    );
    json!({ "letters": [one] })
}

pub fn code() -> Value {
    let base = common();
    json!({
        "authority": base.get("authority"), "department": base.get("department"),
        "site": "https://demarches.saint-elier.example/compte/identite",
        "letters": [
            { "name": "Noémie Lefèvre-Gaüzère", "address": ["12 bis, rue de l’Œuvre", "99000 Saint-Élier"], "code": "7F3K 29AC DEHM" },
            { "name": "Aïcha Benoît", "address": ["Le Bourg", "99000 Saint-Élier"], "code": "9QRT 42NP XYZ2" }
        ]
    })
}

pub(crate) fn slip() -> Value {
    with(
        common(),
        &json!({
            "subject": "Votre code de suivi",
            "recipient": "Noémie Lefèvre-Gaüzère",
            "opening": "Voici le code qui permet de suivre votre demande «\u{a0}Demander un acte de naissance\u{a0}».",
            "entries": [
                { "label": "Adresse du site", "value": "https://demarches.saint-elier.example/suivre" },
                { "label": "Référence", "value": "SEL-2026-004217" },
                { "label": "Code de suivi", "value": "7F3K2-9ACDE" }
            ],
            "steps": ["Ouvrez la page ci-dessus.", "Tapez la référence, puis le code."],
            "closing": ["Quiconque a ce papier peut voir votre demande\u{a0}: gardez-le en lieu sûr."]
        }),
    )
}

pub(crate) fn blank() -> Value {
    with(
        common(),
        &json!({
            "opening": "À remplir lisiblement et à remettre au service.",
            "parts": [
                {
                    "title": "L’acte demandé",
                    "intro": "Un acte par formulaire.",
                    "questions": [
                        { "ask": "Où la personne est-elle née\u{a0}?", "boxes": ["Dans la commune", "Ailleurs"], "help": "Au moment de sa naissance." },
                        { "ask": "Pour quels usages\u{a0}?", "boxes": ["Un mariage", "Une succession"], "several": true, "when": "Où la personne est-elle née est « Ailleurs »" },
                        { "ask": "Qui est-ce\u{a0}?", "parts": ["Nom de naissance", "Prénoms"] },
                        { "ask": "Depuis quand\u{a0}?", "model": "JJ / MM / AAAA" },
                        { "ask": "Vos remarques", "lines": 3 },
                        { "ask": "À lire", "text": ["L’acte est gratuit."] }
                    ]
                },
                {
                    "title": "Ses enfants",
                    "when": "A-t-elle des enfants est « Oui »",
                    "questions": [{ "ask": "Vos enfants (6 au plus)", "rows": [{ "ask": "Prénom", "lines": 1 }] }]
                }
            ],
            "pieces": [{ "title": "Livret de famille", "help": "Les pages remplies.", "when": "Le cas échéant" }],
            "declaration": "Je certifie que ces renseignements sont exacts.",
            "notice": notice()
        }),
    )
}

pub(crate) fn disposal() -> Value {
    with(
        common(),
        &json!({
            "reference": "BE-0007",
            "made": "21 novembre 2026",
            "state": "Attend le visa",
            "total": "3\u{a0}demandes",
            "parts": [{
                "title": "Demander un acte de naissance",
                "entries": [
                    { "label": "Nombre", "value": "3" },
                    { "label": "Terminées entre le", "value": "3\u{a0}mars 2024 et le 12\u{a0}mai 2025" },
                    { "label": "Durée d’utilité administrative", "value": "1\u{a0}an – Instruction DPACI/RES/2009/018" },
                    { "label": "Sort final", "value": "Élimination" }
                ],
                "references": ["SEL-7F3K-29", "SEL-9QRT-42", "SEL-2ACD-EH"]
            }],
            "kept": [{ "label": "SEL-8XYZ-31", "value": "Jusqu’au 31\u{a0}décembre 2028 : recours en cours" }]
        }),
    )
}
