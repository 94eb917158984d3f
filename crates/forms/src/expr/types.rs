//! The type of every part of an expression, and every mistake about it.

use std::collections::BTreeMap;

use super::{
    ExprError, Scope, Type,
    ast::{Comparison, Each, Node, Shape, Sort, Walk},
    functions::Function,
    lexer::iso_date,
    mistakes::{did_you_mean, habit, listed, nearest, quoted},
    sorts::{advice_on, sort_of},
};

pub(super) struct Checked {
    /// `None` when a mistake hides it.
    pub kind: Option<Type>,
    pub names: BTreeMap<String, Type>,
    pub errors: Vec<ExprError>,
}

/// Types the tree, and writes into it what evaluation needs to know ([`Walk::fields`], [`Sort`]).
pub(super) fn check(source: &str, scope: &Scope, wanted: Option<&Type>, root: &mut Node) -> Checked {
    let mut checker = Checker { source, scope, rows: Vec::new(), names: BTreeMap::new(), errors: Vec::new() };
    let kind = checker.kind(root);
    if let Some(found) = &kind {
        match wanted {
            Some(wanted) if !found.fits(wanted) => {
                let message = format!("Il faut ici {}, et c'est {}.", wanted.says(), found.says());
                checker.refuse(root, message, advice_on(found, wanted));
            }
            None if !found.has_value() => {
                let message = format!("Il faut ici une valeur, et c'est {}.", found.says());
                checker.refuse(root, message, found.advice());
            }
            _ => {}
        }
    }
    Checked { kind, names: checker.names, errors: checker.errors }
}

struct Checker<'s> {
    source: &'s str,
    scope: &'s Scope,
    /// Rows walked through, innermost last.
    rows: Vec<Vec<(String, Type)>>,
    names: BTreeMap<String, Type>,
    errors: Vec<ExprError>,
}

