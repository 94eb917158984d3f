//! What the answers to a question amount to.

use forms::{
    Decimal,
    answers::Answers,
    expr::{Type, Value},
    kinds::Paper,
    model::{Field, Survey},
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

    /// For everybody: no free text, no group smaller than [`LEAST`], nor one that the rest would tell. None when there
    /// is nothing to say.
    fn told(&self, field: &Field) -> Option<Told> {
        let How::Shares { shares, mean } = &self.how else { return None };
        if self.answered < LEAST {
            return None;
        }
        let grouped;
        let shares = if field.kind.expr_type() == Type::Number {
            grouped = apart(shares);
            &grouped
        } else {
            shares
        };
        let hidden = hidden(&shares.iter().map(|(_, many)| *many).collect::<Vec<_>>())?;
        let row = |(at, (label, many)): (usize, &(String, usize))| {
            self.row(label, Some(*many).filter(|_| !hidden.contains(&at)))
        };
        let rows: Vec<Json> = shares.iter().enumerate().map(row).collect();
        // With the sum of all, a mean would tell what is hidden.
        let hides = !hidden.is_empty() || shares.iter().any(|(label, _)| label == OTHERS);
        let mean = mean.clone().filter(|_| !hides).unwrap_or_default();
        let shown = json!({"ask": field.ask, "answered": self.answered, "rows": rows, "mean": mean, "texts": []});
        Some(Told { shown, hides })
    }

    fn row(&self, label: &str, many: Option<usize>) -> Json {
        let percent = many.map(|many| (many * 100 + self.answered / 2).checked_div(self.answered).unwrap_or_default());
        json!({"label": label, "many": many, "percent": percent})
    }
}

struct Told {
    shown: Json,
    /// Whether a row of it is not told.
    hides: bool,
}

/// What everybody may read of all the answers. How many met a question that only some are asked tells how many gave
/// the answer that it depends on: such questions are told where nothing else is hidden.
pub fn published(survey: &Survey, all: &[Answers]) -> Json {
    let told: Vec<(bool, Told)> = survey
        .fields
        .iter()
        .filter_map(|field| Some((field.show_if.is_some(), count(field, all).told(field)?)))
        .collect();
    let hides = told.iter().any(|(_, one)| one.hides);
    let shown = told.into_iter().filter(|(some, _)| !(hides && *some)).map(|(_, one)| one.shown);
    let many = if all.len() < LEAST { 0 } else { all.len() };
    json!({"many": many, "questions": shown.collect::<Vec<_>>()})
}

const OTHERS: &str = "Autres valeurs";

/// A number that few gave is told to nobody, not even that it was given.
fn apart(shares: &[(String, usize)]) -> Vec<(String, usize)> {
    let (mut told, few): (Vec<_>, Vec<_>) = shares.iter().cloned().partition(|(_, many)| *many >= LEAST);
    let mut others: usize = few.iter().map(|(_, many)| many).sum();
    while (1..LEAST).contains(&others) {
        let least = (0..told.len()).min_by_key(|at| told.get(*at).map_or(0, |one| one.1));
        let Some(at) = least else { break };
        others += told.remove(at).1;
    }
    told.extend((others > 0).then(|| (OTHERS.to_owned(), others)));
    told
}

/// Which of these groups are not told: the small ones and those that nobody chose, as soon as one is small; then
/// larger ones, until what is hidden together neither is small nor can be made of it in one way only. None when even
/// all of them would tell.
fn hidden(groups: &[usize]) -> Option<Vec<usize>> {
    let small = |many: usize| many < LEAST;
    if !groups.iter().any(|many| *many > 0 && small(*many)) {
        return Some(Vec::new());
    }
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|at| groups.get(*at));
    let of = |hidden: &[usize]| hidden.iter().filter_map(|at| groups.get(*at)).copied().collect::<Vec<usize>>();
    let first = groups.iter().filter(|many| small(**many)).count();
    (first..=groups.len()).find_map(|many| {
        let hidden = order.get(..many)?;
        let (sum, all_small) = (of(hidden).iter().sum::<usize>(), many == first);
        let told = sum < LEAST || (all_small && sum == (LEAST - 1) * many);
        (many > 1 && !told).then(|| hidden.to_vec())
    })
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

    fn rows(told: Option<Told>) -> Vec<(String, Option<u64>)> {
        let rows = told.map(|told| told.shown["rows"].as_array().unwrap().clone()).unwrap_or_default();
        rows.iter().map(|row| (row["label"].as_str().unwrap().to_owned(), row["many"].as_u64())).collect()
    }

    fn told(values: &[(&str, usize)]) -> Vec<Option<u64>> {
        rows(count(&choice(), &many(values)).told(&choice())).into_iter().map(|(_, many)| many).collect()
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
        assert_eq!(told(&[("a", 9), ("s", 1), ("n", 1)]), [None, None, None], "two hidden that are two together");
        assert_eq!(told(&[("a", 9), ("s", 4), ("n", 4)]), [None, None, None], "eight of two small ones");
        assert_eq!(told(&[("s", 4), ("n", 4)]), [None, None, None]);
        assert_eq!(told(&[("a", 4), ("s", 4), ("n", 4)]), [], "twelve of three small ones");
        assert_eq!(told(&[("a", 9), ("n", 2)]), [None, None, None]);
        let text = Field::plain("q", "Quoi ?", Arc::new(Text::default()));
        let texts = answers(&vec![json!("x"); 9]);
        assert!(count(&text, &texts).told(&text).is_none());
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

    #[test]
    fn a_number_that_few_gave_is_told_to_nobody() {
        let scale = Field::plain("q", "Combien ?", Arc::new(Number::default()));
        let told = |groups: &[(&str, usize)]| {
            let all: Vec<Json> = groups.iter().flat_map(|(value, many)| vec![json!(value); *many]).collect();
            let told = count(&scale, &answers(&all)).told(&scale);
            let mean = told.as_ref().map(|told| told.shown["mean"].as_str().unwrap().to_owned()).unwrap_or_default();
            (rows(told), mean)
        };
        let row = |label: &str, many| (label.to_owned(), Some(many));
        assert_eq!(told(&[("4", 5), ("5", 6)]), (vec![row("4", 5), row("5", 6)], "4,5".to_owned()));
        assert_eq!(told(&[("4", 5), ("5", 6), ("237", 1)]), (vec![row("5", 6), row(OTHERS, 6)], String::new()));
        assert_eq!(told(&[("4", 9), ("1", 3), ("2", 2)]), (vec![row("4", 9), row(OTHERS, 5)], String::new()));
        assert_eq!(told(&[("5", 9), ("1", 1)]), (vec![row(OTHERS, 10)], String::new()));
    }
}
