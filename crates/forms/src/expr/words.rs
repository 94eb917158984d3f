//! A condition in French words, for the studio, the checker and the agents. `not` is pushed down
//! to the comparisons, which changes nothing in Kleene's logic and reads better.

use jiff::civil::Date;

use super::{
    ast::{Arithmetic, Comparison, Each, Node, Shape, Sort, Walk},
    functions::Function,
    mistakes::quoted,
};

pub(super) fn says(root: &Node, label: &dyn Fn(&str) -> String) -> String {
    let speaker = Speaker { label, rows: None };
    match root.shape {
        Shape::Number(_) | Shape::Text(_) | Shape::Date(_) | Shape::Negative(_) | Shape::Arithmetic(..) => {
            speaker.thing(root)
        }
        Shape::Call(function, _) if function != Function::Answered => speaker.thing(root),
        Shape::Each(Each::Sum, _) => speaker.thing(root),
        _ => speaker.condition(root, true),
    }
}

struct Speaker<'a> {
    label: &'a dyn Fn(&str) -> String,
    /// The rows walked through, innermost first.
    rows: Option<Walked<'a>>,
}

#[derive(Clone, Copy)]
struct Walked<'a> {
    group: &'a str,
    walk: &'a Walk,
    outer: Option<&'a Walked<'a>>,
}

impl Speaker<'_> {
    /// The condition, or its contrary.
    fn condition(&self, node: &Node, wanted: bool) -> String {
        match &node.shape {
            Shape::Bool(known) => if *known == wanted { "toujours" } else { "jamais" }.to_owned(),
            Shape::Not(inner) => self.condition(inner, !wanted),
            Shape::And(nodes) => self.several(nodes, wanted, if wanted { " et " } else { " ou " }),
            Shape::Or(nodes) => self.several(nodes, wanted, if wanted { " ou " } else { " et " }),
            Shape::Compare { how, sides, sort } => {
                let how = if wanted { *how } else { how.opposite() };
                self.comparison(how, *sort, &sides.0, &sides.1)
            }
            Shape::In(sides) => self.among(&sides.0, &sides.1, wanted),
            Shape::Call(Function::Answered, arguments) => {
                let what = arguments.first().map(|node| self.thing(node)).unwrap_or_default();
                format!("{what} {} réponse", if wanted { "a une" } else { "n'a pas de" })
            }
            Shape::Each(each, walk) => self.rows(*each, walk, wanted),
            _ => format!("{} est {}", self.thing(node), quoted(if wanted { "oui" } else { "non" })),
        }
    }

    fn several(&self, nodes: &[Node], wanted: bool, sign: &str) -> String {
        let parts: Vec<String> = nodes
            .iter()
            .map(|node| {
                let words = self.condition(node, wanted);
                if is_compound(node, wanted) { format!("({words})") } else { words }
            })
            .collect();
        parts.join(sign)
    }

    fn comparison(&self, how: Comparison, sort: Sort, left: &Node, right: &Node) -> String {
        // « "copie" == format » reads better the other way round.
        if is_literal(left) && !is_literal(right) {
            return self.comparison(mirrored(how), sort, right, left);
        }
        let verb = match (sort, how) {
            (Sort::Bool | Sort::Text | Sort::Choice | Sort::Date, Comparison::Equal) => "est",
            (Sort::Bool | Sort::Text | Sort::Choice | Sort::Date, Comparison::Different) => "n'est pas",
            (Sort::Date, Comparison::Less) => "est avant",
            (Sort::Date, Comparison::AtMost) => "est au plus tard",
            (Sort::Date, Comparison::Greater) => "est après",
            (Sort::Date, Comparison::AtLeast) => "est au plus tôt",
            (_, Comparison::Equal) => "vaut",
            (_, Comparison::Different) => "ne vaut pas",
            (_, Comparison::Less) => "vaut moins de",
            (_, Comparison::AtMost) => "vaut au plus",
            (_, Comparison::Greater) => "vaut plus de",
            (_, Comparison::AtLeast) => "vaut au moins",
        };
        let years = matches!((&left.shape, &right.shape), (Shape::Call(Function::Age, _), Shape::Number(_)));
        format!("{} {verb} {}{}", self.thing(left), self.option(left, right), if years { " ans" } else { "" })
    }

    fn among(&self, item: &Node, list: &Node, wanted: bool) -> String {
        let Shape::List(nodes) = &list.shape else {
            let verb = if wanted { "comprend" } else { "ne comprend pas" };
            return format!("{} {verb} {}", self.thing(list), self.option(list, item));
        };
        let options: Vec<String> = nodes.iter().map(|node| self.option(item, node)).collect();
        if wanted {
            format!("{} est {}", self.thing(item), options.join(" ou "))
        } else if let [only] = options.as_slice() {
            format!("{} n'est pas {only}", self.thing(item))
        } else {
            format!("{} n'est ni {}", self.thing(item), options.join(" ni "))
        }
    }

    fn rows(&self, each: Each, walk: &Walk, wanted: bool) -> String {
        let group = self.thing(&walk.rows);
        let body = |wanted| self.in_rows(walk, |inner| inner.condition(&walk.body, wanted));
        match (each, wanted) {
            (Each::Any, true) => format!("au moins une ligne de {group} vérifie ({})", body(true)),
            (Each::Any, false) | (Each::All, true) => {
                format!("chaque ligne de {group} vérifie ({})", body(each == Each::All))
            }
            _ => format!("au moins une ligne de {group} vérifie ({})", body(false)),
        }
    }

    fn in_rows(&self, walk: &Walk, say: impl FnOnce(&Speaker<'_>) -> String) -> String {
        let group = match &walk.rows.shape {
            Shape::Path(path) => path.join("."),
            _ => String::new(),
        };
        let walked = Walked { group: &group, walk, outer: self.rows.as_ref() };
        say(&Speaker { label: self.label, rows: Some(walked) })
    }

    /// A literal compared with `question`: the option's label when it has one.
    fn option(&self, question: &Node, literal: &Node) -> String {
        if let (Shape::Path(path), Shape::Text(text)) = (&question.shape, &literal.shape) {
            let found = (self.label)(&format!("{}={text}", self.full_name(path)));
            return quoted(if found.is_empty() { text } else { &found });
        }
        self.thing(literal)
    }

    /// A value: a question, a number, a computation.
    fn thing(&self, node: &Node) -> String {
        match &node.shape {
            Shape::Bool(known) => quoted(if *known { "oui" } else { "non" }),
            Shape::Number(number) => number.to_string().replace('.', ","),
            Shape::Text(text) => quoted(text),
            Shape::Date(date) => french_date(*date),
            Shape::Path(path) => {
                let name = self.full_name(path);
                let found = (self.label)(&name);
                quoted(if found.is_empty() { &name } else { &found })
            }
            Shape::Negative(inner) => format!("-{}", self.operand(inner)),
            Shape::Arithmetic(sign, sides) => {
                let sign = match sign {
                    Arithmetic::Add => "+",
                    Arithmetic::Subtract => "−",
                    Arithmetic::Multiply => "×",
                    Arithmetic::Divide => "÷",
                };
                format!("{} {sign} {}", self.operand(&sides.0), self.operand(&sides.1))
            }
            Shape::Call(function, arguments) if *function != Function::Answered => self.call(*function, arguments),
            Shape::Each(Each::Sum, walk) => {
                let body = self.in_rows(walk, |inner| inner.thing(&walk.body));
                format!("la somme {} dans {}", of(&body), self.thing(&walk.rows))
            }
            Shape::List(nodes) => nodes.iter().map(|node| self.thing(node)).collect::<Vec<_>>().join(", "),
            _ => format!("({})", self.condition(node, true)),
        }
    }

    fn operand(&self, node: &Node) -> String {
        let words = self.thing(node);
        if matches!(node.shape, Shape::Arithmetic(..) | Shape::Negative(_)) { format!("({words})") } else { words }
    }

    fn call(&self, function: Function, arguments: &[Node]) -> String {
        let words: Vec<String> = match (function, arguments) {
            (Function::If, [condition, others @ ..]) => std::iter::once(self.condition(condition, true))
                .chain(others.iter().map(|node| self.thing(node)))
                .collect(),
            _ => arguments.iter().map(|node| self.thing(node)).collect(),
        };
        match (function, words.as_slice()) {
            (Function::Today, _) => "aujourd'hui".to_owned(),
            (Function::Age, [born]) => format!("l'âge selon {born}"),
            (Function::Age, [born, at]) => format!("l'âge selon {born}, à la date {},", of(at)),
            (Function::Days, [from, until]) => format!("le nombre de jours {} {}", of(from), to(until)),
            (Function::Year, [date]) => format!("l'année {}", of(date)),
            (Function::Length, [text]) => format!("la longueur {}", of(text)),
            (Function::Initial, [text]) => format!("l'initiale {}", of(text)),
            (Function::Round, [number]) => format!("l'arrondi {}", of(number)),
            (Function::Round, [number, decimals]) => format!("l'arrondi {} à {decimals} décimales", of(number)),
            (Function::Min, several) => format!("le plus petit {}", between(several)),
            (Function::Max, several) => format!("le plus grand {}", between(several)),
            (Function::Count, [list]) => format!("le nombre de réponses dans {list}"),
            (Function::If, [condition, then, otherwise]) => format!("({then} si {condition}, sinon {otherwise})"),
            _ => words.join(", "),
        }
    }

    /// `nom` in a row of `enfants` is called `enfants.nom`.
    fn full_name(&self, path: &[String]) -> String {
        let name = path.join(".");
        let first = path.first().map(String::as_str).unwrap_or_default();
        let mut walked = self.rows.as_ref();
        while let Some(row) = walked {
            if row.walk.fields.contains(first) {
                return format!("{}.{name}", row.group);
            }
            walked = row.outer;
        }
        name
    }
}

