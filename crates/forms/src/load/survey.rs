//! A survey, key by key.

use std::collections::BTreeMap;

use super::{
    Finding, Shared, field,
    keys::{self, Keys, advised},
    node::Node,
    procedure,
    scope::Reader,
};
use crate::model::Survey;

pub(super) fn read(file: &str, tree: &Node, shared: &Shared, found: &mut Vec<Finding>) -> Option<Survey> {
    let mut keys = Keys::new(tree, "de l'enquête", found)?;
    let id = keys.need("id", found).and_then(|node| keys::id(node, found)).unwrap_or_default();
    let title = keys.need_text("title", found);
    let summary = keys.need_text("summary", found);
    let description = keys.texts("description", found);
    let department = keys.need("department", found).and_then(|node| keys::id(node, found)).unwrap_or_default();
    let anonymous = keys.need("anonymous", found).and_then(|node| keys::flag(node, found)).unwrap_or_default();
    let minutes = keys.need("minutes", found).and_then(|node| keys::whole(node, 1, found)).unwrap_or_default();
    let notice = keys.need("notice", found).and_then(|node| procedure::notice(node, found));
    let opens = keys.need("opening", found);
    let opening = opens.and_then(|node| procedure::opening(node, found)).unwrap_or_default();
    if let Some(node) = opens.filter(|_| opening.to.is_none()) {
        let advice = "Ajoutez « to » : la conservation des réponses se compte depuis ce jour.";
        found.push(advised(&node.at, "Une enquête a un dernier jour.", advice));
    }
    let nodes = keys.need("fields", found).map(|node| keys::items(node, found)).unwrap_or_default();
    let after = keys.need_texts("after", found);
    let mut seen = BTreeMap::new();
    let fields = field::read_all(nodes, &mut Reader::new(tree, shared, found), &mut seen);
    for asked in &fields {
        let kind = &asked.kind;
        if kind.files().is_some() || kind.group().is_some() || asked.verified {
            let message = format!("Une enquête ne pose pas une question comme « {} ».", asked.id);
            let advice = "Ni fichier, ni groupe, ni identité vérifiée.";
            found.push(advised(seen.get(&asked.id).unwrap_or(&tree.at), message, advice));
        }
    }
    let name = file.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml"));
    if name.is_some_and(|name| name != id) {
        let message = format!("L'enquête « {id} » est dans un fichier d'un autre nom.");
        found.push(advised(&tree.at, message, format!("Nommez le fichier {id}.yaml.")));
    }
    keys.finish(found);
    Some(Survey {
        id,
        title,
        summary,
        description,
        department,
        anonymous,
        minutes,
        notice: notice?,
        opening,
        fields,
        after,
    })
}
