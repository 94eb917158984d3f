//! `choices`: several answers among some (checkboxes). Its answer is an array of option ids, in the
//! order of the procedure.

use serde_json::json;

use super::{
    Kind, Narrows, Options, Paper, Today, choice,
    clean::{self, wrong},
    french::{plural, quoted},
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &["options", "min", "max"];

#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// Ids and labels, in the order shown.
    pub options: Vec<(String, String)>,
    /// Fewest answers, once there is one.
    pub min: Option<usize>,
    pub max: Option<usize>,
}

impl Choices {
    pub fn read(keys: &mut dyn Options) -> Self {
        let options = choice::options(keys, 1);
        let (min, max) = (count(keys, "min", &options), count(keys, "max", &options));
        if min.zip(max).is_some_and(|(min, max)| min > max) {
            keys.wrong("max", "Le maximum est plus petit que le minimum.");
        }
        Self { options, min, max }
    }

    fn counted(&self, field: &Field, count: usize) -> Result<(), Vec<Problem>> {
        let ask = quoted(&field.ask);
        let answers = |it| plural(it, "réponse", "réponses");
        if let Some(min) = self.min.filter(|min| count < *min) {
            return wrong(format!("Choisissez au moins {} pour {ask}", answers(min)));
        }
        if let Some(max) = self.max.filter(|max| count > *max) {
            return wrong(format!("Choisissez au plus {} pour {ask}", answers(max)));
        }
        Ok(())
    }
}

fn count(keys: &mut dyn Options, key: &str, options: &[(String, String)]) -> Option<usize> {
    let count = keys.integer(key)?;
    let within = usize::try_from(count).ok().filter(|it| (1..=options.len()).contains(it));
    if within.is_none() && !options.is_empty() {
        keys.wrong(key, &format!("Donnez un nombre de réponses de 1 à {}.", options.len()));
    }
    within
}

fn ids(answer: &Json) -> impl Iterator<Item = &str> {
    answer.as_array().into_iter().flatten().filter_map(Json::as_str)
}

impl Kind for Choices {
    fn name(&self) -> &'static str {
        "choices"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let typed: Vec<&str> = input.all().collect();
        if typed.is_empty() {
            return Ok(None);
        }
        if typed.iter().any(|it| !self.options.iter().any(|(id, _)| id == it)) {
            return wrong(format!("Choisissez parmi les réponses proposées pour {}", quoted(&field.ask)));
        }
        let known = self.options.iter().map(|(id, _)| id.as_str());
        let chosen: Vec<&str> = known.filter(|id| typed.contains(id)).collect();
        self.counted(field, chosen.len())?;
        Ok(Some(chosen.into()))
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.0.insert(name.to_owned(), ids(answer).map(str::to_owned).collect());
    }

    fn paper(&self) -> Paper {
        Paper::Boxes { labels: choice::labels(&self.options), several: true }
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        ids(answer).map(|id| choice::label(&self.options, id).to_owned()).collect()
    }

    fn narrows(&self) -> Narrows<'_> {
        Narrows::Nothing
    }

    fn expr_type(&self) -> Type {
        Type::Choices(self.options.iter().map(|(id, _)| id.clone()).collect())
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        answer.as_array().map(|_| Value::List(ids(answer).map(str::to_owned).collect()))
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        let mut view = choice::view(&self.options, input, |id| input.all().any(|it| it == id));
        if let Some(keys) = view.as_object_mut() {
            keys.insert("min".to_owned(), json!(self.min));
            keys.insert("max".to_owned(), json!(self.max));
        }
        view
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        let first = self.options.iter().take(self.min.unwrap_or(1)).map(|(id, _)| id.clone());
        raw.0.insert(name.to_owned(), first.collect());
    }

    fn missing(&self, field: &Field) -> String {
        clean::missing(field, || format!("Choisissez au moins une réponse pour {}", quoted(&field.ask)))
    }
}
