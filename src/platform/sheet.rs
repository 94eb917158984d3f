//! Tables for spreadsheets, written a row at a time: CSV (RFC 4180, in UTF-8, semicolons as French programs
//! expect), XLSX (ECMA-376) and ODS (OASIS OpenDocument 1.3) with one sheet. Nothing typed by somebody becomes
//! a formula: texts are cells of text, and in CSV, which has no types, what would begin one is put after an
//! apostrophe (OWASP, « CSV Injection »).

use std::fmt::Write;

use jiff::civil::Date;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Xlsx,
    Ods,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Day(Option<Date>),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Rows of a sheet of Excel, the head among them.
const MOST_XLSX: u64 = 1_048_576;

impl Format {
    pub fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Ods => "ods",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Ods => "application/vnd.oasis.opendocument.spreadsheet",
        }
    }

    /// Whether one more row fits after `rows`.
    pub fn fits(self, rows: u64) -> bool {
        self != Self::Xlsx || rows + 1 < MOST_XLSX
    }

    /// Files of the archive beside the sheet, as (path, content); empty for CSV.
    pub fn frame(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Csv => &[],
            Self::Xlsx => XLSX,
            Self::Ods => ODS,
        }
    }

    /// Where the sheet is in the archive.
    pub fn sheet(self) -> &'static str {
        match self {
            Self::Csv => "",
            Self::Xlsx => "xl/worksheets/sheet1.xml",
            Self::Ods => "content.xml",
        }
    }

    pub fn begin(self) -> &'static str {
        match self {
            Self::Csv => "\u{feff}",
            Self::Xlsx => {
                r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#
            }
            Self::Ods => {
                r#"<?xml version="1.0" encoding="UTF-8"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3"><office:body><office:spreadsheet><table:table table:name="Demandes">"#
            }
        }
    }

    pub fn end(self) -> &'static str {
        match self {
            Self::Csv => "",
            Self::Xlsx => "</sheetData></worksheet>",
            Self::Ods => "</table:table></office:spreadsheet></office:body></office:document-content>",
        }
    }

    /// Adds a row to `out`.
    pub fn row(self, out: &mut String, cells: &[Cell]) {
        match self {
            Self::Csv => {
                for (index, cell) in cells.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ";" });
                    csv(out, cell);
                }
                out.push_str("\r\n");
            }
            Self::Xlsx => {
                out.push_str("<row>");
                cells.iter().for_each(|cell| xlsx(out, cell));
                out.push_str("</row>");
            }
            Self::Ods => {
                out.push_str("<table:table-row>");
                cells.iter().for_each(|cell| ods(out, cell));
                out.push_str("</table:table-row>");
            }
        }
    }
}

fn csv(out: &mut String, cell: &Cell) {
    match cell {
        Cell::Day(None) => {}
        // Writing to a string cannot fail, here and below.
        Cell::Day(Some(day)) => {
            let _ = write!(out, "{}", day.strftime("%d/%m/%Y"));
        }
        Cell::Text(text) => {
            let text = text.replace('\0', "");
            let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
                || text.starts_with(['\t', '\r', '\n']);
            let quoted = formula || text.contains([';', ',', '"', '\r', '\n', '\t']);
            if quoted {
                out.push('"');
            }
            if formula {
                out.push('\'');
            }
            out.push_str(&text.replace('"', "\"\""));
            if quoted {
                out.push('"');
            }
        }
    }
}

fn xlsx(out: &mut String, cell: &Cell) {
    match cell {
        Cell::Day(None) => out.push_str("<c/>"),
        Cell::Day(Some(day)) => {
            // Days since the last one of 1899, as Excel counts them from March 1900 on.
            let days = (*day - Date::constant(1899, 12, 30)).get_days();
            let _ = write!(out, "<c s=\"1\"><v>{days}</v></c>");
        }
        Cell::Text(text) if text.is_empty() => out.push_str("<c/>"),
        Cell::Text(text) => {
            out.push_str("<c t=\"inlineStr\"><is><t xml:space=\"preserve\">");
            // What a cell may hold, in UTF-16 units.
            let mut length = 0;
            let fits = text.chars().take_while(|letter| {
                length += letter.len_utf16();
                length <= 32_767
            });
            xml(out, fits);
            out.push_str("</t></is></c>");
        }
    }
}

