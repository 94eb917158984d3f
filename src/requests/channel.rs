//! By which way a request comes: all are worth the same, and all are treated alike.

/// `web` is the portal itself; the others are entered by an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Web,
    Counter,
    Phone,
    Post,
    Fax,
    Mail,
    Sms,
}

impl Channel {
    pub const WEB: &'static str = Self::Web.id();
    pub const ALL: [Self; 7] = [Self::Web, Self::Counter, Self::Post, Self::Phone, Self::Fax, Self::Mail, Self::Sms];
    /// Those by which agents file for somebody.
    pub const FILED: [Self; 6] = [Self::Counter, Self::Phone, Self::Post, Self::Fax, Self::Mail, Self::Sms];

    /// As the database, addresses and counters hold it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Counter => "guichet",
            Self::Phone => "telephone",
            Self::Post => "courrier",
            Self::Fax => "telecopie",
            Self::Mail => "courriel",
            Self::Sms => "sms",
        }
    }

    pub fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.id() == id)
    }

    /// By which way a contact of this channel came.
    pub fn of_contact(code: &str) -> Self {
        match code {
            "call" => Self::Phone,
            "letter" => Self::Post,
            "fax" => Self::Fax,
            "email" => Self::Mail,
            "sms" => Self::Sms,
            _ => Self::Counter,
        }
    }

    /// The other way round.
    pub fn contact(self) -> &'static str {
        match self {
            Self::Phone => "call",
            Self::Post => "letter",
            Self::Fax => "fax",
            Self::Mail => "email",
            Self::Sms => "sms",
            Self::Web | Self::Counter => "visit",
        }
    }

    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Web => "En ligne",
            Self::Counter => "Au guichet",
            Self::Phone => "Par téléphone",
            Self::Post => "Par courrier",
            Self::Fax => "Par télécopie",
            Self::Mail => "Par courriel",
            Self::Sms => "Par SMS",
        }
    }

    /// A condition on `request r`, with what makes its index of use where it has one.
    pub fn condition(self) -> &'static str {
        match self {
            Self::Web => " and r.channel = 'web'",
            Self::Counter => " and r.channel = 'guichet' and r.channel <> 'web'",
            Self::Phone => " and r.channel = 'telephone' and r.channel <> 'web'",
            Self::Post => " and r.channel = 'courrier' and r.channel <> 'web'",
            Self::Fax => " and r.channel = 'telecopie' and r.channel <> 'web'",
            Self::Mail => " and r.channel = 'courriel' and r.channel <> 'web'",
            Self::Sms => " and r.channel = 'sms' and r.channel <> 'web'",
        }
    }
}

/// « Par courrier », of what a request keeps.
pub fn words(id: &str) -> &str {
    match Channel::named(id) {
        Some(channel) => channel.words(),
        None => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_name_and_its_condition() {
        for channel in Channel::ALL {
            assert_eq!(Channel::named(channel.id()), Some(channel));
            assert!(channel.condition().contains(&format!("r.channel = '{}'", channel.id())));
            assert_eq!(Channel::FILED.contains(&channel), channel != Channel::Web);
        }
        assert_eq!(Channel::named("pigeon"), None);
        for channel in Channel::FILED {
            assert_eq!(Channel::of_contact(channel.contact()), channel);
        }
    }
}
