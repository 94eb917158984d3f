//! Letters and receipts as accessible PDF, set by Typst.
//!
//! A letter is a [`Template`] and data. The data reaches the template as a JSON
//! file that only exists in memory, so that no value is ever read as markup; the
//! template reaches nothing else: no disk, no network, no clock. Every letter is
//! checked while it is written against PDF/UA-1 (accessible) and PDF/A-2a
//! (archivable): one that does not conform is an error, not a bad file.

mod printable;
mod samples;
mod world;

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use jiff::civil::Date;
use printable::Keep;
use serde_json::Value;
use typst::diag::{HintedString, SourceDiagnostic, Warned};
use typst::foundations::Smart;
use typst::syntax::Source;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards};

/// How many letters the memory of earlier work outlives its last use.
const MEMORY: usize = 10;

/// The text of a letter, parsed once.
pub struct Template {
    name: &'static str,
    source: Source,
    sample: fn() -> Value,
}

impl Template {
    fn embedded(name: &'static str, text: &str, sample: fn() -> Value) -> Self {
        let source = Source::new(world::main_id(), text.to_owned());
        Self { name, source, sample }
    }

    /// The template's short name, as in its file's: `receipt`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Data of the right shape, every optional part filled in: for tests and previews.
    #[must_use]
    pub fn sample(&self) -> Value {
        (self.sample)()
    }
}

/// « Accusé d'enregistrement », given to the filer when a request is recorded.
///
/// Every value is a text in French, ready to be read, unless said otherwise. A text may
/// hold line breaks. Keys with `?` may be absent or null.
///
/// ```text
/// authority:  { name, color? }                       color: "#rrggbb", for one line
/// department: { name, address?: text or [line], email?, phone? }
/// reference, procedure (its title), received (date and hour)
/// filer?      name of who filed
/// tracking?   code to follow a request without an account; leave it out elsewhere
/// next?:      [text]                                  what comes next
/// delay?:     text or [text]                          what the law says of the time to answer
/// sections:   [{ title, entries: [{ label, value: text or [text] }] }]
/// pieces:     [{ label, name, size }]                 size: bytes, a number
/// notice?:    { purpose, basis?, recipients: [text], retention, rights? }
/// ```
pub static RECEIPT: LazyLock<Template> =
    LazyLock::new(|| Template::embedded("receipt", include_str!("../templates/receipt.typ"), samples::receipt));

/// The whole file of a request, for agents and for print, followed by its pieces and documents: see [`bind`].
///
/// The shape of [`RECEIPT`] without `tracking`, `next`, `pieces` and `notice`, and:
///
/// ```text
/// facts:      [{ label, value }]                      what the cover says, in this order
/// decision?:  { label, date, author?, text? }
/// parts:      [{ title, blocks: [block] }]            history, messages, opinions…, each under its own heading
/// block:      { title?, entries?: [{ label, value }], text?: text or [text] }
/// files:      [{ title, entries: [{ label, value }], pages: number }]
///             each has a page of its own, then the pages of the PDF of the same rank; none without PDF
/// ```
pub static REQUEST: LazyLock<Template> =
    LazyLock::new(|| Template::embedded("request", include_str!("../templates/request.typ"), samples::request));

/// Letters about requests, from templates that the city writes: one, or a batch to post.
///
/// The author's first name, name, quality and service are owed on every decision
/// (code des relations entre le public et l'administration, article L. 212-1).
///
/// ```text
/// letters: [{
///   authority, department, reference, procedure, received        as in RECEIPT
///   recipient?: { name, address?: text or [line] }                absent: to whom it may concern
///   place?      where it is dated from
///   date        in words
///   subject     title of the letter
///   body:       [{ kind: "heading" | "paragraph", spans: [{ text, bold }] }
///                | { kind: "list", start: number or null, items: [[{ text, bold }]] }]
///   closing?:   text or [text]                                    after the body
///   ground?, facts?, appeal?: text or [text]                      of a decision
///   author?:    { name, quality, delegation?, service }
///   by_hand?    anything: leaves room for a signature
/// }]
/// ```
pub static LETTER: LazyLock<Template> =
    LazyLock::new(|| Template::embedded("letter", include_str!("../templates/letter.typ"), samples::letter));

/// Letters that bring each its reader a code proving that they live where they say: one page each.
///
/// ```text
/// authority, department   as in RECEIPT
/// site        address where the code is typed
/// letters:    [{ name, address: [line], code }]       in the order of the file
/// ```
pub static CODE: LazyLock<Template> =
    LazyLock::new(|| Template::embedded("code", include_str!("../templates/code.typ"), samples::code));

/// One page that gives somebody a code: to follow a request, to open an account.
///
/// ```text
/// authority, department, reference                    as in RECEIPT
/// subject     title of the page
/// recipient?  name of who gets it
/// opening:    text or [text]
/// entries:    [{ label, value: text }]                what to type, and where
/// steps?:     [text]                                  what to do, in order
/// closing?:   text or [text]
/// ```
pub static SLIP: LazyLock<Template> =
    LazyLock::new(|| Template::embedded("slip", include_str!("../templates/slip.typ"), samples::slip));

