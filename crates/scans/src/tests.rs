//! What is read, drawn and cut, judged by another program where there is one.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use super::{
    testing::{annotated, locked, pdf, png, unreadable_image},
    *,
};

/// What poppler reads of a PDF.
fn text(pdf: &[u8]) -> Vec<String> {
    let mut child = Command::new("pdftotext")
        .args(["-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("poppler-utils is installed");
    child.stdin.take().unwrap().write_all(pdf).unwrap();
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let pages: Vec<String> = text.split('\u{c}').map(|page| page.trim().to_owned()).collect();
    pages.split_last().unwrap().1.to_vec()
}

#[test]
fn pages_are_counted_and_cut() {
    let pages = Pages::read(pdf(&["Un", "Deux", "", "Quatre"])).unwrap();
    assert_eq!(pages.count(), 4);
    assert_eq!(text(&pages.cut(2..=2).unwrap()), ["Deux"]);
    assert_eq!(text(&pages.cut(2..=4).unwrap()), ["Deux", "", "Quatre"]);
    assert_eq!(Pages::read(pages.cut(1..=4).unwrap()).unwrap().count(), 4);
    for wrong in [0..=1, 4..=5, RangeInclusive::new(3, 2)] {
        assert_eq!(pages.cut(wrong).unwrap_err(), Unreadable::Broken);
    }
}

#[test]
fn a_page_has_its_pictures() {
    let pages = Pages::read(pdf(&["Un", ""])).unwrap();
    let (written, blank) = (pages.picture(1).unwrap(), pages.picture(2).unwrap());
    assert!(!written.blank && blank.blank);
    for (bytes, longest) in [(&written.small, SMALL_SIDE), (&written.large, u32::from(picture::LARGE))] {
        let image = image::load_from_memory_with_format(bytes, image::ImageFormat::Jpeg).unwrap();
        assert_eq!(image.height(), longest);
        // A4.
        assert!((image.width() * 842).abs_diff(longest * 595) < 842 * 2, "{}", image.width());
    }
    assert!(written.small.len() * 5 < written.large.len());
    assert!(pages.picture(0).is_none() && pages.picture(3).is_none());
}

const SMALL_SIDE: u32 = 280;

#[test]
fn a_page_that_cannot_be_read_is_not_blank() {
    let pages = Pages::read(unreadable_image()).unwrap();
    assert_eq!(pages.count(), 1);
    assert!(pages.picture(1).is_none());
}

#[test]
fn an_image_is_a_page() {
    let mut photo = image::GrayImage::from_pixel(2000, 3000, image::Luma([250]));
    let png = |image: &image::GrayImage| {
        let mut bytes = Vec::new();
        image.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
        bytes
    };
    let picture = of_image(&png(&photo)).unwrap();
    assert!(picture.blank);
    assert_eq!(image::load_from_memory(&picture.large).unwrap().height(), 1400);
    // The dark edge that a scanner leaves is nothing; a few lines of writing are something.
    for x in 0..40 {
        (0..3000).for_each(|y| photo.put_pixel(x, y, image::Luma([0])));
    }
    assert!(of_image(&png(&photo)).unwrap().blank);
    for y in [1000, 1100, 1200] {
        (500..1500).for_each(|x| (0..6).for_each(|line| photo.put_pixel(x, y + line, image::Luma([20]))));
    }
    assert!(!of_image(&png(&photo)).unwrap().blank);
    assert!(of_image(b"no image").is_none());
}

#[test]
fn what_is_no_document_is_told() {
    for wrong in [&b""[..], b"%PDF-1.7\n%%EOF", b"GIF89a"] {
        assert_eq!(Pages::read(wrong.to_vec()).map(|pages| pages.count()).unwrap_err(), Unreadable::Broken);
    }
}

fn blank(pdf: &[u8], number: usize) -> bool {
    Pages::read(pdf.to_vec()).unwrap().picture(number).unwrap().blank
}

#[test]
fn a_file_is_printed_whole() {
    let made = printed(pdf(&["Un", "", "Trois"])).unwrap();
    assert_eq!((made.pages, text(&made.pdf)), (3, vec!["Un".to_owned(), String::new(), "Trois".to_owned()]));
    for (width, height, lying) in [(300, 200, true), (200, 300, false), (3000, 200, true)] {
        let made = printed(png(width, height)).unwrap();
        let page = Pages::read(made.pdf.clone()).unwrap();
        let picture = image::load_from_memory(&page.picture(1).unwrap().large).unwrap();
        assert_eq!((made.pages, page.count(), picture.width() > picture.height()), (1, 1, lying));
        assert!(!blank(&made.pdf, 1));
    }
    assert_eq!(printed(locked(&["Un"])).unwrap_err(), Unreadable::Locked);
    for wrong in [&b""[..], b"%PDF-1.7\n%%EOF", &png(200, 300)[..60]] {
        assert_eq!(printed(wrong.to_vec()).unwrap_err(), Unreadable::Broken);
    }
}

#[test]
fn what_is_drawn_above_a_page_is_printed_or_the_file_is_not() {
    let shown = |annotation: &str| printed(annotated("", annotation)).map(|made| !blank(&made.pdf, 1));
    // Cutting leaves it out: hence the care.
    let stamp = annotated("", "/Subtype/Stamp/AP<</N 7 0 R>>");
    assert!(blank(&Pages::read(stamp).unwrap().cut(1..=1).unwrap(), 1));
    for drawn in ["/Subtype/Stamp/AP<</N 7 0 R>>", "/Subtype/Widget/FT/Tx/V(Camille)/AP<</N 7 0 R>>"] {
        assert_eq!(shown(drawn), Ok(true), "{drawn}");
    }
    for lost in
        ["/Subtype/Widget/FT/Btn/V/Oui/AS/Oui/AP<</N<</Oui 7 0 R/Off 7 0 R>>>>", "/Subtype/Widget/FT/Tx/V(Camille)"]
    {
        assert_eq!(shown(lost), Err(Unreadable::Form), "{lost}");
    }
    for nothing in [
        "/Subtype/Link",
        "/Subtype/Stamp/F 2/AP<</N 7 0 R>>",
        "/Subtype/Widget/FT/Btn/AS/Off/AP<</N<</Oui 7 0 R/Off 7 0 R>>>>",
        "/Subtype/Widget/FT/Tx/V()",
        "/Subtype/Widget/FT/Tx",
    ] {
        assert_eq!(shown(nothing), Ok(false), "{nothing}");
    }
    // A page that is not drawn keeps its text.
    assert_eq!(text(&printed(annotated("Un", "/Subtype/Link")).unwrap().pdf), ["Un"]);
}
