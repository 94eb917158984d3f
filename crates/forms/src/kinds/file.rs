//! `file`: documents sent. Its answer is an array of file ids, which the application puts under the
//! field's name once a file is kept; the upload itself comes under `<name>.fichier`.

use serde_json::json;

use super::{
    Kind, Options, Today,
    clean::{self, wrong},
    french::{plural, quoted},
};
use crate::{
    answers::{Input, Json, Problem, Raw},
    expr::{Type, Value},
    model::Field,
};

pub const OPTIONS: &[&str] = &["max", "images"];

/// The largest `max` that a procedure may set.
const MOST: i64 = 20;

const IMAGES: &str = "image/jpeg,image/png,image/webp,image/heic,image/heif,.jpg,.jpeg,.png,.webp,.heic,.heif";
const DOCUMENTS: &str = "application/pdf,.pdf,.odt,.doc,.docx,.ods,.xls,.xlsx";

#[derive(Debug, Clone)]
pub struct Files {
    /// Most files.
    pub max: u32,
    /// Photos only.
    pub images: bool,
}

impl Default for Files {
    fn default() -> Self {
        Self { max: 1, images: false }
    }
}

impl Files {
    pub fn read(keys: &mut dyn Options) -> Self {
        let max = keys.integer("max").unwrap_or(1);
        if !(1..=MOST).contains(&max) {
            keys.wrong("max", &format!("Donnez un nombre de fichiers de 1 à {MOST}."));
        }
        Self { max: u32::try_from(max).unwrap_or(1), images: keys.flag("images").unwrap_or(false) }
    }

    fn accept(&self) -> String {
        if self.images { IMAGES.to_owned() } else { format!("{DOCUMENTS},{IMAGES}") }
    }
}

fn file_id(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-')
}

fn ids(answer: &Json) -> impl Iterator<Item = &str> {
    answer.as_array().into_iter().flatten().filter_map(Json::as_str)
}

impl Kind for Files {
    fn name(&self) -> &'static str {
        "file"
    }

    fn parse(&self, field: &Field, input: Input<'_>, _today: Today) -> Result<Option<Json>, Vec<Problem>> {
        let ids: Vec<&str> = input.all().collect();
        let ask = quoted(&field.ask);
        if ids.is_empty() {
            return Ok(None);
        }
        if !ids.iter().all(|it| file_id(it)) {
            return wrong(format!("Envoyez de nouveau le fichier pour {ask}"));
        }
        let most = usize::try_from(self.max).unwrap_or(usize::MAX);
        if ids.len() > most {
            let (over, most) = (plural(ids.len() - most, "fichier", "fichiers"), plural(most, "fichier", "fichiers"));
            return wrong(format!("Retirez {over}\u{a0}: {ask} en accepte {most} au plus"));
        }
        Ok(Some(ids.into()))
    }

    fn fill(&self, name: &str, answer: &Json, raw: &mut Raw) {
        raw.0.insert(name.to_owned(), ids(answer).map(str::to_owned).collect());
    }

    fn display(&self, answer: &Json) -> Vec<String> {
        vec![plural(ids(answer).count(), "fichier", "fichiers")]
    }

    /// Nothing of a file is worth searching here.
    fn words(&self, _answer: &Json) -> String {
        String::new()
    }

    fn expr_type(&self) -> Type {
        Type::Opaque
    }

    fn expr_value(&self, answer: &Json) -> Option<Value> {
        ids(answer).next().map(|_| Value::Opaque)
    }

    /// The application adds `uploads`: the files already there, `{id, name, size, remove_name}`.
    fn view(&self, _field: &Field, input: Input<'_>) -> Json {
        json!({
            "accept": self.accept(),
            "max": self.max,
            "images": self.images,
            "uploads": [],
            "anchor": clean::html_id(input.name),
        })
    }

    fn sample(&self, name: &str, _today: Today, raw: &mut Raw) {
        raw.set(name, "00000000-0000-7000-8000-000000000001");
    }

    fn missing(&self, field: &Field) -> String {
        let what = if self.images { "une photo" } else { "un fichier" };
        clean::missing(field, || format!("Envoyez {what} pour {}", quoted(&field.ask)))
    }

    fn images_only(&self) -> bool {
        self.images
    }

    fn files(&self) -> Option<u32> {
        Some(self.max)
    }
}
