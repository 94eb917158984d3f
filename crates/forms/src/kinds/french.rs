//! French ways of writing: quotes, numbers, amounts, dates, plurals.

use jiff::civil::Date;
use rust_decimal::Decimal;

/// No-break space: before « : », inside quotes, before a unit.
pub const NBSP: char = '\u{a0}';
/// Narrow no-break space: between thousands.
const THIN: char = '\u{202f}';

pub const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// « Date de naissance », with the no-break spaces inside.
pub fn quoted(text: &str) -> String {
    format!("«{NBSP}{text}{NBSP}»")
}

/// `plural(2, "fichier", "fichiers")` → « 2 fichiers »; 0 and 1 are singular in French.
pub fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count}{NBSP}{}", if count < 2 { one } else { many })
}

/// « 1 234,5 »; trailing zeros stay as the number holds them.
pub fn decimal(number: Decimal) -> String {
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let comma = if fraction.is_empty() { "" } else { "," };
    format!("{sign}{}{comma}{fraction}", thousands(whole))
}

/// A sentence whose guillemets never stand apart from what they quote.
pub fn tied(text: &str) -> String {
    text.replace("« ", &format!("«{NBSP}")).replace(" »", &format!("{NBSP}»"))
}

/// « jours » after two or more, « jour » after less than two; « mois » in any case.
pub fn unit(number: Decimal, unit: &str) -> &str {
    const SAME: [&str; 5] = ["mois", "fois", "bras", "temps", "colis"];
    let single = number.abs() < Decimal::TWO && unit.len() > 3 && !SAME.contains(&unit);
    unit.strip_suffix('s').filter(|_| single).unwrap_or(unit)
}

/// « 1 234,50 € » from cents.
pub fn euros(cents: i64) -> String {
    format!("{}{NBSP}€", decimal(Decimal::new(cents, 2)))
}

fn thousands(digits: &str) -> String {
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(THIN);
        }
        out.push(digit);
    }
    out
}

/// « 27 mars 2021 », « 1er avril 2021 ».
pub fn date(day: Date) -> String {
    let number = if day.day() == 1 { "1er".to_owned() } else { day.day().to_string() };
    format!("{number} {} {}", month(day.month()), day.year())
}

/// The month's name, from 1; empty outside of 1 to 12.
pub fn month(number: i8) -> &'static str {
    usize::try_from(number).ok().and_then(|it| it.checked_sub(1)).and_then(|it| MONTHS.get(it)).copied().unwrap_or("")
}

/// « a, b et c ».
pub fn list(items: &[&str]) -> String {
    match items.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{} et {last}", first.join(", ")),
    }
}

/// Groups of characters with a space between: `groups("0612345678", &[2])` → « 06 12 34 56 78 ».
/// The last size repeats.
pub fn groups(text: &str, sizes: &[usize]) -> String {
    let mut sizes = sizes.iter().copied();
    let mut size = sizes.next().unwrap_or(1);
    let mut out = String::new();
    let mut left = size;
    for letter in text.chars() {
        if left == 0 {
            out.push(' ');
            size = sizes.next().unwrap_or(size);
            left = size;
        }
        out.push(letter);
        left = left.saturating_sub(1);
    }
    out
}
