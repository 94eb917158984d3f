//! `yes-no`: two radio buttons. Typed `oui` or `non`; its answer is a boolean.

use super::{
    Kind, Narrows, Options, Paper, Today, choice,
    clean::{self, wrong},
    french::quoted,
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &[];

#[derive(Debug, Clone, Default)]
pub struct YesNo;

impl YesNo {
    pub fn read(_keys: &mut dyn Options) -> Self {
        Self
    }
}

fn say(field: &Field) -> String {
    format!("Répondez Oui ou Non à {}", quoted(&field.ask))
}

impl Kind for YesNo {
    fn name(&self) -> &'static str {
        "yes-no"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        match clean::fold(input.text()).as_str() {
            "" => Ok(None),
            "oui" => Ok(Some(true.into())),
            "non" => Ok(Some(false.into())),
            _ => wrong(say(field)),
        }
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.set(name, answer.as_bool().map_or("", |it| if it { "oui" } else { "non" }));
    }

    fn paper(&self) -> Paper {
        Paper::Boxes { labels: vec!["Oui".to_owned(), "Non".to_owned()], several: false }
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        answer.as_bool().map(|it| if it { "Oui" } else { "Non" }.to_owned()).into_iter().collect()
    }

    fn narrows(&self) -> Narrows<'_> {
        Narrows::One(vec![("oui", "Oui"), ("non", "Non")])
    }

    fn expr_type(&self) -> Type {
        Type::Bool
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        answer.as_bool().map(Value::Bool)
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        let options = [("oui".to_owned(), "Oui".to_owned()), ("non".to_owned(), "Non".to_owned())];
        choice::view(&options, input, |id| id == clean::fold(input.text()))
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        raw.set(name, "oui");
    }

    fn missing(&self, field: &Field) -> String {
        clean::missing(field, || say(field))
    }
}
