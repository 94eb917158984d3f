//! As much HTML as our own pages hold (another test validates them): tags, attributes, forms, words.

use std::collections::BTreeMap;

pub struct Tag<'a> {
    /// `form`, `/form`.
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    /// The text up to the next tag, as written.
    pub after: &'a str,
}

impl Tag<'_> {
    pub fn get(&self, attribute: &str) -> &str {
        self.attributes.get(attribute).map_or("", String::as_str)
    }
}

pub fn tags(html: &str) -> Vec<Tag<'_>> {
    let mut found = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            found.push(Tag {
                name: "!--".to_owned(),
                attributes: BTreeMap::new(),
                after: rest.find('<').map_or(rest, |end| &rest[..end]),
            });
            continue;
        }
        let name: String = rest.chars().take_while(|letter| !letter.is_whitespace() && *letter != '>').collect();
        let mut attributes = BTreeMap::new();
        rest = rest[name.len()..].trim_start();
        while !rest.is_empty() && !rest.starts_with('>') {
            let key: String =
                rest.chars().take_while(|letter| !letter.is_whitespace() && !"=>".contains(*letter)).collect();
            rest = rest[key.len()..].trim_start();
            let mut value = "";
            if let Some(quoted) = rest.strip_prefix("=\"") {
                (value, rest) = quoted.split_once('"').unwrap_or((quoted, ""));
            } else if let Some(bare) = rest.strip_prefix('=') {
                let end = bare.find(|letter: char| letter.is_whitespace() || letter == '>').unwrap_or(bare.len());
                (value, rest) = bare.split_at(end);
            }
            attributes.insert(key, decode(value));
            rest = rest.trim_start();
        }
        rest = rest.strip_prefix('>').unwrap_or(rest);
        let after = rest.find('<').map_or(rest, |end| &rest[..end]);
        found.push(Tag { name, attributes, after });
    }
    found
}

pub fn decode(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, entity)) = rest.split_once('&') {
        out.push_str(before);
        let Some((name, after)) = entity.split_once(';').filter(|(name, _)| name.len() < 8) else {
            out.push('&');
            rest = entity;
            continue;
        };
        let number = name
            .strip_prefix("#x")
            .map(|hex| u32::from_str_radix(hex, 16))
            .or_else(|| name.strip_prefix('#').map(str::parse));
        out.push(match (name, number) {
            ("amp", _) => '&',
            ("lt", _) => '<',
            ("gt", _) => '>',
            ("quot", _) => '"',
            ("nbsp", _) => '\u{a0}',
            (_, Some(Ok(number))) => char::from_u32(number).unwrap(),
            _ => panic!("unknown entity {name}"),
        });
        rest = after;
    }
    out + rest
}

/// What a reader sees, white space made single spaces (no-break spaces too), apostrophes as keyboards type them.
pub fn words(html: &str) -> String {
    let before = html.split('<').next().unwrap_or_default();
    let parts =
        tags(html).into_iter().filter(|tag| tag.name != "script" && tag.name != "style").map(|tag| decode(tag.after));
    let text: String = std::iter::once(decode(before)).chain(parts).collect::<Vec<_>>().join(" ");
    plain(&text)
}

/// As [`words`], of a text without tags.
pub fn plain(text: &str) -> String {
    text.replace('’', "'").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Debug, Default, Clone)]
pub struct Form {
    pub action: String,
    pub multipart: bool,
    /// What a browser would send if nothing were touched.
    pub fields: Vec<(String, String)>,
    /// Names of all controls, ticked or not.
    pub names: Vec<String>,
    pub buttons: Vec<(String, String)>,
}

impl Form {
    pub fn holds(&self, name: &str) -> bool {
        self.names.iter().any(|found| found == name) || self.buttons.iter().any(|(found, _)| found == name)
    }

    #[track_caller]
    pub fn value(&self, name: &str) -> &str {
        self.fields
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_else(|| panic!("no field {name} in {self:?}"))
    }

    /// The form with another value for a field.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(found, _)| found != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}

pub fn forms(html: &str) -> Vec<Form> {
    let (mut found, mut current, mut select) = (Vec::new(), None::<Form>, None::<String>);
    for tag in tags(html) {
        match (tag.name.as_str(), current.as_mut()) {
            ("form", _) => {
                current = Some(Form {
                    action: tag.get("action").to_owned(),
                    multipart: tag.get("enctype").starts_with("multipart"),
                    ..Form::default()
                });
            }
            ("/form", _) => found.extend(current.take()),
            ("input", Some(form)) if !tag.get("name").is_empty() => {
                let name = tag.get("name").to_owned();
                let ticked = !matches!(tag.get("type"), "radio" | "checkbox") || tag.attributes.contains_key("checked");
                if ticked && tag.get("type") != "file" {
                    form.fields.push((name.clone(), tag.get("value").to_owned()));
                }
                form.names.push(name);
            }
            ("textarea", Some(form)) => {
                let name = tag.get("name").to_owned();
                form.fields.push((name.clone(), decode(tag.after.strip_prefix('\n').unwrap_or(tag.after))));
                form.names.push(name);
            }
            ("select", Some(form)) => {
                form.names.push(tag.get("name").to_owned());
                select = Some(tag.get("name").to_owned());
            }
            ("option", Some(form)) if tag.attributes.contains_key("selected") => {
                form.fields.extend(select.clone().map(|name| (name, tag.get("value").to_owned())));
            }
            ("button", Some(form)) => form.buttons.push((tag.get("name").to_owned(), tag.get("value").to_owned())),
            _ => {}
        }
    }
    found
}

#[test]
fn pages_are_read() {
    let html = r#"<main><!-- <p> --><form method="post" enctype="multipart/form-data"><input type="hidden" name="a" value="1 &amp; &#x27;2&#x27;">
        <input type="radio" name="r" value="x"><input type="radio" name=r value=y checked><textarea name="t">
é&lt;</textarea><select name="s"><option value="1"><option value="2" selected></select><button name="action" value="go">Oui&nbsp;!</button></form>"#;
    let form = forms(html).remove(0);
    let fields: Vec<(&str, &str)> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields, [("a", "1 & '2'"), ("r", "y"), ("t", "é<"), ("s", "2")]);
    assert!(form.multipart && form.holds("action") && form.buttons == [("action".to_owned(), "go".to_owned())]);
    assert_eq!(words("a <b>c</b>\u{a0}!<!-- no --> &lt;d"), "a c ! <d");
}
