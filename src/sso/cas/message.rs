//! What CAS servers say (CAS Protocol 3.0, §2.4 to 2.8 and appendix A). Pure: values in, text out.

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    InvalidRequest,
    InvalidTicketSpec,
    UnauthorizedServiceProxy,
    InvalidProxyCallback,
    InvalidTicket,
    InvalidService,
    UnauthorizedService,
}

impl Failure {
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::InvalidTicketSpec => "INVALID_TICKET_SPEC",
            Self::UnauthorizedServiceProxy => "UNAUTHORIZED_SERVICE_PROXY",
            Self::InvalidProxyCallback => "INVALID_PROXY_CALLBACK",
            Self::InvalidTicket => "INVALID_TICKET",
            Self::InvalidService => "INVALID_SERVICE",
            Self::UnauthorizedService => "UNAUTHORIZED_SERVICE",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::InvalidRequest => "a parameter is missing or wrong",
            Self::InvalidTicketSpec => "this kind of ticket is not accepted here",
            Self::UnauthorizedServiceProxy => "this service may not be a proxy",
            Self::InvalidProxyCallback => "the proxy callback did not answer",
            Self::InvalidTicket => "the ticket is unknown, used or too old",
            Self::InvalidService => "the ticket was given for another service",
            Self::UnauthorizedService => "the target service is not known",
        }
    }
}

/// A ticket found good.
#[derive(Debug, Clone)]
pub struct Success {
    pub user: String,
    /// None in answers of CAS 2, which know no attributes.
    pub attributes: Option<Attributes>,
    pub pgt_iou: Option<String>,
    /// Latest first.
    pub proxies: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Attributes {
    pub authentication_date: Timestamp,
    pub from_new_login: bool,
    pub others: Vec<(&'static str, String)>,
}

const OPEN: &str = "<cas:serviceResponse xmlns:cas=\"http://www.yale.edu/tp/cas\">\n";
const CLOSE: &str = "</cas:serviceResponse>\n";

pub fn xml(answer: &Result<Success, Failure>) -> String {
    match answer {
        Err(failure) => format!(
            "{OPEN} <cas:authenticationFailure code=\"{}\">{}</cas:authenticationFailure>\n{CLOSE}",
            failure.code(),
            failure.text()
        ),
        Ok(success) => format!(
            "{OPEN} <cas:authenticationSuccess>\n{}{}{CLOSE}",
            inside(success),
            " </cas:authenticationSuccess>\n"
        ),
    }
}

fn element(name: &str, value: &str) -> String {
    format!("<cas:{name}>{}</cas:{name}>", escape(value))
}

/// In the order of the schema: user, attributes, proxyGrantingTicket, proxies.
fn inside(success: &Success) -> String {
    let mut out = format!("  {}\n", element("user", &success.user));
    if let Some(attributes) = &success.attributes {
        out.push_str("  <cas:attributes>\n");
        for (name, value) in plain(attributes) {
            out.push_str(&format!("   {}\n", element(name, &value)));
        }
        out.push_str("  </cas:attributes>\n");
    }
    if let Some(iou) = &success.pgt_iou {
        out.push_str(&format!("  {}\n", element("proxyGrantingTicket", iou)));
    }
    if !success.proxies.is_empty() {
        let list: String = success.proxies.iter().map(|proxy| element("proxy", proxy)).collect();
        out.push_str(&format!("  <cas:proxies>{list}</cas:proxies>\n"));
    }
    out
}

fn plain(attributes: &Attributes) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("authenticationDate", attributes.authentication_date.to_string()),
        ("longTermAuthenticationRequestTokenUsed", "false".to_owned()),
        ("isFromNewLogin", attributes.from_new_login.to_string()),
    ];
    all.extend(attributes.others.iter().cloned());
    all
}

pub fn json(answer: &Result<Success, Failure>) -> Json {
    let inside = match answer {
        Err(failure) => json!({"authenticationFailure": {"code": failure.code(), "description": failure.text()}}),
        Ok(success) => {
            let mut one = Map::from_iter([("user".to_owned(), json!(success.user))]);
            if let Some(attributes) = &success.attributes {
                let mut list: Map<String, Json> =
                    plain(attributes).into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
                list.insert("longTermAuthenticationRequestTokenUsed".to_owned(), json!(false));
                list.insert("isFromNewLogin".to_owned(), json!(attributes.from_new_login));
                one.insert("attributes".to_owned(), Json::Object(list));
            }
            if let Some(iou) = &success.pgt_iou {
                one.insert("proxyGrantingTicket".to_owned(), json!(iou));
            }
            if !success.proxies.is_empty() {
                one.insert("proxies".to_owned(), json!(success.proxies));
            }
            json!({"authenticationSuccess": one})
        }
    };
    json!({"serviceResponse": inside})
}

