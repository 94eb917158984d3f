//! Pages, mails and other texts from templates. A folder of the installation may replace any
//! template, file by file.

use std::path::PathBuf;

use jiff::{Timestamp, civil::Date};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, HtmlEscape, State, UndefinedBehavior, Value};
use rust_embed::RustEmbed;

use super::{assets, clock, french};

#[derive(RustEmbed)]
#[folder = "templates"]
#[exclude = "samples/*"]
struct Shipped;

pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// `overlay`: folder of templates that win over the shipped ones; empty for none.
    pub fn new(overlay: PathBuf) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment
            .set_auto_escape_callback(|name| if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None });
        environment.set_auto_reload(cfg!(debug_assertions));
        environment.set_loader(move |name: &str| {
            if !overlay.as_os_str().is_empty()
                && let Ok(text) = std::fs::read_to_string(overlay.join(name))
            {
                return Ok(Some(text));
            }
            match Shipped::get(name) {
                Some(file) => String::from_utf8(file.data.into_owned())
                    .map(Some)
                    .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string())),
                None => Ok(None),
            }
        });
        // Nothing to escape in it, slashes least of all.
        environment.add_function("asset", |name: &str| Value::from_safe_string(assets::url(name).to_owned()));
        environment.add_function("icon", icon);
        environment.add_function("phone", phone);
        environment.add_filter("date", |value: String| day_of(&value).map(french::date));
        environment.add_filter("datetime", datetime);
        environment.add_filter("day", local_day);
        environment.add_filter("tied", forms::kinds::french::tied);
        environment.add_filter("size", |value: u64| french::size(value));
        Self { environment }
    }

    pub fn render(&self, name: &str, context: Value) -> Result<String, Error> {
        self.environment.get_template(name)?.render(context)
    }

    /// One block of a template alone.
    pub fn render_block(&self, name: &str, block: &str, context: Value) -> Result<String, Error> {
        self.environment.get_template(name)?.render_captured(context)?.with_state_mut(|state| state.render_block(block))
    }

    /// Names of every shipped template.
    pub fn names() -> impl Iterator<Item = String> {
        Shipped::iter().map(|name| name.into_owned())
    }
}

/// One drawing of `assets/icons.svg`, by its Lucide name. Decorative: the text beside it speaks.
fn icon(name: &str, class: Option<&str>) -> Value {
    let (space, class) = class.map_or(("", ""), |class| (" ", class));
    Value::from_safe_string(format!(
        r##"<svg class="icon{space}{}" width="24" height="24" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>"##,
        HtmlEscape(class),
        assets::url("icons.svg"),
        HtmlEscape(name)
    ))
}

/// A number to call, never cut at the end of a line.
fn phone(number: &str, class: Option<&str>) -> Value {
    let class = class.unwrap_or("govuk-link g-nowrap");
    let class = if class.is_empty() { String::new() } else { format!(r#" class="{}""#, HtmlEscape(class)) };
    let called = number.replace([' ', '\u{a0}'], "");
    let read = number.replace(' ', "\u{a0}");
    Value::from_safe_string(format!(r#"<a{class} href="tel:{}">{}</a>"#, HtmlEscape(&called), HtmlEscape(&read)))
}

fn wrong(value: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("not a date: {value}"))
}

fn day_of(value: &str) -> Result<Date, Error> {
    value.get(..10).and_then(|day| day.parse().ok()).ok_or_else(|| wrong(value))
}

fn zone_of(state: &State<'_, '_>) -> jiff::tz::TimeZone {
    let name = state.lookup("city").and_then(|city| city.get_attr("zone").ok());
    clock::zone(name.as_ref().and_then(Value::as_str).unwrap_or("Europe/Paris"))
}

fn instant(value: &str) -> Result<Timestamp, Error> {
    value.parse().map_err(|_| wrong(value))
}

fn datetime(state: &State<'_, '_>, value: &str) -> Result<String, Error> {
    Ok(french::datetime(instant(value)?, &zone_of(state)))
}

/// The local day of an instant, in words.
fn local_day(state: &State<'_, '_>, value: &str) -> Result<String, Error> {
    match value.parse::<Timestamp>() {
        Ok(at) => Ok(french::date(clock::day(at, &zone_of(state)))),
        Err(_) => day_of(value).map(french::date),
    }
}