/// Whether its words would be misread beside another condition: « a et b ou c ».
fn is_compound(node: &Node, wanted: bool) -> bool {
    match &node.shape {
        Shape::Not(inner) => is_compound(inner, !wanted),
        Shape::In(sides) => wanted && matches!(&sides.1.shape, Shape::List(options) if options.len() > 1),
        shape => matches!(shape, Shape::And(_) | Shape::Or(_)),
    }
}

/// « de » before these words: « du 1er mai », « d'aujourd'hui ».
fn of(words: &str) -> String {
    match words.strip_prefix("le ") {
        Some(rest) => format!("du {rest}"),
        None if words.starts_with('a') => format!("d'{words}"),
        None => format!("de {words}"),
    }
}

fn between(words: &[String]) -> String {
    words.iter().map(|words| of(words)).collect::<Vec<_>>().join(" et ")
}

/// « à » before these words: « au 1er mai ».
fn to(words: &str) -> String {
    words.strip_prefix("le ").map_or_else(|| format!("à {words}"), |rest| format!("au {rest}"))
}

fn is_literal(node: &Node) -> bool {
    matches!(node.shape, Shape::Bool(_) | Shape::Number(_) | Shape::Text(_) | Shape::Date(_))
}

/// `3 < x` is `x > 3`.
fn mirrored(how: Comparison) -> Comparison {
    match how {
        Comparison::Less => Comparison::Greater,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::Greater => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
        same => same,
    }
}

fn french_date(date: Date) -> String {
    format!("le {}", crate::kinds::french::date(date))
}
