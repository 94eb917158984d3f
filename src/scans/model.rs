//! Batches, their pages, and the documents that they are cut into.

use std::collections::BTreeSet;

use db::row;
use forms::answers::Raw;
use jiff::{Timestamp, civil::Date};
use uuid::Uuid;

/// Most pages of one batch.
pub const MOST_PAGES: usize = 500;
/// Where the files of a batch stand.
pub const SOURCE: &str = "scan";
/// Pictures of its pages.
pub const PICTURE: &str = "scan-picture";

row! {
    #[derive(Debug, Clone)]
    pub struct Batch {
        pub id: Uuid,
        pub department_id: String,
        pub department: String,
        /// Who sent it.
        pub agent: Option<String>,
        pub received_on: Date,
        pub created_at: Timestamp,
        pub touched_at: Timestamp,
        pub pages: i64,
        pub waiting: i64,
        pub version: i64,
    }

    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Page {
        pub number: i64,
        pub file_id: Uuid,
        pub place: i64,
        pub begins: bool,
        pub blank: Option<bool>,
        pub small_id: Option<Uuid>,
        pub large_id: Option<Uuid>,
        pub fate: String,
        pub contact_id: Option<Uuid>,
        /// Its contact is on no request, or is gone.
        pub loose: bool,
        /// Where its contact is by now, in the department of the batch.
        pub request_id: Option<Uuid>,
        pub reference: Option<String>,
    }
}

impl Page {
    pub fn waits(&self) -> bool {
        self.fate.is_empty()
    }
}

/// What becomes of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Noted on a request.
    Request,
    /// A contact to qualify.
    Contact,
    /// The same, from which a filing at the counter begins.
    Filing,
    /// Nothing: a separator, an advertisement.
    Aside,
}

impl Fate {
    pub const ALL: [Self; 4] = [Self::Request, Self::Contact, Self::Filing, Self::Aside];

    pub fn code(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Contact => "contact",
            Self::Filing => "filing",
            Self::Aside => "aside",
        }
    }

    /// As forms name it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Request => "dossier",
            Self::Contact => "contact",
            Self::Filing => "depot",
            Self::Aside => "ecarter",
        }
    }

    pub fn words(self) -> &'static str {
        match self {
            Self::Request => "Dans un dossier existant",
            Self::Contact => "Dans les contacts à qualifier",
            Self::Filing => "Commencer une demande au guichet",
            Self::Aside => "Nulle part : écarter ces pages",
        }
    }

    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fate| fate.id() == id)
    }
}

/// Pages that go together, one at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document<'a>(pub &'a [Page]);

/// Pages of one file that follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub file: Uuid,
    pub first: i64,
    pub last: i64,
}

impl Part {
    /// Whether it is all of its file, among the pages of the batch.
    pub fn is_whole(&self, pages: &[Page]) -> bool {
        pages.iter().all(|page| page.file_id != self.file || (self.first..=self.last).contains(&page.place))
    }
}

impl Document<'_> {
    pub fn first(&self) -> i64 {
        self.0.first().map_or(0, |page| page.number)
    }

    pub fn last(&self) -> i64 {
        self.0.last().map_or(0, |page| page.number)
    }

    pub fn waits(&self) -> bool {
        self.0.iter().all(Page::waits)
    }

    pub fn is_blank(&self) -> bool {
        self.0.iter().all(|page| page.blank == Some(true))
    }

    /// « Page 3 », « Pages 3 à 5 ».
    pub fn words(&self) -> String {
        match (self.first(), self.last()) {
            (first, last) if first == last => format!("Page {first}"),
            (first, last) => format!("Pages {first} à {last}"),
        }
    }

    pub fn parts(&self) -> Vec<Part> {
        let together = self.0.chunk_by(|a, b| a.file_id == b.file_id && a.place + 1 == b.place);
        let part = |pages: &[Page]| {
            let (first, last) = (pages.first()?, pages.last()?);
            Some(Part { file: first.file_id, first: first.place, last: last.place })
        };
        together.filter_map(part).collect()
    }
}