fn ods(out: &mut String, cell: &Cell) {
    match cell {
        Cell::Day(None) => out.push_str("<table:table-cell/>"),
        Cell::Day(Some(day)) => {
            let _ = write!(
                out,
                "<table:table-cell office:value-type=\"date\" office:date-value=\"{day}\"><text:p>{}</text:p></table:table-cell>",
                day.strftime("%d/%m/%Y")
            );
        }
        Cell::Text(text) if text.is_empty() => out.push_str("<table:table-cell/>"),
        Cell::Text(text) => {
            out.push_str("<table:table-cell office:value-type=\"string\">");
            for line in text.lines() {
                out.push_str("<text:p>");
                xml(out, line.chars());
                out.push_str("</text:p>");
            }
            out.push_str("</table:table-cell>");
        }
    }
}

/// Text between tags, without the characters that XML 1.0 cannot hold.
fn xml(out: &mut String, letters: impl Iterator<Item = char>) {
    for letter in letters {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' | '\n' | '\r' => out.push(letter),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(letter),
        }
    }
}

const XLSX: &[(&str, &str)] = &[
    (
        "[Content_Types].xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>"#,
    ),
    (
        "_rels/.rels",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Demandes" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#,
    ),
    // The second format of cells is the short date of whoever reads.
    (
        "xl/styles.xml",
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>"#,
    ),
];

/// The media type must be the first file, as it is.
const ODS: &[(&str, &str)] = &[
    ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
    (
        "META-INF/manifest.xml",
        r#"<?xml version="1.0" encoding="UTF-8"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3"><manifest:file-entry manifest:full-path="/" manifest:version="1.3" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>"#,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn row(format: Format, cells: &[Cell]) -> String {
        let mut out = String::new();
        format.row(&mut out, cells);
        out
    }

    #[test]
    fn nothing_typed_is_a_formula() {
        for typed in ["=1+1", "+33", "-2", "@x", " =1", "\t=1", "\r=1", "＝1"] {
            let text = row(Format::Csv, &[typed.into()]);
            assert!(text.starts_with("\"'"), "{text:?}");
            assert!(row(Format::Xlsx, &[typed.into()]).starts_with("<row><c t=\"inlineStr\">"), "{typed:?}");
            assert!(!row(Format::Ods, &[typed.into()]).contains("formula"), "{typed:?}");
        }
        let cells = ["a;b".into(), "dit \"oui\"".into(), Cell::Day(Some(Date::constant(2026, 3, 27))), Cell::Day(None)];
        assert_eq!(row(Format::Csv, &cells), "\"a;b\";\"dit \"\"oui\"\"\";27/03/2026;\r\n");
    }

    #[test]
    fn nothing_typed_is_markup() {
        let typed = [Cell::from("<b>&\u{1}\u{ffff}é"), Cell::Day(Some(Date::constant(1900, 3, 1)))];
        assert!(row(Format::Xlsx, &typed).contains(">&lt;b&gt;&amp;é</t></is></c><c s=\"1\"><v>61</v></c>"));
        assert!(row(Format::Ods, &typed).contains("<text:p>&lt;b&gt;&amp;é</text:p>"));
    }

    #[test]
    fn a_sheet_of_excel_has_an_end() {
        assert!(Format::Xlsx.fits(MOST_XLSX - 2) && !Format::Xlsx.fits(MOST_XLSX - 1));
        assert!(Format::Csv.fits(u64::MAX - 1));
    }
}
