//! A browser of a few lines: keeps its cookies, says where its forms come from, follows nothing by itself.

use std::{collections::BTreeMap, net::SocketAddr};

use futures_util::{StreamExt, stream};
use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderMap, LOCATION, SET_COOKIE},
    multipart,
};

use super::{PASSWORD, html};

pub fn http() -> reqwest::Client {
    super::portal::ready_tls();
    let limit = std::time::Duration::from_secs(120);
    // No connection kept: one that the server closes after a refused upload would fail whoever takes it next.
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(limit);
    builder.pool_max_idle_per_host(0).build().unwrap()
}

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: SocketAddr,
    pub host: String,
    pub cookies: BTreeMap<String, String>,
    /// Sent with every form; none as an old or hostile browser would.
    pub origin: Option<String>,
}

#[derive(Debug)]
pub struct Page {
    pub status: u16,
    /// Where it was asked.
    pub path: String,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

/// A file to send: the input's name, the file's name, its bytes.
pub type Upload<'a> = (&'a str, &'a str, &'a [u8]);

impl Client {
    pub fn new(http: reqwest::Client, address: SocketAddr, host: &str) -> Self {
        Self { http, address, host: host.to_owned(), cookies: BTreeMap::new(), origin: Some(format!("http://{host}")) }
    }

    /// Goes on with the same cookies at another process.
    pub fn moved(&mut self, to: &super::process::Process) {
        self.address = to.address;
    }

    /// Sends what `build` makes of the request; gives whatever came back, were it an error.
    pub async fn try_send(
        &mut self,
        method: Method,
        path: &str,
        build: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> reqwest::Result<Page> {
        assert!(path.starts_with('/'), "not a path: {path}");
        let safe = method == Method::GET || method == Method::HEAD;
        let mut request =
            self.http.request(method, format!("http://{}{path}", self.address)).header("host", &self.host);
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", cookies.join("; "));
        }
        if let Some(origin) = self.origin.as_ref().filter(|_| !safe) {
            request = request.header("origin", origin);
        }
        let response = build(request).send().await?;
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name)
            } else {
                self.cookies.insert(name.into(), value.into())
            };
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Page { status, path: path.to_owned(), headers, bytes: response.bytes().await?.to_vec() })
    }

    /// The same, for answers that must come and must not be our fault.
    async fn send(
        &mut self,
        method: Method,
        path: &str,
        build: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Page {
        let page = self.try_send(method.clone(), path, build).await.unwrap();
        assert!(page.status < 500, "{method} {path}: {} {}", page.status, page.words());
        page
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, |request| request).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let form: Vec<(String, String)> =
            form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.post_form(path, &form).await
    }

    pub async fn post_form(&mut self, path: &str, form: &[(String, String)]) -> Page {
        self.post_bytes(path, "application/x-www-form-urlencoded", urlencoded(form).into_bytes()).await
    }

    pub async fn post_bytes(&mut self, path: &str, kind: &str, body: Vec<u8>) -> Page {
        self.send(Method::POST, path, |request| request.header(CONTENT_TYPE, kind).body(body)).await
    }

    /// Sends a form whose answer is read piece by piece.
    pub async fn stream(&mut self, path: &str, form: &[(&str, &str)]) -> reqwest::Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.http.post(format!("http://{}{path}", self.address)).header("host", &self.host);
        let request = request.header("cookie", cookies.join("; ")).header("origin", format!("http://{}", self.host));
        let response = request.form(form).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response
    }

    /// A form with files, as a browser sends it.
    pub async fn upload(&mut self, path: &str, fields: &[(String, String)], files: &[Upload<'_>]) -> Page {
        let mut form = multipart::Form::new();
        for (name, value) in fields {
            form = form.text(name.clone(), value.clone());
        }
        for (name, file, bytes) in files {
            form = form.part((*name).to_owned(), multipart::Part::bytes(bytes.to_vec()).file_name((*file).to_owned()));
        }
        self.send(Method::POST, path, |request| request.multipart(form)).await
    }

    /// The same with one file, whose last bytes leave once `meanwhile` has happened.
    pub async fn upload_slowly(
        &mut self,
        path: &str,
        fields: &[(String, String)],
        (name, file, bytes): Upload<'_>,
        meanwhile: impl Future<Output = ()> + Send + 'static,
    ) -> Page {
        let (begin, end) = bytes.split_at(bytes.len() - 1);
        let (begin, end) = (begin.to_vec(), end.to_vec());
        let late = async move {
            meanwhile.await;
            std::io::Result::Ok(end)
        };
        let body = stream::once(async { Ok(begin) }).chain(stream::once(late));
        let part = multipart::Part::stream(reqwest::Body::wrap_stream(body)).file_name(file.to_owned());
        let mut form = multipart::Form::new().part(name.to_owned(), part);
        for (name, value) in fields {
            form = form.text(name.clone(), value.clone());
        }
        self.send(Method::POST, path, |request| request.multipart(form)).await
    }

    /// Where `page` leads.
    pub async fn follow(&mut self, page: &Page) -> Page {
        assert_eq!(page.status, 303, "{}: {}", page.path, page.words());
        self.get(page.location()).await
    }

    /// The export of the usager's data: a ZIP file, and the JSON in it.
    pub async fn export(&mut self) -> (Vec<u8>, serde_json::Value) {
        let page = self.post("/compte/donnees/export", &[("mot-de-passe-export", PASSWORD)]).await.is(200);
        let data = page.taken_away();
        (page.bytes, data)
    }

    /// What the usager's export holds in JSON.
    pub async fn data(&mut self) -> serde_json::Value {
        self.export().await.1
    }

    pub async fn sign_in(&mut self, door: &str, email: &str) {
        let page = self.post(door, &[("email", email), ("mot-de-passe", PASSWORD)]).await;
        assert_eq!(page.status, 303, "{email} cannot sign in: {}", page.words());
    }
}

