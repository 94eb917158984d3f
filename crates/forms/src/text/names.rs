//! What a text may name, and what these names stand for in one request.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{
    answers::Answers,
    expr::{Scope, Type, Value},
    kinds::french,
    model::{Field, Procedure},
};

/// The paragraph that an agent adds to a letter: the one value that may be empty.
pub const MOTIVATION: &str = "lettre.motivation";

/// What every request has, whatever its procedure: path, words for who writes, whether it may be missing, and
/// whether mails may say it (an answer or a reason never travels in a mail).
pub const GENERAL: &[(&str, &str, bool, bool)] = &[
    ("demande.reference", "Référence de la demande", false, true),
    ("demande.demarche", "Titre de la démarche", false, true),
    ("demande.envoyee_le", "Jour où la demande a été envoyée", false, true),
    ("demande.delai_legal", "Dernier jour du délai légal, une fois qu’il court", true, true),
    ("usager.nom", "Nom de l’usager", true, false),
    ("usager.adresse", "Adresse de l’usager", true, false),
    ("beneficiaire.nom", "Personne que la demande concerne, si ce n’est pas l’usager", true, false),
    ("service.nom", "Nom du service", false, true),
    ("service.adresse", "Adresse du service", true, true),
    ("service.telephone", "Téléphone du service", true, true),
    ("service.courriel", "Courriel du service", true, true),
    ("collectivite.nom", "Nom de la collectivité", false, true),
    ("collectivite.adresse", "Adresse de la collectivité", true, true),
    ("collectivite.telephone", "Téléphone de la collectivité", true, true),
    ("collectivite.site", "Site de la collectivité", true, true),
    ("agent.nom", "Nom de l’agent qui agit", false, false),
    ("agent.qualite", "Qualité de l’agent qui agit", true, false),
    ("decision.motif", "Motif de droit de la décision", true, false),
    ("decision.faits", "Faits ou texte de la décision", true, false),
    ("lettre.date", "Date de la lettre", false, false),
    (MOTIVATION, "Paragraphe libre de l’agent (peut rester vide)", false, false),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// `demande.reference`, `quotient`, `demandeur.prenoms`.
    pub path: String,
    pub label: String,
    /// A request may be without it: it stands under a condition that names it.
    pub maybe: bool,
    /// It may be missing from an answer that is there: a condition on the whole answer is not enough.
    pub(super) alone: bool,
}

/// Every name that a text may use.
#[derive(Debug, Clone, Default)]
pub struct Names {
    variables: Vec<Variable>,
    pub(super) scope: Scope,
    mail: bool,
}

/// Read over shoulders: what a mail says in its text, and not in its subject.
const NOT_IN_SUBJECTS: &str = "demande.demarche";

impl Names {
    /// For a letter: all of [`GENERAL`].
    #[must_use]
    pub fn letter() -> Self {
        Self::general(|_| true)
    }

    /// For a mail: what says nothing of a person.
    #[must_use]
    pub fn mail() -> Self {
        Self { mail: true, ..Self::general(|mail| mail) }
    }

    /// The same, for the subject.
    #[must_use]
    pub fn subject(&self) -> Self {
        let mut names = self.clone();
        if self.mail {
            names.variables.retain(|variable| variable.path != NOT_IN_SUBJECTS);
        }
        names
    }

    /// Without whoever acts: for a letter that the platform makes by itself.
    #[must_use]
    pub fn unsigned(mut self) -> Self {
        let acts = |path: &str| ["agent.", "decision."].iter().any(|head| path.starts_with(head)) || path == MOTIVATION;
        self.variables.retain(|variable| !acts(&variable.path));
        for head in ["agent", "decision"] {
            self.scope.names.remove(head);
        }
        self
    }

    fn general(wanted: impl Fn(bool) -> bool) -> Self {
        let mut names = Self::default();
        let mut parts: BTreeMap<&str, Vec<(String, Type)>> = BTreeMap::new();
        for (path, label, maybe, _) in GENERAL.iter().filter(|(.., mail)| wanted(*mail)) {
            names.variables.push(Variable {
                path: (*path).to_owned(),
                label: (*label).to_owned(),
                maybe: *maybe,
                alone: true,
            });
            if let Some((head, part)) = path.split_once('.') {
                parts.entry(head).or_default().push((part.to_owned(), Type::Text));
            }
        }
        names.scope.names = parts.into_iter().map(|(head, parts)| (head.to_owned(), Type::Parts(parts))).collect();
        names
    }

