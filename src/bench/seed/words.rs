//! What sample requests say, and the dice that choose.

pub const FIRST: [&str; 16] = [
    "Camille",
    "Anne",
    "Mohamed",
    "Élodie",
    "Jean-Baptiste",
    "Zoé",
    "Léa",
    "Idriss",
    "Nguyễn",
    "Chantal",
    "Noël",
    "Inès",
    "Paul",
    "Marie",
    "Youssef",
    "Françoise",
];
pub const ROOTS: [&str; 20] = [
    "Mar", "Lef", "Dup", "Ber", "Rous", "Gar", "Chev", "Mor", "Lam", "Fon", "Bou", "Per", "Sau", "Vin", "Tes", "Del",
    "Gui", "Hér", "Joli", "Car",
];
pub const ENDS: [&str; 12] =
    ["tin", "èvre", "ont", "nard", "seau", "cia", "alier", "eau", "bert", "taine", "langer", "rier"];
pub const STREETS: [&str; 10] = [
    "rue des Tanneurs",
    "place de l’Église",
    "boulevard Victor-Hugo",
    "allée des Platanes",
    "rue du Pressoir",
    "avenue Jean-Jaurès",
    "chemin des Vignes",
    "quai de la République",
    "rue Neuve",
    "impasse du Four",
];
pub const OCCASIONS: [&str; 6] = [
    "Anniversaire de mariage",
    "Anniversaire",
    "Réunion publique",
    "Mariage",
    "Assemblée générale",
    "Fête de quartier",
];
pub const REMARKS: [&str; 24] = [
    "merci",
    "salle",
    "décorer",
    "veille",
    "musique",
    "enfants",
    "fauteuil",
    "roulant",
    "clés",
    "chauffage",
    "cuisine",
    "vaisselle",
    "stationnement",
    "voisins",
    "horaires",
    "caution",
    "assurance",
    "association",
    "traiteur",
    "projecteur",
    "estrade",
    "accès",
    "ménage",
    "samedi",
];

/// SplitMix64: the same numbers on every machine.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }

    pub fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let index = self.roll(all.len() as u64);
        usize::try_from(index).ok().and_then(|index| all.get(index)).copied().unwrap_or_default()
    }

    /// Small numbers are more frequent than great ones.
    pub fn skewed(&mut self, sides: u64) -> u64 {
        let bound = self.roll(sides) + 1;
        self.roll(bound)
    }
}
