//! Reading one mail (RFC 5322, MIME): what people wrote, as plain text, and what they attached. Nothing in it is
//! trusted, its sender least of all.

use jiff::Timestamp;
use mail_parser::{Address, HeaderName, HeaderValue, Message, MessageParser, MimeHeaders, PartType};

use super::{
    automatic::{self, Automatic},
    quote,
};
use crate::platform::upload::clean_name;

/// Longest text kept, in characters; the rest is said to be missing.
const LONGEST: usize = 50_000;

pub struct Incoming {
    /// Without its angle brackets; none: it has none.
    pub message_id: Option<String>,
    pub from: String,
    pub name: String,
    /// Every address that it says it was sent or delivered to.
    pub to: Vec<String>,
    /// Message-IDs that it answers, those of a bounce included.
    pub answers: Vec<String>,
    pub subject: String,
    /// As its sender says.
    pub date: Option<Timestamp>,
    pub text: String,
    pub quoted: String,
    pub files: Vec<(String, Vec<u8>)>,
    pub automatic: Automatic,
}

/// None when it is no mail at all. `sender`, `recipient`: of the envelope, when they are known.
pub fn read(raw: &[u8], sender: Option<&str>, recipient: Option<&str>) -> Option<Incoming> {
    let message = MessageParser::default().parse(raw)?;
    let from = message.from().and_then(Address::first);
    let text = body(&message);
    let (text, quoted) = quote::split(&text);
    let mut to: Vec<String> = recipient.map(str::to_owned).into_iter().collect();
    to.extend(
        [message.to(), message.cc()]
            .into_iter()
            .flatten()
            .flat_map(|list| list.iter().filter_map(|one| one.address().map(str::to_owned)).collect::<Vec<_>>()),
    );
    for name in ["Delivered-To", "X-Original-To", "Envelope-To"] {
        to.extend(raw_values(&message, name));
    }
    let mut answers = ids(&message);
    // What a bounce returns holds our own headers.
    for part in &message.parts {
        match &part.body {
            PartType::Message(inner) => {
                answers.extend(ids(inner));
                answers.extend(inner.message_id().map(str::to_owned));
            }
            PartType::Text(text)
                if part.content_type().is_some_and(|kind| kind.subtype() == Some("rfc822-headers")) =>
            {
                if let Some(inner) = MessageParser::default().parse(text.as_bytes()) {
                    answers.extend(inner.message_id().map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    Some(Incoming {
        message_id: message.message_id().map(str::to_owned),
        from: line(from.and_then(|one| one.address()).unwrap_or_default(), 254),
        name: line(from.and_then(|one| one.name()).unwrap_or_default(), 200),
        to,
        answers,
        subject: line(message.subject().unwrap_or_default(), 300),
        date: message.date().and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()),
        text,
        quoted,
        files: files(&message),
        automatic: automatic::of(&message, sender),
    })
}

fn raw_values(message: &Message<'_>, name: &'static str) -> Vec<String> {
    let found = message.headers_raw().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim().trim_matches(['<', '>']).to_owned()).collect()
}

fn ids(message: &Message<'_>) -> Vec<String> {
    let of = |value: &HeaderValue<'_>| match value {
        HeaderValue::Text(text) => vec![text.to_string()],
        HeaderValue::TextList(list) => list.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    [HeaderName::InReplyTo, HeaderName::References]
        .into_iter()
        .filter_map(|name| message.header(name))
        .flat_map(of)
        .collect()
}

/// One line of readable characters.
fn line(text: &str, most: usize) -> String {
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(most).collect()
}

/// Every text part, HTML made plain, without what cannot be shown.
fn body(message: &Message<'_>) -> String {
    let mut texts = Vec::new();
    for part in message.text_bodies() {
        match &part.body {
            PartType::Text(text) => texts.push(text.to_string()),
            PartType::Html(html) => texts.push(plain(html)),
            _ => {}
        }
    }
    let text = texts.join("\n\n").replace("\r\n", "\n");
    let shown: String =
        text.chars().filter(|letter| *letter == '\n' || *letter == '\t' || !letter.is_control()).collect();
    let mut kept: String = shown.trim().chars().take(LONGEST).collect();
    if shown.trim().chars().count() > LONGEST {
        kept.push_str("\n\n[La suite de ce message, trop long, n’est pas gardée.]");
    }
    kept
}

/// HTML as lines of text: what ends a block ends a line.
fn plain(html: &str) -> String {
    let mut broken = html.to_owned();
    for end in ["</div>", "</li>", "</tr>", "</h1>", "</h2>", "</h3>", "</blockquote>", "</DIV>", "</LI>", "</TR>"] {
        broken = broken.replace(end, &format!("{end}<br>"));
    }
    let text = mail_parser::decoders::html::html_to_text(&broken);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut kept: Vec<&str> = Vec::new();
    for line in lines {
        // Blocks in blocks leave many empty lines.
        if !(line.is_empty() && kept.last().is_some_and(|last| last.is_empty())) {
            kept.push(line);
        }
    }
    kept.join("\n")
}

fn files(message: &Message<'_>) -> Vec<(String, Vec<u8>)> {
    let name = |part: &mail_parser::MessagePart<'_>, other: &str| {
        let found = clean_name(part.attachment_name().unwrap_or_default());
        if found.is_empty() { other.to_owned() } else { found }
    };
    let of = |part: &mail_parser::MessagePart<'_>| match &part.body {
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => Some((name(part, "document"), bytes.to_vec())),
        PartType::Text(text) | PartType::Html(text) => Some((name(part, "texte"), text.as_bytes().to_vec())),
        PartType::Message(inner) => Some((name(part, "message.eml"), inner.raw_message().to_vec())),
        PartType::Multipart(_) => None,
    };
    message.attachments().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Incoming {
        read(text.replace('\n', "\r\n").as_bytes(), None, None).unwrap()
    }

    #[test]
    fn charsets_and_encodings() {
        let mail = parsed(
            "From: =?iso-8859-1?Q?Camille_B=E9rard?= <Camille@Exemple.fr>\nTo: Ville <mairie+x@ville.fr>, autre@ville.fr\nDelivered-To: <mairie+y@ville.fr>\nSubject: =?utf-8?B?w4ljb2xl?=\nMessage-ID: <a@b>\nIn-Reply-To: <c@d>\nReferences: <e@f> <c@d>\nContent-Type: text/plain; charset=windows-1252\nContent-Transfer-Encoding: quoted-printable\n\nBonjour, l=92=E9cole =80\n",
        );
        assert_eq!(
            (mail.name.as_str(), mail.from.as_str(), mail.subject.as_str()),
            ("Camille Bérard", "Camille@Exemple.fr", "École")
        );
        assert_eq!(mail.text, "Bonjour, l’école €");
        assert_eq!(mail.to, ["mairie+x@ville.fr", "autre@ville.fr", "mairie+y@ville.fr"]);
        assert_eq!(
            (mail.message_id.as_deref(), mail.answers.as_slice()),
            (Some("a@b"), ["c@d", "e@f", "c@d"].map(str::to_owned).as_slice())
        );
    }

    #[test]
    fn html_becomes_text_and_runs_nothing() {
        let mail = parsed(
            "From: a@b.fr\nContent-Type: text/html; charset=utf-8\n\n<html><head><title>T</title></head><body><script>alert(1)</script><style>p{}</style><div>Bonjour&nbsp;&amp; <b>merci</b></div><div>À lundi</div><img src=https://espion.example/x></body></html>\n",
        );
        assert_eq!(mail.text.replace('\u{a0}', " "), "Bonjour & merci\nÀ lundi");
    }

    #[test]
    fn the_plain_part_is_read_and_files_are_taken_out() {
        let mail = parsed(
            "From: a@b.fr\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: multipart/alternative; boundary=y\n\n--y\nContent-Type: text/plain\n\nVoici.\n--y\nContent-Type: text/html\n\n<p>Voici</p>\n--y--\n--x\nContent-Type: application/octet-stream; name=\"../../a b.pdf\"\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nJVBERi0xLjQK\n--x\nContent-Type: message/rfc822\n\nFrom: c@d.fr\nSubject: dedans\n\nInterne\n--x--\n",
        );
        assert_eq!(mail.text, "Voici.");
        let names: Vec<&str> = mail.files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a b.pdf", "message.eml"]);
        assert_eq!(mail.files[0].1, b"%PDF-1.4\n");
    }

    #[test]
    fn a_bounce_tells_what_it_returns() {
        let mail = parsed(
            "From: MAILER-DAEMON@b.fr\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\nContent-Type: text/plain\n\nNon remis.\n--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; b.fr\n\n--x\nContent-Type: message/rfc822\n\nMessage-ID: <id.token@ville.fr>\nSubject: x\n\nBonjour\n--x--\n",
        );
        assert_eq!((mail.automatic, mail.answers), (Automatic::Bounce, vec!["id.token@ville.fr".to_owned()]));
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_is_read_without_harm(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
            if let Some(mail) = read(&bytes, None, None) {
                proptest::prop_assert!(!mail.text.contains('\0') && !mail.subject.contains('\n'));
            }
        }
    }
}