impl Checker<'_> {
    fn refuse(&mut self, node: &Node, message: String, advice: Option<String>) {
        self.errors.push(ExprError { start: node.start, end: node.end, message, advice });
    }

    fn text_of(&self, node: &Node) -> String {
        quoted(self.source.get(node.start..node.end).unwrap_or_default())
    }

    fn kind(&mut self, node: &mut Node) -> Option<Type> {
        match &mut node.shape {
            Shape::Bool(_) => Some(Type::Bool),
            Shape::Number(_) => Some(Type::Number),
            Shape::Text(_) => Some(Type::Text),
            Shape::Date(_) => Some(Type::Date),
            Shape::Path(_) => self.path(node),
            Shape::List(_) => {
                self.refuse(
                    node,
                    "Une liste ne s'emploie qu'après «\u{a0}in\u{a0}».".to_owned(),
                    Some("Écrivez x in [\"a\", \"b\"].".to_owned()),
                );
                None
            }
            Shape::And(nodes) | Shape::Or(nodes) => {
                for node in nodes {
                    self.want(node, &Type::Bool);
                }
                Some(Type::Bool)
            }
            Shape::Not(inner) => {
                self.want(inner, &Type::Bool);
                Some(Type::Bool)
            }
            Shape::Negative(inner) => {
                self.want(inner, &Type::Number);
                Some(Type::Number)
            }
            Shape::Arithmetic(_, sides) => {
                self.want(&mut sides.0, &Type::Number);
                self.want(&mut sides.1, &Type::Number);
                Some(Type::Number)
            }
            Shape::Compare { .. } => self.compare(node),
            Shape::In(sides) => {
                self.among(sides);
                Some(Type::Bool)
            }
            Shape::Call(function, arguments) => self.call(*function, arguments),
            Shape::Each(each, walk) => self.each(*each, walk),
        }
    }

    /// Types `node` and refuses it when it is not `wanted`.
    fn want(&mut self, node: &mut Node, wanted: &Type) {
        let Some(found) = self.kind(node) else { return };
        if !found.fits(wanted) {
            let message = format!("Il faut ici {}\u{a0}; {} est {}.", wanted.says(), self.text_of(node), found.says());
            self.refuse(node, message, advice_on(&found, wanted));
        }
    }

    fn path(&mut self, node: &Node) -> Option<Type> {
        let Shape::Path(path) = &node.shape else { return None };
        let (first, parts) = path.split_first()?;
        let mut found = self.name(first, node)?;
        for part in parts {
            let Type::Parts(known) = &found else {
                self.refuse(node, format!("{} n'a pas de parties.", quoted(first)), None);
                return None;
            };
            match known.iter().find(|(name, _)| name == part) {
                Some((_, kind)) => found = kind.clone(),
                None => {
                    let names = || known.iter().map(|(name, _)| name.as_str());
                    let advice = nearest(part, names())
                        .map_or_else(|| format!("Parties possibles\u{a0}: {}.", listed(names())), did_you_mean);
                    let message = format!("{} n'est pas une partie de {}.", quoted(part), quoted(first));
                    self.refuse(node, message, Some(advice));
                    return None;
                }
            }
        }
        Some(found)
    }

    fn name(&mut self, name: &str, node: &Node) -> Option<Type> {
        for row in self.rows.iter().rev() {
            if let Some((_, kind)) = row.iter().find(|(field, _)| field == name) {
                return Some(kind.clone());
            }
        }
        if let Some(kind) = self.scope.names.get(name) {
            self.names.insert(name.to_owned(), kind.clone());
            return Some(kind.clone());
        }
        let in_rows = self.rows.iter().flatten().map(|(field, _)| field.as_str());
        let known = in_rows.chain(self.scope.names.keys().map(String::as_str));
        let advice = match (habit(name), nearest(name, known)) {
            (Some(word), _) => format!("Écrivez {}.", quoted(word)),
            (_, Some(known)) => did_you_mean(known),
            _ => "Seules les questions qui précèdent peuvent être citées\u{a0}; un texte s'écrit entre guillemets."
                .to_owned(),
        };
        self.refuse(node, format!("Aucune question ne s'appelle {} avant cet endroit.", quoted(name)), Some(advice));
        None
    }

    fn compare(&mut self, node: &mut Node) -> Option<Type> {
        let Shape::Compare { how, sides, sort } = &mut node.shape else { return None };
        let (left, right) = (self.kind(&mut sides.0), self.kind(&mut sides.1));
        let (Some(left), Some(right)) = (left, right) else { return Some(Type::Bool) };
        match sort_of(&left, &right) {
            Some(found) if how.orders() && !matches!(found, Sort::Number | Sort::Date) => {
                let message = format!("{} compare des nombres ou des dates, pas {}.", quoted(how.sign()), left.says());
                self.errors.push(ExprError::new(node.start, node.end, message));
            }
            Some(found) => {
                *sort = found;
                self.option(&left, &sides.1);
                self.option(&right, &sides.0);
            }
            None => {
                let how = *how;
                let advice = self.advice_on_sides(how, (&left, &sides.0), (&right, &sides.1));
                let message = format!(
                    "{} est {} et {} est {}\u{a0}: ils ne se comparent pas.",
                    self.text_of(&sides.0),
                    left.says(),
                    self.text_of(&sides.1),
                    right.says()
                );
                self.errors.push(ExprError { start: node.start, end: node.end, message, advice });
            }
        }
        Some(Type::Bool)
    }

    fn advice_on_sides(&self, how: Comparison, left: (&Type, &Node), right: (&Type, &Node)) -> Option<String> {
        for ((kind, _), (_, literal)) in [(left, right), (right, left)] {
            if let Shape::Text(text) = &literal.shape {
                match kind {
                    Type::Date if iso_date(text).is_some() => return Some(format!("Écrivez date(\"{text}\").")),
                    Type::Date => return Some("Une date s'écrit date(\"2026-09-01\").".to_owned()),
                    Type::Number => return Some(format!("Un nombre s'écrit sans guillemets\u{a0}: {text}.")),
                    Type::Bool => return Some("Une réponse par oui ou non se compare à true ou false.".to_owned()),
                    Type::Choices(_) if !how.orders() => {
                        return Some(format!(
                            "Écrivez \"{text}\" in {}.",
                            self.plain(if std::ptr::eq(literal, left.1) { right.1 } else { left.1 })
                        ));
                    }
                    _ => {}
                }
            }
        }
        left.0.advice().or_else(|| right.0.advice())
    }

    fn plain(&self, node: &Node) -> &str {
        self.source.get(node.start..node.end).unwrap_or_default()
    }

    /// A text compared with a choice must be one of its options.
    fn option(&mut self, kind: &Type, literal: &Node) {
        let (Type::Choice(options) | Type::Choices(options), Shape::Text(text)) = (kind, &literal.shape) else {
            return;
        };
        if options.contains(text) {
            return;
        }
        let names = || options.iter().map(String::as_str);
        let advice =
            nearest(text, names()).map_or_else(|| format!("Choix possibles\u{a0}: {}.", listed(names())), did_you_mean);
        self.refuse(literal, format!("{} n'est pas un choix possible.", quoted(text)), Some(advice));
    }

    fn among(&mut self, sides: &mut (Node, Node)) {
        let (item, list) = sides;
        let kind = self.kind(item);
        if let Shape::List(nodes) = &mut list.shape {
            if nodes.is_empty() {
                self.errors.push(ExprError::new(list.start, list.end, "Cette liste est vide."));
            }
            for node in nodes {
                let found = self.kind(node);
                let (Some(kind), Some(found)) = (&kind, found) else { continue };
                if sort_of(kind, &found).is_none() {
                    let message =
                        format!("{} est {}, et la liste contient {}.", self.text_of(item), kind.says(), found.says());
                    let advice = self.advice_on_sides(Comparison::Equal, (kind, item), (&found, node));
                    self.refuse(node, message, advice);
                } else {
                    self.option(kind, node);
                    self.option(&found, item);
                }
            }
            return;
        }
        let (Some(kind), Some(found)) = (kind, self.kind(list)) else { return };
        match &found {
            Type::Choices(_) if kind.is_text() => self.option(&found, item),
            Type::Choices(_) => {
                self.refuse(
                    item,
                    format!("Il faut ici un texte\u{a0}; {} est {}.", self.text_of(item), kind.says()),
                    None,
                );
            }
            _ => {
                let message = format!(
                    "«\u{a0}in\u{a0}» attend une liste ou une question à plusieurs choix\u{a0}; {} est {}.",
                    self.text_of(list),
                    found.says()
                );
                self.refuse(list, message, Some("Écrivez x in [\"a\", \"b\"] ou \"a\" in question.".to_owned()));
            }
        }
    }

    fn call(&mut self, function: Function, arguments: &mut [Node]) -> Option<Type> {
        match function {
            Function::Answered => {
                for node in arguments {
                    if let Shape::Path(_) = node.shape {
                        self.path(node);
                    } else {
                        self.refuse(node, "«\u{a0}answered\u{a0}» attend le nom d'une question.".to_owned(), None);
                    }
                }
                Some(Type::Bool)
            }
            Function::Today => Some(Type::Date),
            Function::Age | Function::Days | Function::Year => self.uniform(arguments, &Type::Date, Type::Number),
            Function::Length => self.uniform(arguments, &Type::Text, Type::Number),
            Function::Initial => self.uniform(arguments, &Type::Text, Type::Text),
            Function::Round => self.uniform(arguments, &Type::Number, Type::Number),
            Function::Min | Function::Max => self.extreme(arguments),
            Function::If => self.alternative(arguments),
            Function::Count => {
                for node in arguments {
                    match self.kind(node) {
                        None | Some(Type::Rows(_) | Type::Choices(_)) => {}
                        Some(found) => {
                            let message = format!(
                                "«\u{a0}count\u{a0}» attend un groupe répété ou une question à plusieurs choix\u{a0}; {} est {}.",
                                self.text_of(node),
                                found.says()
                            );
                            self.refuse(node, message, None);
                        }
                    }
                }
                Some(Type::Number)
            }
        }
    }

    fn uniform(&mut self, arguments: &mut [Node], wanted: &Type, result: Type) -> Option<Type> {
        for node in arguments {
            self.want(node, wanted);
        }
        Some(result)
    }

    fn extreme(&mut self, arguments: &mut [Node]) -> Option<Type> {
        let (first, others) = arguments.split_first_mut()?;
        let kind = self.kind(first)?;
        if !matches!(kind, Type::Number | Type::Date) {
            let message =
                format!("Il faut ici des nombres ou des dates\u{a0}; {} est {}.", self.text_of(first), kind.says());
            self.refuse(first, message, kind.advice());
            return None;
        }
        self.uniform(others, &kind, kind.clone())
    }

    fn alternative(&mut self, arguments: &mut [Node]) -> Option<Type> {
        let [condition, then, otherwise] = arguments else { return None };
        self.want(condition, &Type::Bool);
        let (then, other) = (self.kind(then)?, self.kind(otherwise)?);
        if then == other {
            Some(then)
        } else if then.is_text() && other.is_text() {
            Some(Type::Text)
        } else {
            let message = format!(
                "Les deux valeurs de «\u{a0}if\u{a0}» doivent se ressembler\u{a0}: l'une est {}, l'autre {}.",
                then.says(),
                other.says()
            );
            self.refuse(otherwise, message, None);
            None
        }
    }

    fn each(&mut self, each: Each, walk: &mut Walk) -> Option<Type> {
        let result = if each == Each::Sum { Type::Number } else { Type::Bool };
        match self.kind(&mut walk.rows)? {
            Type::Rows(fields) => {
                walk.fields = fields.iter().map(|(name, _)| name.clone()).collect();
                self.rows.push(fields);
                self.want(&mut walk.body, &result);
                self.rows.pop();
            }
            found => {
                let message = format!(
                    "{} attend un groupe répété\u{a0}; {} est {}.",
                    quoted(each.name()),
                    self.text_of(&walk.rows),
                    found.says()
                );
                self.refuse(&walk.rows, message, None);
            }
        }
        Some(result)
    }
}