impl Page {
    /// The JSON in an export of somebody's data, first file of its ZIP.
    pub fn taken_away(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/zip");
        let number = |at: usize| usize::from(u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]]));
        let (size, name) = (number(22) + (number(24) << 16), number(26));
        assert_eq!((&self.bytes[30..30 + name], number(28)), (&b"donnees.json"[..], 0));
        serde_json::from_slice(&self.bytes[30 + name..30 + name + size]).unwrap()
    }
}

pub fn urlencoded(form: &[(String, String)]) -> String {
    let encode = guichet::platform::encode;
    form.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect::<Vec<_>>().join("&")
}

impl Page {
    pub fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn html(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    /// The words of the page's main part, one space between them.
    pub fn words(&self) -> String {
        let html = String::from_utf8_lossy(&self.bytes);
        let main = html
            .split_once("<main")
            .map_or(html.as_ref(), |(_, main)| main.split_once("</main").map_or(main, |(main, _)| main));
        let main = main.split_once('>').filter(|_| html.contains("<main")).map_or(main, |(_, main)| main);
        html::words(main)
    }

    /// Whether a link or a form of the page leads there.
    pub fn links_to(&self, address: &str) -> bool {
        html::tags(self.html()).iter().any(|tag| tag.get("href") == address || tag.get("action") == address)
    }

    pub fn forms(&self) -> Vec<html::Form> {
        html::forms(self.html())
    }

    /// The form that holds a field or a button of this name.
    #[track_caller]
    pub fn form(&self, name: &str) -> html::Form {
        let found = self.forms().into_iter().find(|form| form.holds(name));
        found.unwrap_or_else(|| panic!("no form with {name} on {} ({}): {}", self.path, self.status, self.words()))
    }

    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{} → {}: {}", self.path, self.location(), self.words());
        self
    }

    #[track_caller]
    pub fn shows(self, text: &str) -> Self {
        assert!(
            self.words().contains(&html::plain(text)),
            "« {text} » is not on {} ({}): {}",
            self.path,
            self.status,
            self.words()
        );
        self
    }

    #[track_caller]
    pub fn hides(self, text: &str) -> Self {
        assert!(
            !self.words().contains(&html::plain(text)),
            "« {text} » is on {} ({}): {}",
            self.path,
            self.status,
            self.words()
        );
        self
    }

    #[track_caller]
    pub fn leads_to(self, location: &str) -> Self {
        assert_eq!((self.status, self.location()), (303, location), "{}: {}", self.path, self.words());
        self
    }
}
