//! What else is made of a procedure's answers: expressions' values, a form filled in.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{
    answers::{Answers, Input, Json, Raw},
    expr::{Expr, Value},
    kinds::Today,
    model::{Field, Procedure},
};

impl Procedure {
    /// Every field of every page, in order; those of rows are behind their group.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.pages.iter().flat_map(|page| &page.fields)
    }

    /// Who receives the answers: as the notice says, and the applications that its circuit calls.
    pub fn recipients(&self) -> Vec<&str> {
        let called = self.workflow.webhooks.iter().map(|webhook| webhook.label.as_str());
        let experts = self.workflow.opinions.iter().filter_map(|one| Some(one.expert()?.name.as_str()));
        self.notice.recipients.iter().map(String::as_str).chain(called).chain(experts).collect()
    }

    /// The answers of a sent request, as expressions see them.
    pub fn values(&self, answers: &Answers) -> BTreeMap<String, Value> {
        given(self.fields(), answers)
            .filter_map(|(field, answer)| Some((field.id.clone(), field.kind.expr_value(answer)?)))
            .collect()
    }

    /// The same of what agents answered to forms.
    pub fn form_values(&self, answers: &Answers) -> BTreeMap<String, Value> {
        given(self.workflow.form_fields(), answers)
            .filter_map(|(field, answer)| Some((field.id.clone(), field.kind.expr_value(answer)?)))
            .collect()
    }

    /// The person the request is for, from what was typed so far: « Léa Martin ». None when it is the
    /// filer, or when nobody is named yet.
    pub fn beneficiary(&self, raw: &Raw) -> Option<String> {
        let field = self.beneficiary_field()?;
        let name = field.kind.person()?(Input { raw, name: &field.id });
        Some(name).filter(|name| !name.is_empty())
    }

    /// The same, from the answers of a sent request.
    pub fn beneficiary_of(&self, answers: &Answers) -> Option<String> {
        let (field, mut raw) = (self.beneficiary_field()?, Raw::default());
        field.kind.fill(&field.id, answers.get(&field.id)?, &mut raw);
        self.beneficiary(&raw)
    }

    /// The question that names the person the request is for, when somebody living may be proposed.
    pub fn takes_up(&self) -> Option<&Field> {
        self.beneficiary_field().filter(|field| field.kind.takes_up())
    }

    fn beneficiary_field(&self) -> Option<&Field> {
        let id = self.beneficiary.as_deref()?;
        self.fields().find(|field| field.id == id)
    }

    /// The form as it would have been typed, to correct or to start again from the same answers.
    pub fn fill(&self, answers: &Answers) -> Raw {
        let mut raw = Raw::default();
        fill(self.fields(), "", answers, &mut raw);
        raw
    }

    /// A condition in French words, with the questions and their answers as people read them.
    pub fn says(&self, condition: &Expr) -> String {
        condition.says(&|name| self.words_of(name).unwrap_or_default())
    }

    /// The question behind `format` or `demandeur.date_naissance`, or the answer behind `format=copie`.
    pub(super) fn words_of(&self, name: &str) -> Option<String> {
        let (path, option) = name.split_once('=').map_or((name, None), |(path, option)| (path, Some(option)));
        let (id, row) = path.split_once('.').map_or((path, None), |(id, part)| (id, Some(part)));
        let field = self.fields().chain(self.workflow.form_fields()).find(|field| field.id == id)?;
        let rows = field.kind.group().map(|group| group.fields.iter());
        let field = rows.and_then(|mut rows| rows.find(|field| Some(field.id.as_str()) == row)).unwrap_or(field);
        let Some(option) = option else { return Some(field.ask.clone()) };
        let mut shown = field.kind.display(&Json::from(option));
        if shown.is_empty() {
            shown = field.kind.display(&Json::from(vec![option]));
        }
        shown.into_iter().next()
    }

    /// A plausible filled-in form, with one row at least in each group.
    pub fn sample(&self, today: Date) -> Raw {
        let mut raw = Raw::default();
        sample(self.fields(), "", Today(today), &mut raw);
        raw
    }

    /// Moves what was typed under a field's former id (`was`) to its present one.
    pub fn follow_renames(&self, raw: &Raw) -> Raw {
        let renamed: Vec<(&str, &str)> =
            self.fields().filter_map(|field| Some((field.was.as_deref()?, field.id.as_str()))).collect();
        let mut followed = Raw::default();
        for (key, values) in &raw.0 {
            let (first, rest) = key.split_at(key.find('.').unwrap_or(key.len()));
            let found = renamed.iter().find(|(was, _)| *was == first);
            let present = found.map(|(_, id)| format!("{id}{rest}")).filter(|name| !raw.0.contains_key(name));
            followed.0.insert(present.unwrap_or_else(|| key.clone()), values.clone());
        }
        followed
    }
}

pub(super) fn given<'a>(
    fields: impl IntoIterator<Item = &'a Field>,
    answers: &'a Answers,
) -> impl Iterator<Item = (&'a Field, &'a Json)> {
    fields.into_iter().filter_map(|field| Some((field, answers.get(&field.id)?)))
}

/// The rows of a group's answer.
pub(super) fn rows(answer: &Json) -> impl Iterator<Item = &Answers> {
    answer.as_array().into_iter().flatten().filter_map(Json::as_object)
}

fn fill<'a>(fields: impl IntoIterator<Item = &'a Field>, prefix: &str, answers: &'a Answers, raw: &mut Raw) {
    for (field, answer) in given(fields, answers) {
        let name = format!("{prefix}{}", field.id);
        match field.kind.group() {
            Some(group) => {
                for (at, row) in rows(answer).enumerate() {
                    fill(&group.fields, &format!("{name}.{at}."), row, raw);
                }
            }
            None if field.kind.silent() => {}
            None => field.kind.fill(&name, answer, raw),
        }
    }
}

fn sample<'a>(fields: impl IntoIterator<Item = &'a Field>, prefix: &str, today: Today, raw: &mut Raw) {
    for field in fields {
        let name = format!("{prefix}{}", field.id);
        match field.kind.group() {
            Some(group) => {
                for at in 0..group.min.max(1).min(group.max) {
                    sample(&group.fields, &format!("{name}.{at}."), today, raw);
                }
            }
            None if field.kind.silent() => {}
            None => field.kind.sample(&name, today, raw),
        }
    }
}
