//! A file as pages to put behind those of another PDF: a PDF as it is, an image on a page.
//!
//! What PDF readers draw above a page (answers to a form, stamps, visible signatures) is no part of the page and
//! would be lost: such a page is drawn with it, as a picture. What cannot be drawn so is an error, never a page that
//! lacks an answer.

use std::{io::Cursor, sync::Arc};

use hayro::{
    RenderCache, RenderSettings,
    hayro_interpret::InterpreterSettings,
    hayro_syntax::{
        object::{Array, Dict, Name, Object, Rect, Stream},
        page::Page,
    },
    render,
    vello_cpu::color::palette::css::WHITE,
};
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageReader, Limits, Rgb, RgbImage, Rgba,
    codecs::jpeg::JpegEncoder, imageops::FilterType, metadata::Orientation,
};
use krilla::{
    Data, Document, SerializeSettings,
    configure::{ConfigurationBuilder, PdfVersion},
    geom::{Size, Transform},
    image::Image,
    page::PageSettings,
    pdf::PdfDocument,
};

use crate::{Pages, Unreadable, picture::MEMORY, pixels_of};

/// Dots a point of a page that is drawn: 150 an inch.
const SHARP: f32 = 150.0 / 72.0;
/// The longer side of a page that is drawn, and of an image, in dots: an A4 page at 200 dots an inch.
const LONGEST: u16 = 2340;
/// A4, in points.
const PAPER: (f32, f32) = (595.0, 842.0);
/// Around an image.
const MARGIN: f32 = 36.0;
/// Points a dot of an image that is smaller than the page: 96 an inch.
const LOOSE: f32 = 0.75;

/// A PDF of the pages of a file, and how many they are.
#[derive(Debug)]
pub struct Printed {
    pub pages: usize,
    pub pdf: Vec<u8>,
}

/// # Errors
/// It is neither a PDF with pages nor an image (JPEG, PNG, WebP), a password protects it, or it holds answers to a
/// form that cannot be drawn.
pub fn printed(bytes: Vec<u8>) -> Result<Printed, Unreadable> {
    let mut made = document()?;
    let pages = if image::guess_format(&bytes).is_ok() {
        put_image(&mut made, &bytes)?;
        1
    } else {
        put_pages(&mut made, &Pages::read(bytes)?)?
    };
    Ok(Printed { pages, pdf: made.finish().map_err(|_| Unreadable::Broken)? })
}

/// What takes pages of any version.
pub(crate) fn document() -> Result<Document, Unreadable> {
    let configuration = ConfigurationBuilder::new().with_version(PdfVersion::Pdf20).finish();
    let configuration = configuration.map_err(|_| Unreadable::Broken)?;
    Ok(Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() }))
}

fn put_pages(made: &mut Document, pages: &Pages) -> Result<usize, Unreadable> {
    let source = PdfDocument::new(Arc::clone(&pages.0));
    for (index, page) in pages.0.pages().iter().enumerate() {
        match above(page) {
            Above::Nothing => made.embed_pdf_pages(&source, &[index]),
            Above::Drawn => put_drawn(made, page)?,
            Above::Lost => return Err(Unreadable::Form),
        }
    }
    Ok(pages.count())
}

/// What is drawn above a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Above {
    Nothing,
    Drawn,
    /// Something that we do not know how to draw.
    Lost,
}

fn above(page: &Page<'_>) -> Above {
    let Some(all) = page.raw().get::<Array<'_>>(b"Annots") else { return Above::Nothing };
    all.iter::<Dict<'_>>().map(|one| annotation(&one)).max().unwrap_or(Above::Nothing)
}