    /// The answers of this procedure too, and what its agents answer. A question that has the name of a general
    /// variable cannot be named.
    #[must_use]
    pub fn with(mut self, procedure: &Procedure) -> Self {
        for page in &procedure.pages {
            for field in &page.fields {
                self.field(field, page.show_if.is_some());
            }
        }
        for field in procedure.workflow.form_fields() {
            self.field(field, true);
        }
        self
    }

    fn field(&mut self, field: &Field, hidden: bool) {
        if self.scope.names.contains_key(&field.id) || field.kind.name() == "explanation" {
            return;
        }
        let kind = field.kind.expr_type();
        let computed = field.kind.computed().is_some();
        let maybe = hidden || computed || field.optional || field.show_if.is_some();
        self.variables.push(Variable { path: field.id.clone(), label: field.ask.clone(), maybe, alone: false });
        if let Type::Parts(parts) = &kind {
            for (part, _) in parts {
                let words = part.replace('_', " ");
                let label = format!("{} ({words})", field.ask);
                let alone = field.kind.missing_parts().contains(&part.as_str());
                let path = format!("{}.{part}", field.id);
                self.variables.push(Variable { path, label, maybe: maybe || alone, alone });
            }
        }
        self.scope.names.insert(field.id.clone(), kind);
    }

    pub fn get(&self, path: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.path == path)
    }

    /// In the order in which they are shown to who writes.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }
}

/// What the names stand for.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// As conditions see them.
    pub(super) values: BTreeMap<String, Value>,
    lines: BTreeMap<String, Vec<String>>,
}

impl Known {
    /// A general variable; an empty text is one that is missing.
    pub fn set(&mut self, path: &str, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        self.lines.insert(path.to_owned(), text.split('\n').map(str::to_owned).collect());
        if let Some((head, part)) = path.split_once('.') {
            let known = self.values.entry(head.to_owned()).or_insert_with(|| Value::Parts(BTreeMap::new()));
            if let Value::Parts(parts) = known {
                parts.insert(part.to_owned(), Value::Text(text.to_owned()));
            }
        }
    }

    pub fn set_date(&mut self, path: &str, day: Date) {
        self.set(path, &french::date(day));
    }

    /// The usager's answers and what agents answered. To be called after the general ones were set.
    pub fn answer(&mut self, procedure: &Procedure, answers: &Answers, given: &Answers) {
        let reserved = |id: &str| GENERAL.iter().any(|(path, ..)| path.split_once('.').is_some_and(|it| it.0 == id));
        let asked = procedure.fields().map(|field| (field, answers));
        let told = procedure.workflow.form_fields().map(|field| (field, given));
        for (field, answers) in asked.chain(told).filter(|(field, _)| !reserved(&field.id)) {
            let Some(answer) = answers.get(&field.id) else { continue };
            let lines = field.kind.display(answer);
            if !lines.is_empty() {
                self.lines.insert(field.id.clone(), lines);
            }
            if let Some(value) = field.kind.expr_value(answer) {
                self.values.insert(field.id.clone(), value);
            }
        }
    }

    /// Shows the label of what is missing in its place, for a sample. Conditions do not see it.
    pub fn stand_in(&mut self, names: &Names) {
        for variable in names.variables.iter().filter(|one| one.path != MOTIVATION) {
            if self.lines(&variable.path).is_empty() {
                self.lines.insert(variable.path.clone(), vec![format!("[{}]", variable.label)]);
            }
        }
    }

    /// What is shown for a path; nothing when it is missing.
    pub(super) fn lines(&self, path: &str) -> Vec<String> {
        if let Some(lines) = self.lines.get(path) {
            return lines.clone();
        }
        let part = path.split_once('.').and_then(|(head, part)| match self.values.get(head)? {
            Value::Parts(parts) => parts.get(part),
            _ => None,
        });
        part.map(words).filter(|words| !words.is_empty()).into_iter().collect()
    }
}

/// A part of an answer as people read it.
fn words(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => french::decimal(*number),
        Value::Date(day) => french::date(*day),
        Value::Within(from, to) if from.year() == to.year() => from.year().to_string(),
        Value::Bool(yes) => if *yes { "oui" } else { "non" }.to_owned(),
        Value::List(items) => items.join(", "),
        Value::Within(..) | Value::Parts(_) | Value::Rows(_) | Value::Opaque => String::new(),
    }
}
