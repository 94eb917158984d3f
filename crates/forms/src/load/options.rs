//! What a kind asks of its field's mapping, answered with findings at the right place.

use std::str::FromStr;

use rust_decimal::Decimal;

use super::{
    field,
    keys::{self, Keys, advised},
    node::Node,
    scope::Reader,
};
use crate::{
    expr::{Expr, Type},
    kinds::{DayBound, Options},
    model::Field,
};

pub(super) struct FieldOptions<'a, 'n, 'f> {
    pub keys: &'a mut Keys<'n>,
    pub reader: &'a mut Reader<'f>,
}

impl FieldOptions<'_, '_, '_> {
    fn parsed<T: FromStr>(&mut self, key: &str, wanted: &str) -> Option<T> {
        let node = self.keys.take(key)?;
        let value = node.text().and_then(|text| text.parse().ok());
        if value.is_none() {
            let message = format!("« {key} » : {wanted} est attendu ici, pas {}.", said(node));
            self.reader.found.push(node.at.finding(message));
        }
        value
    }

    fn pair(&mut self, entry: &super::node::Entry) -> Option<(String, String)> {
        let id = keys::option(&entry.at, &entry.key, self.reader.found)?;
        Some((id, keys::text(&entry.value, self.reader.found)?))
    }
}

/// What was written, as it is when it is short.
fn said(node: &Node) -> String {
    match node.text() {
        Some(text) if !text.is_empty() && text.chars().count() < 40 => format!("« {text} »"),
        _ => node.shape().to_owned(),
    }
}

impl Options for FieldOptions<'_, '_, '_> {
    fn text(&mut self, key: &str) -> Option<String> {
        self.keys.text(key, self.reader.found)
    }

    fn integer(&mut self, key: &str) -> Option<i64> {
        self.parsed(key, "un nombre entier")
    }

    fn decimal(&mut self, key: &str) -> Option<Decimal> {
        self.parsed(key, "un nombre (12 ou 12.50)")
    }

    fn flag(&mut self, key: &str) -> Option<bool> {
        self.keys.take(key).and_then(|node| keys::flag(node, self.reader.found))
    }

    fn pairs(&mut self, key: &str) -> Option<Vec<(String, String)>> {
        let node = self.keys.take(key)?;
        let Some(entries) = node.map() else {
            let message = format!("« {key} » : des réponses possibles sont attendues ici, pas {}.", node.shape());
            let advice = "Écrivez {identifiant: Libellé, autre: Autre libellé}.";
            self.reader.found.push(advised(&node.at, message, advice));
            return None;
        };
        let entries = entries.iter().filter(|entry| entry.key != "note");
        Some(entries.filter_map(|entry| self.pair(entry)).collect())
    }

    fn fields(&mut self, key: &str) -> Option<Vec<Field>> {
        let node = self.keys.take(key)?;
        let nodes = keys::items(node, self.reader.found);
        Some(field::read_rows(nodes, self.reader))
    }

    fn rows(&mut self, key: &str) -> Option<(u32, u32, String)> {
        let node = self.keys.take(key)?;
        let found = &mut *self.reader.found;
        let mut keys = Keys::new(node, "des lignes", found)?;
        let min = keys.take("min").map_or(Some(0), |node| keys::whole(node, 0, found));
        let max = keys.need("max", found).and_then(|node| keys::whole(node, 1, found));
        let title = keys.need("title", found).and_then(|node| keys::text(node, found));
        keys.finish(found);
        let (min, max) = min.zip(max)?;
        Some((min, max, title?))
    }

    fn expr(&mut self, key: &str, wanted: Option<&Type>) -> Option<Expr> {
        let node = self.keys.take(key)?;
        self.reader.expr(node, wanted)
    }

    fn day(&mut self, key: &str) -> Option<DayBound> {
        let node = self.keys.take(key)?;
        let text = keys::text(node, self.reader.found)?;
        match DayBound::from_str(&text) {
            Ok(day) => Some(day),
            Err(error) => {
                let message = format!("« {key} » : « {text} » n'est pas un jour.");
                self.reader.found.push(advised(&node.at, message, format!("{error}.")));
                None
            }
        }
    }

    fn wrong(&mut self, key: &str, message: &str) {
        let at = self.keys.take(key).map_or(self.keys.at, |node| &node.at);
        let end = if message.ends_with('.') { "" } else { "." };
        self.reader.found.push(at.finding(format!("{message}{end}")));
    }

    fn required(&mut self, key: &str) {
        // Present but wrong: already said.
        if self.keys.take(key).is_none() {
            self.reader.found.push(self.keys.at.finding(format!("Il manque la clé « {key} » de la question.")));
        }
    }
}