/// CAS 1: two lines.
pub fn two_lines(answer: &Result<Success, Failure>) -> String {
    match answer {
        Ok(success) => format!("yes\n{}\n", success.user),
        Err(_) => "no\n\n".to_owned(),
    }
}

pub fn proxy(answer: &Result<String, Failure>) -> String {
    match answer {
        Ok(ticket) => {
            format!("{OPEN} <cas:proxySuccess>{}</cas:proxySuccess>\n{CLOSE}", element("proxyTicket", ticket))
        }
        Err(failure) => format!(
            "{OPEN} <cas:proxyFailure code=\"{}\">{}</cas:proxyFailure>\n{CLOSE}",
            failure.code(),
            failure.text()
        ),
    }
}

/// What a service is sent when the session that `ticket` came from ends.
pub fn logout(id: &str, now: Timestamp, ticket: &str) -> String {
    format!(
        "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"LR-{}\" Version=\"2.0\" IssueInstant=\"{now}\">\
<saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">@NOT_USED@</saml:NameID>\
<samlp:SessionIndex>{}</samlp:SessionIndex></samlp:LogoutRequest>",
        escape(id),
        escape(ticket)
    )
}

/// Text of an XML element or attribute; what XML cannot hold is left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(letter),
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => {}
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Success {
        Success {
            user: "a<b&\"c\u{1}\"".to_owned(),
            attributes: Some(Attributes {
                authentication_date: "2026-11-17T09:00:00Z".parse().unwrap(),
                from_new_login: true,
                others: vec![("sn", "L’Été & Fils".to_owned())],
            }),
            pgt_iou: Some("PGTIOU-1".to_owned()),
            proxies: vec!["https://b/".to_owned(), "https://a/".to_owned()],
        }
    }

    #[test]
    fn success_follows_the_schema() {
        let expected = "<cas:serviceResponse xmlns:cas=\"http://www.yale.edu/tp/cas\">\n <cas:authenticationSuccess>\n  \
<cas:user>a&lt;b&amp;&quot;c&quot;</cas:user>\n  <cas:attributes>\n   <cas:authenticationDate>2026-11-17T09:00:00Z</cas:authenticationDate>\n   \
<cas:longTermAuthenticationRequestTokenUsed>false</cas:longTermAuthenticationRequestTokenUsed>\n   <cas:isFromNewLogin>true</cas:isFromNewLogin>\n   \
<cas:sn>L’Été &amp; Fils</cas:sn>\n  </cas:attributes>\n  <cas:proxyGrantingTicket>PGTIOU-1</cas:proxyGrantingTicket>\n  \
<cas:proxies><cas:proxy>https://b/</cas:proxy><cas:proxy>https://a/</cas:proxy></cas:proxies>\n </cas:authenticationSuccess>\n</cas:serviceResponse>\n";
        assert_eq!(xml(&Ok(good())), expected);
        let json = json(&Ok(good()));
        let inside = &json["serviceResponse"]["authenticationSuccess"];
        assert_eq!(inside["attributes"]["isFromNewLogin"], true);
        assert_eq!(
            (inside["attributes"]["sn"].as_str(), inside["proxies"][0].as_str()),
            (Some("L’Été & Fils"), Some("https://b/"))
        );
    }

    #[test]
    fn plain_answers_hold_nothing_more() {
        let bare = Success { user: "u".to_owned(), attributes: None, pgt_iou: None, proxies: vec![] };
        assert_eq!(two_lines(&Ok(bare.clone())), "yes\nu\n");
        assert_eq!(two_lines(&Err(Failure::InvalidTicket)), "no\n\n");
        let text = xml(&Ok(bare.clone()));
        assert!(!text.contains("attributes") && !text.contains("prox") && text.contains("<cas:user>u</cas:user>"));
        assert_eq!(json(&Ok(bare)), json!({"serviceResponse": {"authenticationSuccess": {"user": "u"}}}));
        assert!(xml(&Err(Failure::InvalidService)).contains("code=\"INVALID_SERVICE\""));
        assert_eq!(
            json(&Err(Failure::InvalidTicket))["serviceResponse"]["authenticationFailure"]["code"],
            "INVALID_TICKET"
        );
        assert!(proxy(&Err(Failure::UnauthorizedService)).contains("cas:proxyFailure code=\"UNAUTHORIZED_SERVICE\""));
        assert!(proxy(&Ok("PT-1".to_owned())).contains("<cas:proxyTicket>PT-1</cas:proxyTicket>"));
        assert!(
            logout("1", jiff::Timestamp::UNIX_EPOCH, "ST-<")
                .contains("<samlp:SessionIndex>ST-&lt;</samlp:SessionIndex>")
        );
    }
}
