//! Walking the fields of a page, and the rows of its groups: « Ajouter », « Retirer ».

use forms::{
    answers::Raw,
    journey::{FieldReading, PageReading},
    model::{Field, Page},
};

use crate::requests::form::Form;

/// Names of the shown fields with problems, rows included.
pub fn problems(page: &PageReading<'_>) -> Vec<String> {
    shown(page, |field| !field.problems.is_empty())
}

/// Names of the shown fields, rows included.
pub fn names(page: &PageReading<'_>) -> String {
    shown(page, |_| true).join(",")
}

fn shown(page: &PageReading<'_>, keep: impl Fn(&FieldReading<'_>) -> bool) -> Vec<String> {
    let mut left: Vec<&FieldReading<'_>> = page.fields.iter().rev().collect();
    let mut found = Vec::new();
    while let Some(field) = left.pop() {
        if !field.shown {
            continue;
        }
        if keep(field) {
            found.push(field.name.clone());
        }
        left.extend(field.rows.iter().rev().flat_map(|row| row.iter().rev()));
    }
    found
}

/// « Ajouter un enfant », « Retirer »: true when one was pressed.
pub fn change_rows(page: &Page, form: &mut Form) -> bool {
    let group = |name: &str| {
        page.fields
            .iter()
            .find(|field| field.id == name)
            .and_then(|field| field.kind.group().map(|group| (field, group.fields.first())))
    };
    match form.pressed(&["ajouter", "retirer-rang"]).map(|(button, value)| (button.to_owned(), value.to_owned())) {
        Some((button, name)) if button == "ajouter" => {
            if let Some((field, Some(first))) = group(&name) {
                let next = rows(&form.typed, &field.id);
                form.typed.set(format!("{}.{next}.{}", field.id, first.id), "");
            }
            true
        }
        Some((_, value)) => {
            if let Some((name, Ok(index))) = value.rsplit_once('.').map(|(name, index)| (name, index.parse::<usize>()))
                && let Some((field, _)) = group(name)
            {
                form.typed = without_row(&form.typed, field, index);
            }
            true
        }
        None => false,
    }
}

/// How many rows were sent for a group.
fn rows(typed: &Raw, group: &str) -> usize {
    let index = |name: &String| name.strip_prefix(group)?.strip_prefix('.')?.split('.').next()?.parse::<usize>().ok();
    typed.0.keys().filter_map(index).max().map_or(0, |last| last + 1)
}

/// The form without one row; those after it move up.
fn without_row(typed: &Raw, group: &Field, removed: usize) -> Raw {
    let moved = |name: &str| -> Option<String> {
        let Some(rest) = name.strip_prefix(group.id.as_str()).and_then(|rest| rest.strip_prefix('.')) else {
            return Some(name.to_owned());
        };
        let (index, part) = rest.split_once('.')?;
        let index: usize = index.parse().ok()?;
        match index.cmp(&removed) {
            std::cmp::Ordering::Less => Some(name.to_owned()),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(format!("{}.{}.{part}", group.id, index - 1)),
        }
    };
    Raw(typed.0.iter().filter_map(|(name, values)| moved(name).map(|name| (name, values.clone()))).collect())
}