/// A procedure's form, to be filled in by hand.
///
/// ```text
/// authority, department, reference, procedure         as in RECEIPT
/// opening:    text or [text]
/// parts:      [{ title, intro?, when?, questions: [question] }]
/// pieces?:    [{ title, help?, when? }]
/// declaration?
/// notice                                              as in RECEIPT
/// question:   { ask, help?, when?, text?: [text], lines?: number, model?: text, parts?: [label], boxes?: [label],
///               several? (of boxes: anything), rows?: [question] }
/// ```
pub static BLANK: LazyLock<Template> =
    LazyLock::new(|| Template::embedded("blank", include_str!("../templates/blank.typ"), samples::blank));

/// « Bordereau d'élimination »: what a department proposes to eliminate, for the visa.
///
/// ```text
/// authority, department, reference                    as in RECEIPT
/// made        date of the list
/// state       where it stands
/// total       how many requests, in words
/// parts:      [{ title, entries: [{ label, value }], references: [text] }]
/// kept:       [{ label, value }]                      taken out: reference, then until when and why
/// visa?:      [{ label, value }]                      as noted; else room is left to sign
/// ```
pub static DISPOSAL: LazyLock<Template> =
    LazyLock::new(|| Template::embedded("disposal", include_str!("../templates/disposal.typ"), samples::disposal));

/// Why a letter could not be made. The detail is for the log, not for the public:
/// it may quote the data.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The template and the data do not go together, or the template is wrong.
    #[error("letter {template}: {detail}")]
    Template { template: &'static str, detail: String },
    /// The result would break PDF/UA-1 or PDF/A-2a.
    #[error("letter {template} is not a conforming PDF: {detail}")]
    NotConforming { template: &'static str, detail: String },
}

/// Sets a letter dated `date` and returns the bytes of its PDF.
///
/// The same three arguments give the same bytes. It takes a few milliseconds of
/// processor: call it from a thread that may block.
///
/// # Errors
/// [`LetterError`], whenever the data lacks what the template needs.
pub fn render(template: &Template, data: &Value, date: Date) -> Result<Vec<u8>, LetterError> {
    let first = attempt(template, &printable::value(data, Keep::Drawable), date);
    let result = match first {
        Err(LetterError::NotConforming { .. }) => attempt(template, &plainer(template, data, date), date),
        other => other,
    };
    typst::comemo::evict(MEMORY);
    result
}

fn attempt(template: &Template, printable: &Value, date: Date) -> Result<Vec<u8>, LetterError> {
    set(template.name, &world::Desk::new(&template.source, printable, date), standards(template.name)?)
}

/// The same, followed by the pages of other PDF, which the data describes. It is tagged as a letter is, and says that
/// it conforms to nothing: nobody can vouch for what others made, and their pages are pictures to who cannot see them.
///
/// `files` are read by a program that may take long, take much memory or panic: call it from a process apart.
///
/// # Errors
/// [`LetterError`], whenever the data lacks what the template needs, or does not go with the files.
pub fn bind(template: &Template, data: &Value, date: Date, files: Vec<Vec<u8>>) -> Result<Vec<u8>, LetterError> {
    let printable = printable::value(data, Keep::Drawable);
    let desk = world::Desk::new(&template.source, &printable, date).with(files);
    let any = PdfStandards::new(&[PdfStandard::V_2_0]).map_err(|error| refused(template.name, &error))?;
    set(template.name, &desk, any)
}

/// The same data in signs that always succeed; of several letters, only those that need it.
fn plainer(template: &Template, data: &Value, date: Date) -> Value {
    let mut plain = printable::value(data, Keep::European);
    if let Some(letters) = plain.get_mut("letters").and_then(Value::as_array_mut).filter(|all| all.len() > 1) {
        for (index, letter) in letters.iter_mut().enumerate() {
            let mut alone = data.clone();
            if let Some(all) = alone.get_mut("letters").and_then(Value::as_array_mut) {
                all.swap(0, index);
                all.truncate(1);
            }
            let alone = printable::value(&alone, Keep::Drawable);
            if let Some(drawn) = alone.get("letters").and_then(|all| all.get(0))
                && attempt(template, &alone, date).is_ok()
            {
                letter.clone_from(drawn);
            }
        }
    }
    plain
}

fn set(template: &'static str, world: &world::Desk, standards: PdfStandards) -> Result<Vec<u8>, LetterError> {
    let Warned { output, warnings: _ } = typst::compile(world);
    let document = output.map_err(|found| LetterError::Template { template, detail: detail(&found) })?;
    let options = PdfOptions {
        ident: Smart::Auto,
        creator: Smart::Custom(Some("Guichet".to_owned())),
        standards,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(|found| LetterError::NotConforming { template, detail: detail(&found) })
}

fn standards(template: &'static str) -> Result<PdfStandards, LetterError> {
    PdfStandards::new(&[PdfStandard::Ua_1, PdfStandard::A_2a]).map_err(|error| refused(template, &error))
}

fn refused(template: &'static str, error: &HintedString) -> LetterError {
    LetterError::NotConforming { template, detail: error.message().to_string() }
}

fn detail(found: &[SourceDiagnostic]) -> String {
    found.iter().map(|one| one.message.as_str()).collect::<Vec<_>>().join("; ")
}