/// Cuts pages, in their order: what has gone stays as it went.
pub fn documents(pages: &[Page]) -> Vec<Document<'_>> {
    let together = |a: &Page, b: &Page| !b.begins && a.fate == b.fate && a.contact_id == b.contact_id;
    pages.chunk_by(together).map(Document).collect()
}

/// Where documents begin, as the form says.
pub fn typed(raw: &Raw) -> BTreeSet<i64> {
    let values = raw.0.get("debut").map(Vec::as_slice).unwrap_or_default();
    values.iter().filter_map(|value| value.parse().ok()).collect()
}

/// A document before and after each run of blank pages, which is one of its own.
pub fn at_blanks(pages: &[Page]) -> BTreeSet<i64> {
    let blank = |page: &Page| page.blank == Some(true);
    let waiting: Vec<&Page> = pages.iter().filter(|page| page.waits()).collect();
    let runs = waiting.chunk_by(|a, b| blank(a) == blank(b) && a.number + 1 == b.number);
    runs.filter_map(|run| run.first()).map(|page| page.number).collect()
}

/// Each page alone.
pub fn each(pages: &[Page]) -> BTreeSet<i64> {
    pages.iter().filter(|page| page.waits()).map(|page| page.number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Uuid = Uuid::from_u128(1);
    const OTHER: Uuid = Uuid::from_u128(2);

    /// `b`: a document begins; `.`: it goes on; `_`: a blank page that goes on; capitals have gone, with the one before.
    fn pages(marks: &str) -> Vec<Page> {
        let contact = Uuid::from_u128(9);
        let one = |(index, mark): (usize, char)| {
            let gone = mark.is_uppercase();
            Page {
                number: i64::try_from(index).unwrap() + 1,
                file_id: FILE,
                place: i64::try_from(index).unwrap() + 1,
                begins: mark == 'b',
                blank: Some(mark == '_'),
                small_id: None,
                large_id: None,
                fate: if gone { "request".to_owned() } else { String::new() },
                contact_id: gone.then_some(contact),
                loose: !gone,
                request_id: None,
                reference: None,
            }
        };
        marks.chars().enumerate().map(one).collect()
    }

    fn cut(pages: &[Page]) -> Vec<(i64, i64)> {
        documents(pages).iter().map(|document| (document.first(), document.last())).collect()
    }

    #[test]
    fn pages_make_documents() {
        assert_eq!(cut(&pages("")), []);
        assert_eq!(cut(&pages("...")), [(1, 3)]);
        assert_eq!(cut(&pages("b.b..b")), [(1, 2), (3, 5), (6, 6)]);
        // What has gone is apart, and what follows it begins.
        assert_eq!(cut(&pages("b.GG..")), [(1, 2), (3, 4), (5, 6)]);
        let found = pages("b.GG..");
        let waits: Vec<bool> = documents(&found).iter().map(Document::waits).collect();
        assert_eq!(waits, [true, false, true]);
    }

    #[test]
    fn blank_pages_part_documents() {
        assert_eq!(at_blanks(&pages("..__.._")), BTreeSet::from([1, 3, 5, 7]));
        assert_eq!(at_blanks(&pages("_..")), BTreeSet::from([1, 2]));
        assert_eq!(at_blanks(&pages(".G._")), BTreeSet::from([1, 3, 4]));
        assert_eq!(each(&pages(".G.")), BTreeSet::from([1, 3]));
        let found = pages("__");
        assert!(documents(&found)[0].is_blank() && !documents(&pages("_."))[0].is_blank());
    }

    #[test]
    fn a_document_may_come_from_several_files() {
        let mut found = pages("....");
        for (page, place) in found[2..].iter_mut().zip(1..) {
            (page.file_id, page.place) = (OTHER, place);
        }
        let parts = Document(&found).parts();
        assert_eq!(parts, [Part { file: FILE, first: 1, last: 2 }, Part { file: OTHER, first: 1, last: 2 }]);
        assert_eq!((Document(&found).words(), Document(&found[..1]).words()), ("Pages 1 à 4".into(), "Page 1".into()));
    }
}
