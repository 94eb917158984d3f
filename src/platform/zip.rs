//! ZIP files made as they leave, without compression (documents and photos hardly shrink): APPNOTE 6.3,
//! names in UTF-8, sizes and CRC known beforehand so that any reader can follow.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::civil::Date;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// Bit 11: the name is in UTF-8.
const UTF8: u16 = 1 << 11;
const VERSION: u16 = 20;

/// A file to put in.
pub struct Entry {
    /// `folder/name.pdf`; a number is added to a path that was there before.
    pub path: String,
    pub size: u32,
    pub crc: u32,
    pub day: Date,
}

#[derive(Default)]
pub struct Zip {
    central: Vec<u8>,
    paths: BTreeSet<String>,
    offset: u32,
    count: u16,
}

impl Zip {
    /// What comes before the content of a file.
    pub fn begin(&mut self, entry: &Entry) -> Bytes {
        let path = self.free(&entry.path);
        let fields = common(entry, &path);
        let head = [&LOCAL.to_le_bytes()[..], &fields, path.as_bytes()].concat();
        // Version made by 3.0 on Unix, no comment, disk 0, a plain file that its owner may read and write.
        let attributes = 0o100_600_u32 << 16;
        self.central.extend_from_slice(&CENTRAL.to_le_bytes());
        self.central.extend_from_slice(&(3_u16 << 8 | 30).to_le_bytes());
        self.central.extend_from_slice(&fields);
        self.central.extend_from_slice(&[0; 6]);
        self.central.extend_from_slice(&attributes.to_le_bytes());
        self.central.extend_from_slice(&self.offset.to_le_bytes());
        self.central.extend_from_slice(path.as_bytes());
        self.count = self.count.saturating_add(1);
        let size = u32::try_from(head.len()).unwrap_or(u32::MAX).saturating_add(entry.size);
        self.offset = self.offset.saturating_add(size);
        self.paths.insert(path.to_lowercase());
        head.into()
    }

    /// What comes after the last file.
    pub fn end(self) -> Bytes {
        let size = u32::try_from(self.central.len()).unwrap_or(u32::MAX);
        let mut end = self.central;
        end.extend_from_slice(&END.to_le_bytes());
        end.extend_from_slice(&[0; 4]);
        end.extend_from_slice(&self.count.to_le_bytes());
        end.extend_from_slice(&self.count.to_le_bytes());
        end.extend_from_slice(&size.to_le_bytes());
        end.extend_from_slice(&self.offset.to_le_bytes());
        end.extend_from_slice(&[0; 2]);
        end.into()
    }

    fn free(&self, path: &str) -> String {
        let (stem, ending) = path.rsplit_once('.').filter(|(_, ending)| !ending.contains('/')).unwrap_or((path, ""));
        let dot = if ending.is_empty() { "" } else { "." };
        let numbered = (2..).map(|number| format!("{stem} ({number}){dot}{ending}"));
        let mut paths = std::iter::once(path.to_owned()).chain(numbered);
        paths.find(|path| !self.paths.contains(&path.to_lowercase())).unwrap_or_default()
    }
}

/// The fields that both headers hold, from the version needed to the length of the extra field.
fn common(entry: &Entry, path: &str) -> Vec<u8> {
    let year = u16::try_from(entry.day.year()).unwrap_or_default().clamp(1980, 2107) - 1980;
    let month = u16::try_from(entry.day.month()).unwrap_or_default();
    let day = year << 9 | month << 5 | u16::try_from(entry.day.day()).unwrap_or_default();
    let mut fields = Vec::with_capacity(26);
    for short in [VERSION, UTF8, 0, 0, day] {
        fields.extend_from_slice(&short.to_le_bytes());
    }
    for long in [entry.crc, entry.size, entry.size] {
        fields.extend_from_slice(&long.to_le_bytes());
    }
    fields.extend_from_slice(&u16::try_from(path.len()).unwrap_or(u16::MAX).to_le_bytes());
    fields.extend_from_slice(&[0; 2]);
    fields
}
