//! Mails that no person wrote (RFC 3834): they are kept apart, and nothing answers them. Nothing here answers any
//! incoming mail at all: two robots never talk.

use mail_parser::{Message, MimeHeaders};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Automatic {
    No,
    /// A mail of ours was not delivered (RFC 3464, or an empty sender).
    Bounce,
    /// An absence, a newsletter, a list.
    Robot,
}

/// What the headers say of who wrote. `sender`: of the envelope, when the mail server told it.
pub fn of(message: &Message<'_>, sender: Option<&str>) -> Automatic {
    let header = |name: &str| {
        let found = message.headers_raw().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, text)| text.trim().to_ascii_lowercase())
    };
    let from = message.from().and_then(|from| from.first()).and_then(|from| from.address()).unwrap_or_default();
    let robot = from.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let report = message.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart")
            && kind.subtype().is_some_and(|sub| sub.eq_ignore_ascii_case("report"))
    });
    // Some mail servers write MAILER-DAEMON for the empty sender.
    let empty = |path: &str| {
        let bare = path.trim().trim_matches(['<', '>']);
        bare.is_empty() || bare.eq_ignore_ascii_case("mailer-daemon")
    };
    let returned = header("Return-Path").is_some_and(|path| empty(&path));
    if report || returned || sender.is_some_and(empty) || ["mailer-daemon", "postmaster"].contains(&robot.as_str()) {
        return Automatic::Bounce;
    }
    let submitted =
        header("Auto-Submitted").is_some_and(|text| text.split(';').next().unwrap_or_default().trim() != "no");
    let precedence =
        header("Precedence").is_some_and(|text| ["bulk", "junk", "list", "auto_reply"].contains(&text.as_str()));
    let listed = header("List-Id").is_some() || header("List-Unsubscribe").is_some();
    let said = ["X-Autoreply", "X-Autorespond", "X-Loop"].into_iter().any(|name| header(name).is_some());
    if submitted || precedence || listed || said { Automatic::Robot } else { Automatic::No }
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    fn judge(headers: &str, sender: Option<&str>) -> Automatic {
        let text = format!("From: camille@exemple.fr\r\nSubject: Re\r\n{headers}\r\nBonjour\r\n");
        of(&MessageParser::default().parse(text.as_bytes()).unwrap(), sender)
    }

    #[test]
    fn robots_are_told_from_people() {
        assert_eq!(judge("", None), Automatic::No);
        assert_eq!(judge("Auto-Submitted: no\r\n", Some("camille@exemple.fr")), Automatic::No);
        assert_eq!(judge("Return-Path: <camille@exemple.fr>\r\n", None), Automatic::No);
        // Outlook puts it on what people write.
        assert_eq!(judge("X-Auto-Response-Suppress: All\r\n", None), Automatic::No);
        for robot in [
            "Auto-Submitted: auto-replied\r\n",
            "auto-submitted: Auto-Generated; owner-email=\"a@b.fr\"\r\n",
            "Precedence: bulk\r\n",
            "Precedence: auto_reply\r\n",
            "List-Id: <lettre.exemple.fr>\r\n",
            "X-Autoreply: yes\r\n",
        ] {
            assert_eq!(judge(robot, None), Automatic::Robot, "{robot}");
        }
        for bounce in
            ["Return-Path: <>\r\n", "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n"]
        {
            assert_eq!(judge(bounce, None), Automatic::Bounce, "{bounce}");
        }
        assert_eq!(judge("", Some("")), Automatic::Bounce);
    }
}
