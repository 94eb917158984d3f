//! Reading a CSV file as it arrives (RFC 4180, with the semicolons of French spreadsheets): pieces in, records
//! out. It never holds more than one record.

/// Bytes of one record, and of the first line.
const LONGEST: usize = 16 * 1024;

#[derive(Debug, Default)]
pub struct Reader {
    /// The first line as long as it is not whole: it tells the separator.
    head: Vec<u8>,
    separator: Option<u8>,
    field: Vec<u8>,
    record: Vec<Vec<u8>>,
    size: usize,
    quoted: bool,
    /// A quote inside quotes: the end, or the first of two.
    closing: bool,
    line: u64,
    began: u64,
}

/// A record, and the line it began on, from 1.
pub type Record = (u64, Vec<Vec<u8>>);

/// What cannot be read on.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// A line of a size that no table has: the file is something else, or a quote is never closed.
    TooLong(u64),
}

impl Reader {
    /// Reads a piece; gives the records that are whole.
    ///
    /// # Errors
    /// See [`Broken`].
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Record>, Broken> {
        let mut found = Vec::new();
        if self.separator.is_some() {
            self.read(piece, &mut found)?;
            return Ok(found);
        }
        self.head.extend_from_slice(piece);
        if self.head.contains(&b'\n') || self.head.len() > LONGEST {
            self.begin(&mut found)?;
        }
        Ok(found)
    }

    /// The last record, whose line may have no end.
    ///
    /// # Errors
    /// See [`Broken`].
    pub fn end(mut self) -> Result<Vec<Record>, Broken> {
        let mut found = Vec::new();
        if self.separator.is_none() {
            self.begin(&mut found)?;
        }
        if self.quoted && !self.closing {
            return Err(Broken::TooLong(self.began));
        }
        self.close(&mut found);
        Ok(found)
    }

    fn begin(&mut self, found: &mut Vec<Record>) -> Result<(), Broken> {
        let head = std::mem::take(&mut self.head);
        // Excel marks UTF-8 so.
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
        let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let separator = [b';', b'\t'].into_iter().find(|sign| first.contains(sign)).unwrap_or(b',');
        self.separator = Some(separator);
        (self.line, self.began) = (1, 1);
        self.read(head, found)
    }

    fn read(&mut self, bytes: &[u8], found: &mut Vec<Record>) -> Result<(), Broken> {
        for byte in bytes.iter().copied() {
            self.size += 1;
            if self.size > LONGEST {
                return Err(Broken::TooLong(self.began));
            }
            if byte == b'\n' {
                self.line += 1;
            }
            match byte {
                b'"' if self.closing => {
                    self.closing = false;
                    self.field.push(b'"');
                }
                b'"' if self.quoted => self.closing = true,
                _ if self.quoted && !self.closing => self.field.push(byte),
                b'"' if self.field.is_empty() => self.quoted = true,
                byte if Some(byte) == self.separator => self.next(),
                b'\n' => self.close(found),
                b'\r' => {}
                byte => self.field.push(byte),
            }
        }
        Ok(())
    }

    fn next(&mut self) {
        self.record.push(std::mem::take(&mut self.field));
        (self.quoted, self.closing) = (false, false);
    }

    /// A line of nothing is no record.
    fn close(&mut self, found: &mut Vec<Record>) {
        self.next();
        let record = std::mem::take(&mut self.record);
        if record.iter().any(|field| !field.is_empty()) {
            found.push((self.began, record));
        }
        (self.size, self.began) = (0, self.line);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(text: &[u8], cut: usize) -> Result<Vec<(u64, Vec<String>)>, Broken> {
        let mut reader = Reader::default();
        let mut records = Vec::new();
        for piece in text.chunks(cut.max(1)) {
            records.extend(reader.push(piece)?);
        }
        records.extend(reader.end()?);
        let words = |fields: Vec<Vec<u8>>| fields.into_iter().map(|field| String::from_utf8(field).unwrap()).collect();
        Ok(records.into_iter().map(|(line, fields)| (line, words(fields))).collect())
    }

    #[test]
    fn spreadsheets_are_read() {
        let text =
            "\u{feff}reference;nom;lieu\r\nA1;\"Le \"\"Goff\"\"\";\"3 quai\ndu Lys; bât. B\"\r\n\r\n;;\nA2;;Lyon";
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let expected = vec![
            (1, words(&["reference", "nom", "lieu"])),
            (2, words(&["A1", "Le \"Goff\"", "3 quai\ndu Lys; bât. B"])),
            (6, words(&["A2", "", "Lyon"])),
        ];
        for cut in [1, 2, 7, 1000] {
            assert_eq!(whole(text.as_bytes(), cut).unwrap(), expected, "{cut}");
        }
        assert_eq!(whole(b"a,b\n1,\"2,5\"", 3).unwrap(), [(1, words(&["a", "b"])), (2, words(&["1", "2,5"]))]);
        assert_eq!(whole(b"", 3).unwrap(), []);
    }

    #[test]
    fn what_is_no_table_is_given_up() {
        assert_eq!(whole(&[b'x'; 20_000], 512), Err(Broken::TooLong(1)));
        let open = format!("a;b\n1;\"{}", "x\n".repeat(20_000));
        assert_eq!(whole(open.as_bytes(), 512), Err(Broken::TooLong(2)));
        assert_eq!(whole(b"a;b\n1;\"2", 512), Err(Broken::TooLong(2)));
    }

    proptest! {
        /// Whatever the bytes and wherever they are cut: the same records, and no panic.
        #[test]
        fn cutting_changes_nothing(text in "[ab;,\"\n\r]{0,60}", cut in 1_usize..9) {
            prop_assert_eq!(whole(text.as_bytes(), cut), whole(text.as_bytes(), 1000));
        }
    }
}
