//! What the answers to a question amount to.

use forms::{
    Decimal,
    answers::Answers,
    expr::{Type, Value},
    kinds::Paper,
    model::Field,
};
use serde_json::{Value as Json, json};

/// The public is told of no group smaller than this: somebody might be recognised.
pub const LEAST: usize = 5;
/// Free texts on a page.
pub const PAGE: usize = 50;

/// How many answered a question, and how.
#[derive(Debug, PartialEq, Eq)]
pub struct Count {
    pub answered: usize,
    pub how: How,
}

#[derive(Debug, PartialEq, Eq)]
pub enum How {
    /// Each possible answer, in the order of the file; or each number given, the smallest first, with their mean.
    Shares {
        shares: Vec<(String, usize)>,
        mean: Option<String>,
    },
    Texts(Vec<String>),
}

pub fn count(field: &Field, all: &[Answers]) -> Count {
    let given: Vec<_> = all.iter().filter_map(|answers| answers.get(&field.id)).collect();
    let how = match field.kind.paper() {
        Paper::Boxes { labels, .. } => {
            let lines: Vec<String> = given.iter().flat_map(|answer| field.kind.display(answer)).collect();
            let many = |label: &String| lines.iter().filter(|line| *line == label).count();
            How::Shares { shares: labels.iter().map(|label| (label.clone(), many(label))).collect(), mean: None }
        }
        _ if field.kind.expr_type() == Type::Number => {
            let values = given.iter().filter_map(|answer| field.kind.expr_value(answer));
            numbers(values.filter_map(|value| if let Value::Number(number) = value { Some(number) } else { None }))
        }
        _ => How::Texts(given.iter().map(|answer| field.kind.display(answer).join(" ")).collect()),
    };
    Count { answered: given.len(), how }
}

fn numbers(values: impl Iterator<Item = Decimal>) -> How {
    let mut values: Vec<Decimal> = values.collect();
    values.sort();
    let sum: Decimal = values.iter().sum();
    let mean = (!values.is_empty()).then(|| sum / Decimal::from(values.len()));
    let mut shares: Vec<(String, usize)> = Vec::new();
    for value in values {
        let text = value.normalize().to_string().replace('.', ",");
        match shares.last_mut() {
            Some((last, many)) if *last == text => *many += 1,
            _ => shares.push((text, 1)),
        }
    }
    How::Shares { shares, mean: mean.map(|mean| mean.round_dp(1).to_string().replace('.', ",")) }
}

impl Count {
    /// How many free texts there are to read.
    pub fn texts(&self) -> usize {
        if let How::Texts(texts) = &self.how { texts.len() } else { 0 }
    }

    /// For who manages; `page`: of free texts, from 1.
    pub fn shown(&self, field: &Field, page: usize) -> Json {
        let (shares, mean, texts) = match &self.how {
            How::Shares { shares, mean } => (shares.as_slice(), mean.as_deref(), &[][..]),
            How::Texts(texts) => (&[][..], None, texts.as_slice()),
        };
        let rows: Vec<Json> = shares.iter().map(|(label, many)| self.row(label, Some(*many))).collect();
        let texts: Vec<&String> = texts.iter().skip(page.saturating_sub(1) * PAGE).take(PAGE).collect();
        json!({"ask": field.ask, "answered": self.answered, "rows": rows, "mean": mean.unwrap_or_default(), "texts": texts})
    }

