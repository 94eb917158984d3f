//! ZIP files made as they leave, without compression (documents and photos hardly shrink): APPNOTE 6.3,
//! names in UTF-8, sizes and CRC known beforehand so that any reader can follow.

use std::collections::BTreeSet;

use bytes::Bytes;
use flate2::Crc;
use futures_util::{Stream, StreamExt};
use jiff::civil::Date;

pub use self::sending::{Deflated, Out, download, out};

mod sending;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
/// Of 32 bits that are not enough.
const FULL: u32 = u32::MAX;
/// Bit 11: the name is in UTF-8.
const UTF8: u16 = 1 << 11;
/// Bit 3: CRC and sizes come after the content.
const SIZES_AFTER: u16 = 1 << 3;
const DEFLATED: u16 = 8;
const DESCRIPTOR: u32 = 0x0807_4b50;
const VERSION: u16 = 20;
const VERSION_64: u16 = 45;

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
    offset: u64,
    count: u64,
}

impl Zip {
    /// What comes before the content of a file.
    pub fn begin(&mut self, entry: &Entry) -> Bytes {
        let path = self.free(&entry.path);
        let fields = common(entry, &path);
        let head = [&LOCAL.to_le_bytes()[..], &fields, &[0; 2], path.as_bytes()].concat();
        self.list(&fields, &path);
        self.offset += head.len() as u64 + u64::from(entry.size);
        head.into()
    }

    /// What comes before a compressed file whose size nobody knows yet.
    fn open(&mut self, path: &str, day: Date) -> (String, Bytes) {
        let path = self.free(path);
        let head = [&LOCAL.to_le_bytes()[..], &packed(day, 0, 0, 0, &path), &[0; 2], path.as_bytes()].concat();
        (path, head.into())
    }

    /// What comes after it: its sizes (APPNOTE 4.3.9).
    fn close(&mut self, path: &str, day: Date, crc: u32, sizes: (u32, u32)) -> Bytes {
        let (packed_size, size) = sizes;
        let end = [DESCRIPTOR, crc, packed_size, size].map(u32::to_le_bytes).concat();
        self.list(&packed(day, crc, packed_size, size, path), path);
        // Signature, fields, no extra field.
        self.offset += (4 + 24 + 2 + path.len() + end.len()) as u64 + u64::from(packed_size);
        end.into()
    }

    /// Adds a file that begins here to the list at the end of the archive.
    fn list(&mut self, fields: &[u8], path: &str) {
        // Beyond 4 GB the place is told in 64 bits, in an extra field (APPNOTE 4.5.3).
        let extra = match u32::try_from(self.offset) {
            Ok(FULL) | Err(_) => [&1_u16.to_le_bytes()[..], &8_u16.to_le_bytes(), &self.offset.to_le_bytes()].concat(),
            Ok(_) => Vec::new(),
        };
        // Version made by 4.5 on Unix, no comment, disk 0, a plain file that its owner may read and write.
        let attributes = 0o100_600_u32 << 16;
        self.central.extend_from_slice(&CENTRAL.to_le_bytes());
        self.central.extend_from_slice(&(3_u16 << 8 | VERSION_64).to_le_bytes());
        self.central.extend_from_slice(fields);
        self.central.extend_from_slice(&u16::try_from(extra.len()).unwrap_or_default().to_le_bytes());
        self.central.extend_from_slice(&[0; 6]);
        self.central.extend_from_slice(&attributes.to_le_bytes());
        self.central.extend_from_slice(&short(self.offset).to_le_bytes());
        self.central.extend_from_slice(path.as_bytes());
        self.central.extend_from_slice(&extra);
        self.count += 1;
        self.paths.insert(path.to_lowercase());
    }

