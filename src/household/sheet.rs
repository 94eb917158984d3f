//! One form of the household: questions drawn as in requests, one button.

use axum::response::Response;
use forms::{
    answers::{Problem as Wrong, Raw},
    journey::FieldReading,
};
use minijinja::{Value, context, value::Serde};
use uuid::Uuid;

use crate::{
    error::Problem,
    requests::{Drawing, Drawn},
    visit::{Citizen, Visitor},
};

/// Holds the id of what is to be: a form sent twice makes it once.
pub const NEW: &str = "membre";

/// Where a form leads back: its address and name.
pub type Back<'a> = (&'a str, &'a str);

/// What tells one form of the household from another.
pub struct Sheet<'a> {
    /// Tells its fields from those of the same name in other forms; none when what they ask depends on the
    /// person, so that nothing drawn of them is kept.
    pub form: Option<i64>,
    pub back: Back<'a>,
    pub title: &'a str,
    pub intro: &'a str,
    /// Id of what is to be declared, or none.
    pub new: Option<Uuid>,
    pub button: &'a str,
    /// Whether what is noted may be taken back.
    pub undo: bool,
}

impl Sheet<'_> {
    /// The form again, with what stands against it at its first question: nothing typed is lost.
    pub fn refuse(
        &self,
        citizen: &Citizen,
        readings: &mut [FieldReading<'_>],
        raw: &Raw,
        text: &str,
    ) -> Result<Response, Problem> {
        if let Some(first) = readings.first_mut() {
            first.problems.push(Wrong::new(text));
        }
        self.draw(citizen, readings, raw, true)
    }

    /// `again`: with what is wrong.
    pub fn draw(
        &self,
        citizen: &Citizen,
        readings: &[FieldReading<'_>],
        raw: &Raw,
        again: bool,
    ) -> Result<Response, Problem> {
        let Drawn { html, errors, .. } = fields(citizen, self.form, readings, raw, again)?;
        let (back, back_label) = self.back;
        let context = context! {
            heading => self.title, intro => self.intro, back => back, back_label => back_label, errors => Serde(errors), fields_html => Value::from_safe_string(html),
            new => self.new.map(|id| id.to_string()).unwrap_or_default(), button => self.button, undo => self.undo,
        };
        let draw = if again { Visitor::page_again } else { Visitor::page };
        draw(citizen, "household/member.html", self.title, context)
    }
}

pub fn fields(
    citizen: &Citizen,
    form: Option<i64>,
    readings: &[FieldReading<'_>],
    raw: &Raw,
    errors: bool,
) -> anyhow::Result<Drawn> {
    Drawing::sheet(citizen, form.map(|form| ("", form)), raw, errors).draw(readings)
}
