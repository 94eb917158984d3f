//! Pictures of pages, in grey: one to read, one to recognise, and whether there is anything on them.

use std::io::Cursor;

use image::{
    ExtendedColorType, GrayImage, ImageEncoder, ImageReader, Limits, codecs::jpeg::JpegEncoder, imageops,
    imageops::FilterType,
};

/// The longer side of the picture to read, in dots: an A4 page at 120 dots an inch.
pub const LARGE: u16 = 1400;
/// The same of the one to recognise.
const SMALL: u32 = 280;
/// Part of each side that scanners darken: it is not looked at.
const MARGIN: u32 = 33;
/// A dot that is darker is ink.
const INK: u8 = 170;
/// Fewer dots of ink than one in so many: nothing is written there.
const SPECKS: usize = 8_000;
/// Most memory that decoding an image may take, in bytes.
pub const MEMORY: u64 = 600_000_000;

/// JPEG files.
#[derive(Debug)]
pub struct Picture {
    pub small: Vec<u8>,
    pub large: Vec<u8>,
    /// Nothing is on the page, as far as can be seen.
    pub blank: bool,
}

/// An image file as a page; none when it is not one that can be decoded.
#[must_use]
pub fn of_image(bytes: &[u8]) -> Option<Picture> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MEMORY);
    reader.limits(limits);
    let gray = reader.decode().ok()?.into_luma8();
    let longest = gray.width().max(gray.height());
    if longest <= u32::from(LARGE) {
        return of(&gray);
    }
    of(&shrunk(&gray, u32::from(LARGE)))
}

/// From the lightness of each dot, line by line.
pub(crate) fn of_gray(dots: Vec<u8>, width: u32, height: u32) -> Option<Picture> {
    of(&GrayImage::from_raw(width, height, dots)?)
}

fn of(large: &GrayImage) -> Option<Picture> {
    let small = shrunk(large, SMALL);
    Some(Picture { small: jpeg(&small, 60)?, large: jpeg(large, 70)?, blank: is_blank(large) })
}

fn shrunk(image: &GrayImage, longest: u32) -> GrayImage {
    let now = image.width().max(image.height()).max(1);
    let side = |side: u32| (side * longest / now).max(1);
    imageops::resize(image, side(image.width()), side(image.height()), FilterType::Triangle)
}

fn jpeg(image: &GrayImage, quality: u8) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    encoder.write_image(image.as_raw(), image.width(), image.height(), ExtendedColorType::L8).ok()?;
    Some(bytes)
}

fn is_blank(image: &GrayImage) -> bool {
    let (width, height) = image.dimensions();
    let (aside, above) = (width / MARGIN, height / MARGIN);
    let inside = |x: u32, y: u32| x >= aside && x < width - aside && y >= above && y < height - above;
    let dots = image.enumerate_pixels().filter(|(x, y, _)| inside(*x, *y));
    let (mut ink, mut all) = (0_usize, 0_usize);
    for (_, _, dot) in dots {
        all += 1;
        ink += usize::from(dot.0.first().is_some_and(|light| *light < INK));
    }
    ink * SPECKS < all
}