    /// What comes after the last file.
    pub fn end(self) -> Bytes {
        let size = self.central.len() as u64;
        let mut end = self.central;
        if self.offset + size >= u64::from(FULL) || self.count >= u64::from(u16::MAX) {
            end.extend_from_slice(&END_64.to_le_bytes());
            end.extend_from_slice(&44_u64.to_le_bytes());
            end.extend_from_slice(&(3_u16 << 8 | VERSION_64).to_le_bytes());
            end.extend_from_slice(&VERSION_64.to_le_bytes());
            end.extend_from_slice(&[0; 8]);
            for long in [self.count, self.count, size, self.offset] {
                end.extend_from_slice(&long.to_le_bytes());
            }
            end.extend_from_slice(&LOCATOR_64.to_le_bytes());
            end.extend_from_slice(&[0; 4]);
            end.extend_from_slice(&(self.offset + size).to_le_bytes());
            end.extend_from_slice(&1_u32.to_le_bytes());
        }
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        end.extend_from_slice(&END.to_le_bytes());
        end.extend_from_slice(&[0; 4]);
        end.extend_from_slice(&count.to_le_bytes());
        end.extend_from_slice(&count.to_le_bytes());
        end.extend_from_slice(&short(size).to_le_bytes());
        end.extend_from_slice(&short(self.offset).to_le_bytes());
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

/// In 32 bits, or full: the 64 bits are elsewhere.
fn short(long: u64) -> u32 {
    u32::try_from(long).unwrap_or(FULL)
}

/// The fields that both headers hold, from the version needed to the length of the path.
fn common(entry: &Entry, path: &str) -> Vec<u8> {
    fields([VERSION, UTF8, 0], entry.day, [entry.crc, entry.size, entry.size], path)
}

/// The same for a compressed file, whose sizes come after it.
fn packed(day: Date, crc: u32, packed_size: u32, size: u32, path: &str) -> Vec<u8> {
    fields([VERSION, UTF8 | SIZES_AFTER, DEFLATED], day, [crc, packed_size, size], path)
}

fn fields([version, flags, method]: [u16; 3], day: Date, longs: [u32; 3], path: &str) -> Vec<u8> {
    let year = u16::try_from(day.year()).unwrap_or_default().clamp(1980, 2107) - 1980;
    let month = u16::try_from(day.month()).unwrap_or_default();
    let date = year << 9 | month << 5 | u16::try_from(day.day()).unwrap_or_default();
    let mut fields = Vec::with_capacity(24);
    for short in [version, flags, method, 0, date] {
        fields.extend_from_slice(&short.to_le_bytes());
    }
    for long in longs {
        fields.extend_from_slice(&long.to_le_bytes());
    }
    fields.extend_from_slice(&u16::try_from(path.len()).unwrap_or(u16::MAX).to_le_bytes());
    fields
}

/// One part of a path that every system can write: no separator, no control or text-turning character, no
/// name that Windows keeps for itself; 240 bytes at most (disks take 255).
pub fn part(name: &str) -> String {
    let turns =
        |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |letter: char| {
        if letter.is_control() || turns(letter) || "/\\<>:\"|?*".contains(letter) { '_' } else { letter }
    };
    let mut length = 0;
    let fits = |letter: &char| {
        length += letter.len_utf8();
        length <= 240
    };
    let name: String = name.chars().map(plain).take_while(fits).collect();
    let name = name.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let device = matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || (stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")));
    match name {
        "" => "document".to_owned(),
        name if device => format!("_{name}"),
        name => name.to_owned(),
    }
}

/// Size and CRC-32 of a content, read through.
///
/// # Errors
/// It cannot be read.
pub async fn measure<E: Into<anyhow::Error>>(
    mut content: impl Stream<Item = Result<Bytes, E>> + Unpin,
) -> anyhow::Result<(u64, u32)> {
    let (mut size, mut crc) = (0, Crc::new());
    while let Some(piece) = content.next().await {
        let piece = piece.map_err(Into::into)?;
        crc.update(&piece);
        size += piece.len() as u64;
    }
    Ok((size, crc.sum()))
}

/// A text as a file: some editors know lines only by two characters.
pub fn lines(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use tokio::sync::mpsc;

    use super::*;

    #[test]
    fn parts_of_paths_are_harmless() {
        let cases = [
            ("carte d’identité.jpg", "carte d’identité.jpg"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\x\0.pdf", "C__x_.pdf"),
            ("facture\u{202e}fdp.exe", "facture_fdp.exe"),
            ("con.pdf", "_con.pdf"),
            ("Lpt1", "_Lpt1"),
            ("contrat.pdf", "contrat.pdf"),
            ("fin. . ", "fin"),
            (" .. ", "document"),
            ("", "document"),
        ];
        for (name, expected) in cases {
            assert_eq!(part(name), expected, "{name:?}");
        }
        assert_eq!(part(&"é".repeat(300)).len(), 240);
    }

    #[test]
    fn beyond_four_gigabytes_places_are_told_in_64_bits() {
        let mut zip = Zip::default();
        let entry = |path: &str, size| Entry { path: path.to_owned(), size, crc: 0, day: date(2026, 11, 17) };
        let mut before = 0;
        for (path, size) in [("a", u32::MAX - 1), ("b", 5), ("c", 0)] {
            before = zip.offset;
            zip.begin(&entry(path, size));
        }
        assert!(before > u64::from(FULL));
        let (start, end) = (zip.offset, zip.end());
        let read = |at: usize| u64::from_le_bytes(end[at..at + 8].try_into().unwrap());
        let last = end.len();
        // The last entry's place, the 64-bit end, its locator, and the short end that says to look there.
        let central = last - 22 - 20 - 56;
        assert_eq!(read(central - 8), before);
        assert_eq!([read(central + 24), read(central + 40), read(central + 48)], [3, central as u64, start]);
        assert_eq!(read(last - 22 - 12), start + central as u64);
        assert_eq!(end[last - 6..last - 2], [0xff; 4]);
    }

    /// Read again by somebody else's program.
    #[tokio::test]
    async fn a_compressed_file_of_unknown_size_can_be_read() {
        let (sender, mut receiver) = mpsc::channel(100);
        let mut out = out(sender);
        out.bytes("mimetype", date(2026, 11, 17), b"text/plain".to_vec()).await.unwrap();
        let mut file = out.open("lignes.txt", date(2026, 11, 17)).await.unwrap();
        for number in 0..20_000 {
            out.write(&mut file, format!("ligne {number}\n").as_bytes()).await.unwrap();
        }
        out.close(file).await.unwrap();
        out.end().await.unwrap();
        let mut bytes = Vec::new();
        while let Some(piece) = receiver.recv().await {
            bytes.extend_from_slice(&piece.unwrap());
        }
        let path = std::env::temp_dir().join(format!("guichet-zip-{}.zip", std::process::id()));
        std::fs::write(&path, &bytes).unwrap();
        let script = "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nt = z.read('lignes.txt').decode()\nassert t.splitlines()[-1] == 'ligne 19999' and len(t.splitlines()) == 20000\nassert z.namelist() == ['mimetype', 'lignes.txt']";
        let done = std::process::Command::new("python3").args(["-c", script]).arg(&path).status().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(done.success());
    }
}
