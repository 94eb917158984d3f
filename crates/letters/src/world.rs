//! All that a template can see: itself, the shared blocks, its data, the date.

use std::{collections::HashMap, sync::LazyLock};

use jiff::civil::Date;
use serde_json::Value;
use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook, FontInfo};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_kit::fonts::FontStore;

/// Faces taken out of those that Typst carries: one family for the text, and a
/// second for the characters that the first lacks (parts of other alphabets, signs).
const FACES: [&str; 5] = [
    "LibertinusSerif-Regular",
    "LibertinusSerif-Bold",
    "LibertinusSerif-Italic",
    "LibertinusSerif-BoldItalic",
    "DejaVuSansMono",
];

/// The family of the text, named by the templates too.
const TEXT: &str = "Libertinus Serif";

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(<Library as LibraryExt>::default()));

static FONTS: LazyLock<FontStore> = LazyLock::new(|| {
    let mut store = FontStore::new();
    store.extend(
        typst_kit::fonts::embedded()
            .filter(|(font, _)| font.post_script_name().is_some_and(|name| FACES.contains(&name.as_str()))),
    );
    store
});

static COMMON: LazyLock<Source> = LazyLock::new(|| {
    let text = include_str!("../templates/common.typ").to_owned();
    Source::new(id("/common.typ"), text)
});

static MAIN: LazyLock<FileId> = LazyLock::new(|| id("/main.typ"));
static DATA: LazyLock<FileId> = LazyLock::new(|| id("/data.json"));

#[expect(clippy::expect_used, reason = "only called with the literals above, and with numbers")]
fn id(path: &str) -> FileId {
    let path = VirtualPath::new(path).expect("a literal path is well formed");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

/// The name under which a template sees itself.
pub(crate) fn main_id() -> FileId {
    *MAIN
}

/// Whether one of the fonts can draw this character.
pub(crate) fn some_covers(character: char) -> bool {
    faces().any(|face| face.coverage.contains(u32::from(character)))
}

/// Whether every face of the family of the text can draw this character.
pub(crate) fn text_covers(character: char) -> bool {
    let mut family = faces().filter(|face| face.family == TEXT);
    family.all(|face| face.coverage.contains(u32::from(character)))
}

fn faces() -> impl Iterator<Item = &'static FontInfo> {
    (0..FACES.len()).filter_map(|index| FONTS.book().info(index))
}

/// The world of one letter.
pub(crate) struct Desk<'a> {
    main: &'a Source,
    data: Bytes,
    date: Date,
    /// « /files/0.pdf » and so on.
    files: HashMap<FileId, Bytes>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(main: &'a Source, data: &Value, date: Date) -> Self {
        Self { main, data: Bytes::from_string(data.to_string()), date, files: HashMap::new() }
    }

    /// The same with these PDF beside the data.
    pub(crate) fn with(self, files: Vec<Vec<u8>>) -> Self {
        let named = files.into_iter().enumerate();
        let files = named.map(|(index, file)| (id(&format!("/files/{index}.pdf")), Bytes::new(file))).collect();
        Self { files, ..self }
    }
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        FONTS.book()
    }

    fn main(&self) -> FileId {
        main_id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        match id {
            id if id == main_id() => Ok(self.main.clone()),
            id if id == COMMON.id() => Ok(COMMON.clone()),
            _ => Err(FileError::AccessDenied),
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == *DATA {
            return Ok(self.data.clone());
        }
        self.files.get(&id).cloned().ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.font(index)
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        let part = |number: i8| u8::try_from(number).ok();
        Datetime::from_ymd(i32::from(self.date.year()), part(self.date.month())?, part(self.date.day())?)
    }
}
