//! For whom somebody acts, and what they may do then. No database.

use uuid::Uuid;

use crate::{accounts::session, error::Problem};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Organisation,
    Mandate,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Mandate => "mandate",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Organisation, Self::Mandate].into_iter().find(|kind| kind.name() == name)
    }
}

/// What a session says: for which organisation, by which mandate. Proves nothing by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    pub kind: Kind,
    pub id: Uuid,
}

impl Choice {
    pub fn of(kind: Option<&str>, id: Option<Uuid>) -> Option<Self> {
        Some(Self { kind: Kind::parse(kind?)?, id: id? })
    }
}

/// Something done in somebody's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Beginning, filling in, erasing a draft.
    Fill,
    /// Sending it, cancelling what was sent.
    Send,
    /// Seeing requests, their messages and documents.
    Follow,
    /// Writing to the department, giving what it asked for.
    Answer,
}

impl Deed {
    pub const ALL: [Self; 4] = [Self::Fill, Self::Send, Self::Follow, Self::Answer];

    pub fn code(self) -> &'static str {
        match self {
            Self::Fill => "fill",
            Self::Send => "send",
            Self::Follow => "follow",
            Self::Answer => "answer",
        }
    }

    /// In the form that gives a mandate.
    pub fn label(self) -> &'static str {
        match self {
            Self::Fill => "Préparer des demandes",
            Self::Send => "Envoyer des demandes, et en annuler",
            Self::Follow => "Suivre les demandes : les lire, avec leurs messages et leurs documents",
            Self::Answer => "Répondre au service : écrire des messages, donner les pièces demandées",
        }
    }

    fn refusal(self) -> &'static str {
        match self {
            Self::Fill => {
                "Vous pouvez consulter les demandes de la personne ou de l’organisation pour qui vous agissez, pas en préparer."
            }
            Self::Send => {
                "Vous pouvez préparer cette demande, pas l’envoyer ni l’annuler : ce droit ne vous a pas été donné. Le brouillon est conservé."
            }
            Self::Follow => {
                "Vous pouvez préparer des demandes, pas suivre celles qui sont envoyées : ce droit ne vous a pas été donné."
            }
            Self::Answer => {
                "Vous pouvez lire cette demande, pas répondre au service : ce droit ne vous a pas été donné."
            }
        }
    }
}

/// What may be done. Who sends has prepared, and sees what becomes of it; who answers has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct May {
    fill: bool,
    send: bool,
    follow: bool,
    answer: bool,
}

impl May {
    pub fn new(deeds: &[Deed]) -> Self {
        let asked = |deed| deeds.contains(&deed);
        Self {
            fill: asked(Deed::Fill) || asked(Deed::Send),
            send: asked(Deed::Send),
            follow: asked(Deed::Follow) || asked(Deed::Send) || asked(Deed::Answer),
            answer: asked(Deed::Answer),
        }
    }

    /// From codes joined by commas; unknown ones give nothing.
    pub fn read(codes: &str) -> Self {
        let named = |deed: &Deed| codes.split(',').any(|code| code == deed.code());
        Self::new(&Deed::ALL.into_iter().filter(named).collect::<Vec<_>>())
    }

    pub fn codes(self) -> String {
        self.deeds().map(Deed::code).collect::<Vec<_>>().join(",")
    }

    pub fn deeds(self) -> impl Iterator<Item = Deed> {
        Deed::ALL.into_iter().filter(move |deed| self.includes(*deed))
    }

    pub fn includes(self, deed: Deed) -> bool {
        match deed {
            Deed::Fill => self.fill,
            Deed::Send => self.send,
            Deed::Follow => self.follow,
            Deed::Answer => self.answer,
        }
    }
}

/// In whose name.
#[derive(Debug, Clone)]
pub enum For {
    Person(session::Account),
    Organisation { id: Uuid, siret: Option<String>, rna: Option<String> },
}

/// Acting in somebody's name, as it was checked for this very request.
#[derive(Debug, Clone)]
pub struct Acting {
    pub choice: Choice,
    /// « Judo-club de Valmont », « Camille Martin ».
    pub name: String,
    pub whom: For,
    pub may: May,
    /// The procedures it is limited to; none: all.
    pub only: Option<Vec<String>>,
    /// By what right, in words for the department: « délégué·e », « mandataire (proche) jusqu’au 3 mai 2027 ».
    pub right: String,
    /// Requests that wait for an answer.
    pub waiting: i64,
}

impl Acting {
    pub fn covers(&self, procedure: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|one| one == procedure))
    }

    /// # Errors
    /// `Forbidden`, with what to say.
    pub fn require(&self, deed: Deed) -> Result<(), Problem> {
        if self.may.includes(deed) { Ok(()) } else { Err(Problem::Forbidden(deed.refusal())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subsets() -> impl Iterator<Item = Vec<Deed>> {
        (0..16_u8).map(|bits| {
            Deed::ALL.into_iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, deed)| deed).collect()
        })
    }

    #[test]
    fn what_is_given_holds_what_it_needs_and_no_more() {
        for given in subsets() {
            let may = May::new(&given);
            assert!(given.iter().all(|deed| may.includes(*deed)), "{given:?}");
            assert!(!may.includes(Deed::Send) || may.includes(Deed::Fill) && may.includes(Deed::Follow), "{given:?}");
            assert!(!may.includes(Deed::Answer) || may.includes(Deed::Follow), "{given:?}");
            // Only seeing and preparing ever come along.
            for deed in [Deed::Send, Deed::Answer] {
                assert_eq!(may.includes(deed), given.contains(&deed), "{given:?}");
            }
            assert_eq!(May::read(&may.codes()), may);
            assert_eq!(May::new(&may.deeds().collect::<Vec<_>>()), may);
        }
        assert_eq!(May::read("send-all,,Send"), May::default());
    }

    #[test]
    fn a_limit_is_to_the_very_procedure() {
        let choice = Choice { kind: Kind::Mandate, id: Uuid::nil() };
        let whom = For::Organisation { id: Uuid::nil(), siret: None, rna: None };
        let mut acting = Acting {
            choice,
            name: String::new(),
            whom,
            may: May::default(),
            only: None,
            right: String::new(),
            waiting: 0,
        };
        assert!(acting.covers("acte-naissance"));
        acting.only = Some(vec!["acte-naissance".into()]);
        assert!(acting.covers("acte-naissance") && !acting.covers("acte") && !acting.covers("acte-naissance-2"));
        acting.only = Some(Vec::new());
        assert!(!acting.covers("acte-naissance"));
        assert!(matches!(acting.require(Deed::Follow), Err(Problem::Forbidden(_))));
    }

    #[test]
    fn a_session_says_both_or_nothing() {
        assert_eq!(Choice::of(Some("mandate"), Some(Uuid::nil())).map(|choice| choice.kind), Some(Kind::Mandate));
        assert_eq!(Choice::of(Some("admin"), Some(Uuid::nil())), None);
        assert_eq!(Choice::of(Some("mandate"), None), None);
    }
}
