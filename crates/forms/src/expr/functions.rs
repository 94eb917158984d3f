//! The functions of the language, in one table.

use super::ast::Each;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Answered,
    Today,
    Age,
    Days,
    Year,
    Length,
    Initial,
    Round,
    Min,
    Max,
    If,
    Count,
}

/// What stands behind a function's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Call(Function),
    Each(Each),
    /// `date("2026-09-01")`, a literal.
    Date,
}

pub(super) struct Entry {
    pub name: &'static str,
    pub named: Named,
    /// Fewest and most arguments.
    pub arity: (usize, usize),
    /// How to write it, shown as advice.
    pub usage: &'static str,
}

/// More arguments than anyone writes.
const MANY: usize = 32;

const fn entry(name: &'static str, named: Named, arity: (usize, usize), usage: &'static str) -> Entry {
    Entry { name, named, arity, usage }
}

pub(super) const TABLE: &[Entry] = &[
    entry("answered", Named::Call(Function::Answered), (1, 1), "answered(question)"),
    entry("today", Named::Call(Function::Today), (0, 0), "today()"),
    entry("date", Named::Date, (1, 1), "date(\"2026-09-01\")"),
    entry("age", Named::Call(Function::Age), (1, 2), "age(naissance) ou age(naissance, date(\"2026-09-01\"))"),
    entry("days", Named::Call(Function::Days), (2, 2), "days(debut, fin)"),
    entry("year", Named::Call(Function::Year), (1, 1), "year(naissance)"),
    entry("length", Named::Call(Function::Length), (1, 1), "length(texte)"),
    entry("initial", Named::Call(Function::Initial), (1, 1), "initial(nom)"),
    entry("round", Named::Call(Function::Round), (1, 2), "round(montant, 2)"),
    entry("min", Named::Call(Function::Min), (2, MANY), "min(a, b)"),
    entry("max", Named::Call(Function::Max), (2, MANY), "max(a, b)"),
    entry("if", Named::Call(Function::If), (3, 3), "if(condition, valeur, autre_valeur)"),
    entry("count", Named::Call(Function::Count), (1, 1), "count(enfants)"),
    entry("any", Named::Each(Each::Any), (2, 2), "any(enfants, age(naissance) < 3)"),
    entry("all", Named::Each(Each::All), (2, 2), "all(enfants, age(naissance) < 3)"),
    entry("sum", Named::Each(Each::Sum), (2, 2), "sum(enfants, montant)"),
];

impl Entry {
    pub fn find(name: &str) -> Option<&'static Self> {
        TABLE.iter().find(|entry| entry.name == name)
    }
}

impl Function {
    pub fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.named == Named::Call(self))
    }

    pub fn name(self) -> &'static str {
        self.entry().map_or("", |entry| entry.name)
    }
}

impl Each {
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::All => "all",
            Self::Sum => "sum",
        }
    }
}
