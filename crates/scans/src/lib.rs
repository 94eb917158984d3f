//! Scanned pages: a PDF of them counted, drawn as pictures, cut into documents; and images, which are one page
//! each. Bytes in, bytes out: no disk, no network, no clock.
//!
//! What is read comes from outside and may be made to do harm: nothing here is `unsafe`, but it may take long, take
//! much memory or panic. It is meant to run in a process of its own, with limits.

mod picture;
mod printed;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(test)]
mod tests;

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use hayro::{
    RenderCache, RenderSettings,
    hayro_interpret::{InterpreterSettings, InterpreterWarning},
    hayro_syntax::{DecryptionError, LoadPdfError, Pdf},
    render,
    vello_cpu::color::palette::css::WHITE,
};
use krilla::pdf::PdfDocument;

pub use picture::{Picture, of_image};
pub use printed::{Printed, printed};

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unreadable {
    #[error("a password protects it")]
    Locked,
    #[error("it is damaged, or holds no page")]
    Broken,
    #[error("it holds answers to a form that cannot be drawn")]
    Form,
}

/// A PDF and its pages, which count from 1.
pub struct Pages(Arc<Pdf>);

impl Pages {
    /// # Errors
    /// It is no PDF with pages, or a password protects it.
    pub fn read(bytes: Vec<u8>) -> Result<Self, Unreadable> {
        let pdf = Pdf::new(bytes).map_err(|error| match error {
            LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Unreadable::Locked,
            LoadPdfError::Decryption(_) | LoadPdfError::Invalid => Unreadable::Broken,
        })?;
        if pdf.pages().is_empty() { Err(Unreadable::Broken) } else { Ok(Self(Arc::new(pdf))) }
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.0.pages().len()
    }

    /// A page as it looks; none when there is no such page, it has no size, or an image on it cannot be read: white,
    /// it would pass for a blank page.
    #[must_use]
    pub fn picture(&self, number: usize) -> Option<Picture> {
        let page = self.0.pages().get(number.checked_sub(1)?)?;
        let (width, height) = page.render_dimensions();
        let scale = f32::from(picture::LARGE) / width.max(height);
        if !scale.is_normal() {
            return None;
        }
        let settings = RenderSettings {
            x_scale: scale,
            y_scale: scale,
            width: Some(pixels_of(width * scale, picture::LARGE)),
            height: Some(pixels_of(height * scale, picture::LARGE)),
            bg_color: WHITE,
        };
        let lacks = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&lacks);
        let warning_sink = Arc::new(move |warning| {
            let lost = matches!(warning, InterpreterWarning::ImageDecodeFailure);
            told.fetch_or(lost, Ordering::Relaxed);
        });
        let interpreter = InterpreterSettings { warning_sink, ..InterpreterSettings::default() };
        let drawn = render(page, &RenderCache::new(), &interpreter, &settings);
        if lacks.load(Ordering::Relaxed) {
            return None;
        }
        let (width, height) = (drawn.width(), drawn.height());
        let gray = drawn.data().iter().map(|dot| luminance(dot.r, dot.g, dot.b)).collect();
        picture::of_gray(gray, width.into(), height.into())
    }

    /// These pages alone, as they are: nothing is drawn anew.
    ///
    /// # Errors
    /// There are no such pages, or they cannot be taken out.
    pub fn cut(&self, numbers: RangeInclusive<usize>) -> Result<Vec<u8>, Unreadable> {
        let (first, last) = (*numbers.start(), *numbers.end());
        if first == 0 || first > last || last > self.count() {
            return Err(Unreadable::Broken);
        }
        let mut document = printed::document()?;
        let indices: Vec<usize> = (first - 1..last).collect();
        document.embed_pdf_pages(&PdfDocument::new(Arc::clone(&self.0)), &indices);
        document.finish().map_err(|_| Unreadable::Broken)
    }
}

/// A side of a picture: some dot at least, and no more than `most`.
fn pixels_of(side: f32, most: u16) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let side = side.round().clamp(1.0, f32::from(most)) as u16;
    side
}

/// How light a dot is (ITU-R BT.601).
fn luminance(red: u8, green: u8, blue: u8) -> u8 {
    let sum = u32::from(red) * 299 + u32::from(green) * 587 + u32::from(blue) * 114;
    u8::try_from(sum / 1000).unwrap_or(u8::MAX)
}
