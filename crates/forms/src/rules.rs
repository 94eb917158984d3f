//! What the rules of a transition work out from the answers: who gets the request, and agents' values.

use crate::{
    answers::{Answers, Json},
    expr::{Env, Type, Value},
    model::Field,
    step::Context,
    workflow::{Assignee, Transition, Workflow},
};

impl Transition {
    /// The department that gets the request; none when it stays where it is.
    pub(crate) fn mover(&self, cx: Context<'_>) -> Option<String> {
        let env = Env { today: cx.day(cx.now), names: cx.known, row: None };
        let rule = self.moves.iter().find(|rule| rule.when.as_ref().is_none_or(|when| when.holds(&env)))?;
        rule.to.clone()
    }

    /// Who gets the request; none when it stays with whom it is.
    pub(crate) fn assignee(&self, cx: Context<'_>) -> Option<Assignee> {
        let env = Env { today: cx.day(cx.now), names: cx.known, row: None };
        let rule = self.assign.iter().find(|rule| rule.when.as_ref().is_none_or(|when| when.holds(&env)))?;
        (rule.to != Assignee::Nobody).then(|| rule.to.clone())
    }
}

impl Workflow {
    /// The values that a transition works out, as answers to their questions; what is not known, or is no answer to
    /// its question, stays as it was.
    pub(crate) fn set(&self, transition: &Transition, cx: Context<'_>) -> Answers {
        let env = Env { today: cx.day(cx.now), names: cx.known, row: None };
        let settings = transition.sets.iter().filter_map(|setting| {
            let field = self.form_fields().find(|field| field.id == setting.field)?;
            let value = setting.value.eval(&env)?;
            Some((field.id.clone(), answer(field, &value)?))
        });
        settings.collect()
    }
}

/// The value as an answer to the question: whichever of its shapes reads as the same value again.
fn answer(field: &Field, value: &Value) -> Option<Json> {
    let shapes: Vec<Json> = match value {
        Value::Bool(known) => vec![(*known).into()],
        Value::Text(text) => vec![text.clone().into()],
        Value::Date(date) => vec![date.to_string().into()],
        // A decimal, or cents.
        Value::Number(number) => {
            let cents = number.checked_mul(100.into()).and_then(|cents| i64::try_from(cents).ok());
            [Some(number.normalize().to_string().into()), cents.map(Json::from)].into_iter().flatten().collect()
        }
        Value::Within(..) | Value::List(_) | Value::Parts(_) | Value::Rows(_) | Value::Opaque => Vec::new(),
    };
    let offered = |shape: &Json| match field.kind.expr_type() {
        Type::Choice(options) => options.iter().any(|option| shape.as_str() == Some(option)),
        _ => true,
    };
    let reads = |shape: &Json| field.kind.expr_value(shape).as_ref() == Some(value) && offered(shape);
    shapes.into_iter().find(reads)
}