/// One annotation (ISO 32000-1, 12.5): links and notes to open are nothing on paper.
fn annotation(one: &Dict<'_>) -> Above {
    const HIDDEN: u32 = 1 << 1;
    const NOT_SHOWN: u32 = 1 << 5;
    let is = |name: &Name<'_>, word: &str| name.as_str() == word;
    let kind = one.get::<Name<'_>>(b"Subtype");
    let aside = kind.as_ref().is_some_and(|kind| ["Link", "Popup", "Text"].iter().any(|word| is(kind, word)));
    let empty = one.get::<Rect>(b"Rect").is_none_or(|area| (area.width() * area.height()).abs() < 0.01);
    if aside || empty || one.get::<u32>(b"F").unwrap_or(0) & (HIDDEN | NOT_SHOWN) != 0 {
        return Above::Nothing;
    }
    let appearance = one.get::<Dict<'_>>(b"AP");
    if appearance.as_ref().is_some_and(|shown| shown.get::<Stream<'_>>(b"N").is_some()) {
        return Above::Drawn;
    }
    // A box to tick: one appearance for each state.
    if appearance.is_some_and(|shown| shown.get::<Dict<'_>>(b"N").is_some()) {
        let off = one.get::<Name<'_>>(b"AS").is_none_or(|state| is(&state, "Off"));
        return if off { Above::Nothing } else { Above::Lost };
    }
    // An answer that readers are left to draw.
    let field = one.get::<Dict<'_>>(b"Parent");
    let value = one.get::<Object<'_>>(b"V").or_else(|| field.and_then(|field| field.get::<Object<'_>>(b"V")));
    match value {
        None | Some(Object::Null(_)) => Above::Nothing,
        Some(Object::String(text)) if text.as_bytes().is_empty() => Above::Nothing,
        Some(Object::Name(state)) if is(&state, "Off") => Above::Nothing,
        Some(_) => Above::Lost,
    }
}

fn put_drawn(made: &mut Document, page: &Page<'_>) -> Result<(), Unreadable> {
    let (width, height) = page.render_dimensions();
    let scale = SHARP.min(f32::from(LONGEST) / width.max(height));
    if !scale.is_normal() {
        return Err(Unreadable::Broken);
    }
    let settings = RenderSettings {
        x_scale: scale,
        y_scale: scale,
        width: Some(pixels_of(width * scale, LONGEST)),
        height: Some(pixels_of(height * scale, LONGEST)),
        bg_color: WHITE,
    };
    let drawn = render(page, &RenderCache::new(), &InterpreterSettings::default(), &settings);
    let dots = drawn.data().iter().flat_map(|dot| [dot.r, dot.g, dot.b]).collect();
    let drawn = RgbImage::from_raw(drawn.width().into(), drawn.height().into(), dots).ok_or(Unreadable::Broken)?;
    put(made, &drawn, (width, height), (0.0, 0.0, width, height))
}

fn put_image(made: &mut Document, bytes: &[u8]) -> Result<(), Unreadable> {
    let image = read_image(bytes).ok_or(Unreadable::Broken)?;
    let [width, height] = [image.width(), image.height()].map(|side| f32::from(u16::try_from(side).unwrap_or(LONGEST)));
    let paper = if width > height { (PAPER.1, PAPER.0) } else { PAPER };
    let scale = ((paper.0 - 2.0 * MARGIN) / width).min((paper.1 - 2.0 * MARGIN) / height).min(LOOSE);
    let (wide, high) = (width * scale, height * scale);
    put(made, &image, paper, ((paper.0 - wide) / 2.0, (paper.1 - high) / 2.0, wide, high))
}

/// As its author held it, on white, no larger than paper shows.
fn read_image(bytes: &[u8]) -> Option<RgbImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).ok()?;
    image.apply_orientation(turned);
    if image.width().max(image.height()) > u32::from(LONGEST) {
        image = image.resize(LONGEST.into(), LONGEST.into(), FilterType::Triangle);
    }
    if !image.color().has_alpha() {
        return Some(image.into_rgb8());
    }
    let dots = image.into_rgba8();
    let mut paper = RgbImage::new(dots.width(), dots.height());
    for (dot, Rgba([red, green, blue, alpha])) in paper.pixels_mut().zip(dots.pixels()) {
        *dot = Rgb([red, green, blue].map(|part| on_white(*part, *alpha)));
    }
    Some(paper)
}

fn on_white(part: u8, alpha: u8) -> u8 {
    let mixed = (u32::from(part) * u32::from(alpha) + 255 * u32::from(255 - alpha)) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

/// A page of this size with a picture at `(left, top, width, height)`.
fn put(
    made: &mut Document,
    picture: &RgbImage,
    (width, height): (f32, f32),
    (left, top, wide, high): (f32, f32, f32, f32),
) -> Result<(), Unreadable> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 85);
    encoder
        .write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8)
        .map_err(|_| Unreadable::Broken)?;
    let image = Image::from_jpeg(Data::from(bytes), true).map_err(|_| Unreadable::Broken)?;
    let settings = PageSettings::from_wh(width, height).ok_or(Unreadable::Broken)?;
    let size = Size::from_wh(wide, high).ok_or(Unreadable::Broken)?;
    let mut page = made.start_page_with(settings);
    let mut surface = page.surface();
    surface.push_transform(&Transform::from_translate(left, top));
    surface.draw_image(image, size);
    surface.pop();
    surface.finish();
    page.finish();
    Ok(())
}
