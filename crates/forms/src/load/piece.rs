//! One supporting document.

use std::collections::BTreeMap;

use super::{
    field,
    keys::{self, Keys},
    node::{At, Node},
    scope::Reader,
};
use crate::model::Piece;

const USUAL_FILES: u32 = 5;

pub(super) fn read(node: &Node, reader: &mut Reader<'_>, seen: &mut BTreeMap<String, At>) -> Option<Piece> {
    let mut keys = Keys::new(node, "de la pièce", reader.found)?;
    let id = keys.need("id", reader.found).and_then(|node| {
        let id = keys::id(node, reader.found)?;
        field::unique(&id, node, "La pièce", seen, reader);
        Some(id)
    });
    let piece = Piece {
        id: id.unwrap_or_default(),
        title: keys.need_text("title", reader.found),
        help: keys.text("help", reader.found),
        basis: keys.need_text("basis", reader.found),
        instead: keys.texts("instead", reader.found),
        optional: keys.flag("optional", reader.found),
        show_if: reader.show_if(&mut keys, "cette pièce n'est jamais demandée"),
        files: keys.take("files").and_then(|node| keys::whole(node, 1, reader.found)).unwrap_or(USUAL_FILES),
        sensitive: keys.flag("sensitive", reader.found),
    };
    keys.finish(reader.found);
    Some(piece)
}