    /// For everybody: no free text, no group smaller than [`LEAST`], nor one that the others would tell by
    /// subtraction; none when there is nothing to say.
    pub fn told(&self, field: &Field) -> Option<Json> {
        let How::Shares { shares, mean } = &self.how else { return None };
        if self.answered < LEAST {
            return None;
        }
        let small = |many: usize| (1..LEAST).contains(&many);
        let mut hidden: Vec<usize> =
            (0..shares.len()).filter(|at| shares.get(*at).is_some_and(|one| small(one.1))).collect();
        if let [only] = hidden.as_slice() {
            let others = (0..shares.len()).filter(|at| at != only && shares.get(*at).is_some_and(|one| one.1 > 0));
            let next = others.min_by_key(|at| shares.get(*at).map_or(0, |one| one.1));
            hidden.extend(next);
        }
        let row = |(at, (label, many)): (usize, &(String, usize))| {
            self.row(label, Some(*many).filter(|_| !hidden.contains(&at)))
        };
        let rows: Vec<Json> = shares.iter().enumerate().map(row).collect();
        Some(
            json!({"ask": field.ask, "answered": self.answered, "rows": rows, "mean": mean.clone().unwrap_or_default(), "texts": []}),
        )
    }

    fn row(&self, label: &str, many: Option<usize>) -> Json {
        let percent = many.map(|many| (many * 100 + self.answered / 2).checked_div(self.answered).unwrap_or_default());
        json!({"label": label, "many": many, "percent": percent})
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use forms::kinds::{choice::Choice, number::Number, text::Text};

    use super::*;

    fn answers(values: &[Json]) -> Vec<Answers> {
        values.iter().map(|value| json!({"q": value}).as_object().cloned().unwrap()).collect()
    }

    fn choice() -> Field {
        let options = [("a", "Avec"), ("s", "Sans"), ("n", "Ni l’un ni l’autre")];
        let options = options.map(|(id, label)| (id.to_owned(), label.to_owned())).to_vec();
        Field::plain("q", "Comment ?", Arc::new(Choice { options }))
    }

    fn many(values: &[(&str, usize)]) -> Vec<Answers> {
        answers(&values.iter().flat_map(|(id, many)| vec![json!(id); *many]).collect::<Vec<_>>())
    }

    fn told(values: &[(&str, usize)]) -> Vec<Option<u64>> {
        let told = count(&choice(), &many(values)).told(&choice());
        told.map_or_else(Vec::new, |told| {
            told["rows"].as_array().unwrap().iter().map(|row| row["many"].as_u64()).collect()
        })
    }

    #[test]
    fn nobody_is_recognised_in_what_is_published() {
        assert_eq!(told(&[("a", 4)]), [], "fewer than five in all");
        assert_eq!(told(&[("a", 5)]), [Some(5), Some(0), Some(0)]);
        assert_eq!(told(&[("a", 9), ("s", 8), ("n", 7)]), [Some(9), Some(8), Some(7)]);
        assert_eq!(
            told(&[("a", 9), ("s", 8), ("n", 2)]),
            [Some(9), None, None],
            "the one hidden is not found by subtraction"
        );
        assert_eq!(told(&[("a", 9), ("s", 3), ("n", 2)]), [Some(9), None, None]);
        assert_eq!(told(&[("a", 9), ("n", 2)]), [None, Some(0), None]);
        let text = Field::plain("q", "Quoi ?", Arc::new(Text::default()));
        let texts = answers(&vec![json!("x"); 9]);
        assert_eq!(count(&text, &texts).told(&text), None);
        assert_eq!(count(&text, &texts).shown(&text, 1)["texts"].as_array().unwrap().len(), 9);
        assert_eq!(count(&text, &texts).shown(&text, 2)["texts"].as_array().unwrap().len(), 0);
    }

    #[test]
    fn a_scale_has_a_mean_and_its_distribution() {
        let scale = Field::plain("q", "Combien ?", Arc::new(Number::default()));
        let given = count(&scale, &answers(&[json!("4"), json!("5"), json!("5")]));
        assert_eq!(given.answered, 3);
        let How::Shares { shares, mean } = &given.how else { panic!("{given:?}") };
        assert_eq!(
            (shares.as_slice(), mean.as_deref()),
            (&[("4".to_owned(), 1), ("5".to_owned(), 2)][..], Some("4,7"))
        );
    }
}
