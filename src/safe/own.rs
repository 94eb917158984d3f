//! What the owner of a safe types to open it, and the code of their own: what an account without password
//! has in its place.

use axum::{
    extract::Query,
    response::{IntoResponse, Redirect, Response},
};
use db::Tx;
use forms::answers::Raw;
use minijinja::{Value, context};
use zeroize::Zeroizing;

use super::{
    crypt::Key,
    door::{self, Onward, errors, onward, safe_of},
    model::{self, Safe, Way, Wrap},
    opening, secrets, store,
};
use crate::{
    accounts::{self, passkey, session::Kind},
    error::Problem,
    platform::{
        encode,
        form::Typed,
        throttle::{self, ONE},
    },
    visit::Citizen,
};

const TITLE: &str = "Changer le code de mes documents";
/// Field of the code of one's own.
const CODE: &str = "code-documents";
const PASSWORD: &str = "mot-de-passe";
/// What [`recover`] says of anything that opens nothing.
pub const UNKNOWN: &str = "Ce n’est ni votre code de secours ni ce qui ouvrait vos documents jusqu’ici";

/// A field, and what to say beside it.
pub type Refused = (&'static str, String);

/// What opens a safe, and whether the account has a password.
pub struct Secrets {
    own: Option<Wrap>,
    password: Option<Wrap>,
    account: bool,
    /// Whether a passkey opens it, on a site that can have them.
    passkey: bool,
}

pub async fn has_password(citizen: &Citizen) -> Result<bool, Problem> {
    Ok(accounts::has_password(citizen, Kind::Usager, &citizen.account.login).await?)
}

impl Secrets {
    pub async fn of(citizen: &Citizen, safe: &Safe) -> Result<Self, Problem> {
        Ok(Self {
            own: store::wrap(&citizen.db, safe.id, Way::Own).await?,
            password: store::wrap(&citizen.db, safe.id, Way::Password).await?,
            account: has_password(citizen).await?,
            passkey: passkey::possible(citizen) && !store::key_wraps(&citizen.db, safe.id).await?.is_empty(),
        })
    }

    fn password_opens(&self) -> bool {
        self.account && self.password.as_ref().is_some_and(|wrap| !wrap.stale)
    }

    /// Whether the recovery page is the only way in.
    pub fn lost(&self) -> bool {
        !self.typed() && !self.passkey
    }

    /// Whether something that is typed opens it, recovery apart.
    fn typed(&self) -> bool {
        self.own.is_some() || self.password_opens()
    }

    /// Nothing that could be typed: neither code nor password.
    pub fn nothing(&self) -> bool {
        self.own.is_none() && !self.account
    }

    pub fn has_own(&self) -> bool {
        self.own.is_some()
    }

    /// For templates: `own`, whether there is a code of one's own; `password`: `opens`, `may` (the account has
    /// one, which does not open the safe), `no`; `typed`: whether either opens it; `passkey`: whether one does.
    pub fn shown(&self) -> Value {
        let password = if self.password_opens() {
            "opens"
        } else if self.account {
            "may"
        } else {
            "no"
        };
        context! { own => self.own.is_some(), password => password, typed => self.typed(), passkey => self.passkey }
    }

    /// Judges the code of one's own, or the password. No key: the password is right and does not open.
    pub async fn prove(
        &self,
        citizen: &Citizen,
        safe: &Safe,
        typed: &Raw,
    ) -> Result<Result<Option<Key>, Refused>, Problem> {
        let password = typed.text(PASSWORD);
        if let Some(own) = &self.own
            && (!typed.text(CODE).is_empty() || !self.account || password.is_empty())
        {
            let key = by_code(citizen, safe, own, typed.text(CODE)).await?;
            return Ok(key.map(Some).map_err(|text| (CODE, text)));
        }
        if let Some(text) = accounts::owner(citizen, Kind::Usager, &citizen.account.login, password).await? {
            return Ok(Err((PASSWORD, text)));
        }
        match &self.password {
            Some(wrap) => Ok(Ok(secrets::unseal(wrap, safe, Way::Password, password).await?)),
            None => Ok(Ok(None)),
        }
    }

    /// The password typed beside the code, if any, will open the safe too.
    pub async fn add_password(
        &self,
        citizen: &Citizen,
        safe: &Safe,
        key: &Key,
        typed: &Raw,
    ) -> Result<Option<Refused>, Problem> {
        let password = typed.text(PASSWORD);
        if self.password_opens() || !self.account || password.is_empty() {
            return Ok(None);
        }
        if let Some(text) = accounts::owner(citizen, Kind::Usager, &citizen.account.login, password).await? {
            return Ok(Some((PASSWORD, text)));
        }
        keep(citizen, safe, key, Way::Password, password).await?;
        Ok(None)
    }
}

async fn by_code(citizen: &Citizen, safe: &Safe, own: &Wrap, typed: &str) -> Result<Result<Key, String>, Problem> {
    if typed.is_empty() {
        return Ok(Err("Saisissez le code de vos documents".to_owned()));
    }
    if let Some(text) = slow(citizen, safe).await? {
        return Ok(Err(text));
    }
    match secrets::unseal(own, safe, Way::Own, typed).await? {
        Some(key) => {
            throttle::succeeded(&citizen.db, &subject(safe)).await?;
            Ok(Ok(key))
        }
        None => Ok(Err("Ce n’est pas le code de vos documents".to_owned())),
    }
}

pub fn subject(safe: &Safe) -> String {
    format!("documents:{}", safe.id)
}

/// Counts one more try at a safe's codes or passkeys; says to wait when there were too many.
pub async fn slow(citizen: &Citizen, safe: &Safe) -> Result<Option<String>, Problem> {
    let left = throttle::take(&citizen.db, &subject(safe), ONE, citizen.now).await?;
    Ok(left.map(|left| format!("Trop d’essais\u{a0}: réessayez dans {}", throttle::in_words(left))))
}

/// Keeps the key under one more secret, or in the place of the former one of its kind.
pub async fn keep(citizen: &Citizen, safe: &Safe, key: &Key, way: Way, secret: &str) -> Result<(), Problem> {
    let wrap = secrets::seal(key, safe.id, way, secret).await?;
    citizen.db.write(async |tx: &mut Tx| store::put_wrap(tx, safe.id, way, &wrap, citizen.now).await).await?;
    Ok(())
}

/// The code that somebody chooses: as hard to guess as a password.
pub fn chosen(citizen: &Citizen, typed: &Raw) -> Result<Zeroizing<String>, Refused> {
    let code = Zeroizing::new(typed.text(CODE).to_owned());
    let (account, site) = (&citizen.account, &citizen.site);
    let address = account.login.split('@').next().unwrap_or_default();
    let known = [&account.first_name, &account.last_name, address, &site.name, &site.settings.short];
    match accounts::check_password(&accounts::regular_password(&code), &known) {
        Ok(()) => Ok(code),
        Err(text) => Err((CODE, text.replace("mot de passe", "code"))),
    }
}

/// The key by whatever was printed or chosen once: the recovery code, the code of one's own, the password
/// that the safe was last sealed under. Tries are counted.
pub async fn recover(citizen: &Citizen, safe: &Safe, typed: &str) -> Result<Result<Key, String>, Problem> {
    if let Some(text) = slow(citizen, safe).await? {
        return Ok(Err(text));
    }
    let code = model::regular_code(typed);
    let ways = [code.as_deref().map(|code| (Way::Code, code)), Some((Way::Own, typed)), Some((Way::Password, typed))];
    for (way, secret) in ways.into_iter().flatten() {
        if let Some(wrap) = store::wrap(&citizen.db, safe.id, way).await?
            && let Some(key) = secrets::unseal(&wrap, safe, way, secret).await?
        {
            throttle::succeeded(&citizen.db, &subject(safe)).await?;
            return Ok(Ok(key));
        }
    }
    Ok(Err(UNKNOWN.to_owned()))
}

/// The page to choose a code; who opens with the password alone has nothing to change there.
async fn of_own(citizen: &Citizen, suite: &str) -> Result<Safe, Problem> {
    let safe = safe_of(citizen).await?;
    let secrets = Secrets::of(citizen, &safe).await?;
    if secrets.own.is_none() && secrets.account {
        return Err(Problem::Elsewhere(door::rescue_page(suite)));
    }
    Ok(safe)
}

pub fn page(suite: &str) -> String {
    format!("/mes-documents/mon-code?suite={}", encode(onward(suite)))
}

fn draw(citizen: &Citizen, suite: &str, wrong: &[Refused]) -> Result<Response, Problem> {
    let context = context! { suite => onward(suite), errors => errors(wrong) };
    if wrong.is_empty() {
        citizen.page("safe/own.html", TITLE, context)
    } else {
        citizen.page_again("safe/own.html", TITLE, context)
    }
}

pub async fn show(citizen: Citizen, Query(way): Query<Onward>) -> Result<Response, Problem> {
    of_own(&citizen, &way.suite).await?;
    draw(&citizen, &way.suite, &[])
}

/// A new code of one's own, with the former one or the recovery code; opens the safe.
pub async fn change(citizen: Citizen, Typed(typed): Typed) -> Result<Response, Problem> {
    let suite = typed.text("suite");
    let safe = of_own(&citizen, suite).await?;
    let mut wrong = Vec::new();
    if typed.text("secours").is_empty() {
        wrong.push(("secours", "Saisissez votre code actuel ou votre code de secours".to_owned()));
    }
    let code = chosen(&citizen, &typed).map_err(|refused| wrong.push(refused)).ok();
    let Some(code) = code.filter(|_| wrong.is_empty()) else { return draw(&citizen, suite, &wrong) };
    let key = match recover(&citizen, &safe, typed.text("secours")).await? {
        Ok(key) => key,
        Err(text) => return draw(&citizen, suite, &[("secours", text)]),
    };
    keep(&citizen, &safe, &key, Way::Own, &code).await?;
    let cookie = opening::open(&citizen, &safe, &key).await?;
    Ok(door::with_cookie(Redirect::to(onward(suite)).into_response(), cookie))
}
