//! Files for tests.

/// A PDF of A4 pages, each with a text of Latin letters and a bar under it; an empty text is a blank page.
#[must_use]
pub fn pdf(texts: &[&str]) -> Vec<u8> {
    let mut objects = vec!["<</Type/Catalog/Pages 2 0 R>>".to_owned()];
    let kids: Vec<String> = (0..texts.len()).map(|index| format!("{} 0 R", 4 + 2 * index)).collect();
    objects.push(format!("<</Type/Pages/Count {}/Kids[{}]/MediaBox[0 0 595 842]>>", texts.len(), kids.join(" ")));
    objects.push("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned());
    for (index, text) in texts.iter().enumerate() {
        objects
            .push(format!("<</Type/Page/Parent 2 0 R/Resources<</Font<</F 3 0 R>>>>/Contents {} 0 R>>", 5 + 2 * index));
        let drawn = if text.is_empty() {
            String::new()
        } else {
            format!("BT /F 24 Tf 72 700 Td ({text}) Tj ET 72 400 300 40 re f")
        };
        objects.push(format!("<</Length {}>>stream\n{drawn}\nendstream", drawn.len()));
    }
    assemble(&objects)
}

/// A PDF of one page, on which an image stands that no reader can decode.
#[must_use]
pub fn unreadable_image() -> Vec<u8> {
    let image = "<</Type/XObject/Subtype/Image/Width 9/Height 9/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode/Length 4>>stream\nnope\nendstream";
    let drawn = "q 500 0 0 700 50 50 cm /I Do Q";
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Count 1/Kids[4 0 R]/MediaBox[0 0 595 842]>>".to_owned(),
        image.to_owned(),
        "<</Type/Page/Parent 2 0 R/Resources<</XObject<</I 3 0 R>>>>/Contents 5 0 R>>".to_owned(),
        format!("<</Length {}>>stream\n{drawn}\nendstream", drawn.len()),
    ];
    assemble(&objects)
}

/// The same, protected by a password.
#[must_use]
pub fn locked(texts: &[&str]) -> Vec<u8> {
    let open = String::from_utf8_lossy(&pdf(texts)).into_owned();
    let (key, id) = ("41".repeat(32), "42".repeat(16));
    let protection = format!("trailer<</Encrypt<</Filter/Standard/V 1/R 2/O<{key}>/U<{key}>/P -4>>/ID[<{id}><{id}>]");
    open.replace("trailer<<", &protection).into_bytes()
}

/// An A4 page with a text and an annotation, the inside of a dictionary: `7 0 R` is a grey area to show for it.
#[must_use]
pub fn annotated(text: &str, annotation: &str) -> Vec<u8> {
    let drawn = format!("BT /F 24 Tf 72 700 Td ({text}) Tj ET");
    let area = "0.2 g 0 0 200 40 re f";
    assemble(&[
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Count 1/Kids[4 0 R]/MediaBox[0 0 595 842]>>".to_owned(),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/Resources<</Font<</F 3 0 R>>>>/Contents 5 0 R/Annots[6 0 R]>>".to_owned(),
        format!("<</Length {}>>stream\n{drawn}\nendstream", drawn.len()),
        format!("<</Type/Annot/Rect[72 400 272 440]{annotation}>>"),
        format!("<</Type/XObject/Subtype/Form/BBox[0 0 200 40]/Length {}>>stream\n{area}\nendstream", area.len()),
    ])
}

/// A PNG file of one colour, half of it let through.
#[must_use]
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let image = image::RgbaImage::from_pixel(width, height, image::Rgba([200, 30, 30, 128]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    let written = image.write_to(&mut bytes, image::ImageFormat::Png);
    if written.is_ok() { bytes.into_inner() } else { Vec::new() }
}

fn assemble(objects: &[String]) -> Vec<u8> {
    let (mut file, mut places) = ("%PDF-1.4\n".to_owned(), Vec::new());
    for (index, object) in objects.iter().enumerate() {
        places.push(file.len());
        file += &format!("{} 0 obj{object}endobj\n", index + 1);
    }
    let start = file.len();
    file += &format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        file += &format!("{place:010} 00000 n \n");
    }
    file += &format!("trailer<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    file.into_bytes()
}
