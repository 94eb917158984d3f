//! `email`: an address that a mail server may know. Its domain is kept in lower case.

use serde_json::json;

use super::{
    Kind, Options, Today,
    clean::{self, wrong},
    french::quoted,
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    model::Field,
};

pub const OPTIONS: &[&str] = &[];

/// RFC 5321, as corrected: the whole address, and what precedes the `@`.
const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;

/// Providers whose misspelling is worth a question: name, extensions.
const PROVIDERS: [(&str, &[&str]); 12] = [
    ("gmail", &["com"]),
    ("hotmail", &["fr", "com"]),
    ("outlook", &["fr", "com"]),
    ("yahoo", &["fr", "com"]),
    ("icloud", &["com"]),
    ("orange", &["fr"]),
    ("wanadoo", &["fr"]),
    ("laposte", &["net"]),
    ("free", &["fr"]),
    ("sfr", &["fr"]),
    ("live", &["fr", "com"]),
    ("protonmail", &["com"]),
];

/// Extensions typed by mistake for the right ones.
const SLIPS: [(&str, &str); 14] = [
    ("con", "com"),
    ("cmo", "com"),
    ("ocm", "com"),
    ("om", "com"),
    ("co", "com"),
    ("cm", "com"),
    ("vom", "com"),
    ("comm", "com"),
    ("rf", "fr"),
    ("ft", "fr"),
    ("frr", "fr"),
    ("fe", "fr"),
    ("ner", "net"),
    ("nte", "net"),
];

#[derive(Debug, Clone, Default)]
pub struct Email;

impl Email {
    pub fn read(_keys: &mut dyn Options) -> Self {
        Self
    }
}

/// The address in its canonical form, or what to say of it after « Saisissez… ».
pub fn address(text: &str) -> Result<String, &'static str> {
    let bare = text.strip_prefix("mailto:").unwrap_or(text);
    let Some((local, domain)) = bare.rsplit_once('@') else {
        return Err("avec un @");
    };
    if bare.chars().any(|it| it.is_whitespace() || it.is_control()) {
        return Err("sans espace");
    }
    if local.contains('@') || bare.contains([',', ';']) {
        return Err("une seule");
    }
    if !local.is_ascii() {
        return Err("sans accent avant le @");
    }
    let address = format!("{local}@{}", domain.to_lowercase());
    let short = local.len() <= LONGEST_LOCAL && address.len() <= LONGEST;
    if short && local_part(local) && domain_name(domain) { Ok(address) } else { Err("complète") }
}

fn local_part(text: &str) -> bool {
    let known = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&it);
    text.split('.').all(|word| !word.is_empty() && word.bytes().all(known))
}

fn domain_name(text: &str) -> bool {
    let label = |it: &str| {
        let edge = it.starts_with('-') || it.ends_with('-');
        !it.is_empty() && it.len() <= 63 && !edge && it.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let last = text.rsplit('.').next().unwrap_or("");
    let extension = last.len() >= 2 && !last.bytes().all(|it| it.is_ascii_digit());
    text.contains('.') && extension && text.split('.').all(label)
}

/// The address that was probably meant: `camille@gmial.com` → `camille@gmail.com`.
fn suggestion(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let (name, extension) = domain.split_once('.')?;
    let slip = SLIPS.iter().find(|(wrong, _)| *wrong == extension).map(|(_, right)| *right);
    let meant = slip.unwrap_or(extension);
    let (right, _) = PROVIDERS.iter().find(|(known, all)| all.contains(&meant) && looks_like(name, known))?;
    let suggested = format!("{right}.{meant}");
    (suggested != domain).then(|| format!("{local}@{suggested}"))
}

/// The same, or one slip away with the same first letter; short names are too close to others.
fn looks_like(name: &str, known: &str) -> bool {
    let close = || known.len() >= 5 && strsim::osa_distance(name, known) == 1;
    name == known || (name.chars().next() == known.chars().next() && close())
}

impl Kind for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    /// An address that looks misspelt is a problem until its owner confirms it: the part `sure`
    /// then repeats it, because a rare domain must shut nobody out.
    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let text = input.text();
        if text.is_empty() {
            return Ok(None);
        }
        let ask = quoted(&field.ask);
        let found = match address(text) {
            Ok(found) => found,
            Err(how) => {
                return wrong(format!("Saisissez une adresse électronique {how} pour {ask}, comme nom@exemple.fr"));
            }
        };
        match suggestion(&found).filter(|_| input.part("sure") != found) {
            Some(meant) => {
                wrong(format!("Vérifiez {ask}\u{a0}: vouliez-vous écrire {meant}\u{a0}? Corrigez ou confirmez"))
            }
            None => Ok(Some(found.into())),
        }
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        let address = answer.as_str().unwrap_or("");
        raw.clear(name);
        raw.set(name, address);
        if suggestion(address).is_some() {
            raw.set(format!("{name}.sure"), address);
        }
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        clean::text_lines(answer)
    }

    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        let found = address(input.text()).ok();
        let suspect = found.filter(|it| suggestion(it).is_some());
        let mut view = clean::single(input);
        view.insert("sure".to_owned(), json!(suspect.as_deref().is_some_and(|it| it == input.part("sure"))));
        view.insert("suspect".to_owned(), json!(suspect));
        view.into()
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        raw.set(name, "camille.martin@example.org");
    }
}
