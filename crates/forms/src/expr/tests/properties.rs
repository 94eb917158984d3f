use proptest::{collection::vec, prelude::*};
use rust_decimal::Decimal;

use super::*;
use crate::expr::{
    ast::{Arithmetic, Comparison, Each, Node, Shape, Walk},
    functions::Function,
    lexer, parser,
};

fn node(shape: Shape) -> Node {
    Node::new(shape, 0, 0)
}

fn boxed(a: Node, b: Node) -> Box<(Node, Node)> {
    Box::new((a, b))
}

fn leaf() -> impl Strategy<Value = Node> {
    prop_oneof![
        any::<bool>().prop_map(Shape::Bool),
        (0u32.., 0u32..6).prop_map(|(digits, scale)| Shape::Number(Decimal::new(digits.into(), scale))),
        "[ a-zé\"\\\\«']{0,6}".prop_map(Shape::Text),
        (1900i16..2100, 1i8..13, 1i8..28).prop_map(|(y, m, d)| Shape::Date(date(y, m, d))),
        vec("z[a-z0-9_]{0,5}", 1..3).prop_map(Shape::Path),
        Just(Shape::Call(Function::Today, Vec::new())),
    ]
    .prop_map(node)
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::*;
    prop::sample::select(vec![Equal, Different, Less, AtMost, Greater, AtLeast])
}

fn arithmetic() -> impl Strategy<Value = Arithmetic> {
    use Arithmetic::*;
    prop::sample::select(vec![Add, Subtract, Multiply, Divide])
}

/// Any tree, whether its types make sense or not.
fn tree() -> impl Strategy<Value = Node> {
    leaf().prop_recursive(5, 40, 4, |inner| {
        let several = || vec(inner.clone(), 2..4);
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            several().prop_map(Shape::And),
            several().prop_map(Shape::Or),
            several().prop_map(Shape::List),
            several().prop_map(|nodes| Shape::Call(Function::Min, nodes)),
            inner.clone().prop_map(|a| Shape::Not(Box::new(a))),
            inner.clone().prop_map(|a| Shape::Negative(Box::new(a))),
            (comparison(), two()).prop_map(|(how, (a, b))| Shape::compare(how, a, b)),
            two().prop_map(|(a, b)| Shape::In(boxed(a, b))),
            (arithmetic(), two()).prop_map(|(sign, (a, b))| Shape::Arithmetic(sign, boxed(a, b))),
            two().prop_map(|(rows, body)| Shape::Each(
                Each::Any,
                Box::new(Walk { rows, body, fields: Default::default() })
            )),
        ]
        .prop_map(node)
    })
}

/// Pieces of sources, true and false ones, more often well formed than chance would have it.
fn soup() -> impl Strategy<Value = String> {
    let words = "format jours marie majeur exemplaires nom debut fin demandeur .prenoms .date_naissance enfants photo \
        and or not in true false == != < <= > >= = ! && + - * / ( ) [ ] , . \"copie\" \"lundi\" \"é \"\" 1 0 12.5 \
        79228162514264337593543950335 date(\"2026-09-01\") 2026-09-01 answered( today() age( days( year( length( round( \
        min( max( if( count( any( all( sum( count(jours) any(enfants, cantine) sum(enfants, prix)";
    let words: Vec<&'static str> = words.split_whitespace().collect();
    vec(prop::sample::select(words), 0..30).prop_map(|words| words.join(" "))
}

/// Conditions that have a type, by construction.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "marie",
        "majeur",
        "format == \"copie\"",
        "format in [\"copie\", \"simple\"]",
        "exemplaires > 2",
        "answered(nom)",
        "any(enfants, cantine)",
        "all(enfants, prix < 3)",
        "age(debut) >= 18",
        "\"lundi\" in jours",
        "true",
        "1 / 0 == 1",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 20, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) or ({b})")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

fn maybe<T: Strategy>(of: T) -> impl Strategy<Value = Option<T::Value>> {
    prop::option::of(of)
}

/// Answers of which any may be missing.
fn answers() -> impl Strategy<Value = Known> {
    let row = (maybe(any::<bool>()), maybe(0i64..6)).prop_map(|(cantine, prix)| {
        let cantine = cantine.map(|known| ("cantine", Value::Bool(known)));
        let prix = prix.map(|known| ("prix", Value::Number(known.into())));
        known(&cantine.into_iter().chain(prix).collect::<Vec<_>>())
    });
    (
        maybe(any::<bool>().prop_map(Value::Bool)),
        maybe(any::<bool>().prop_map(Value::Bool)),
        maybe(prop::sample::select(vec!["copie", "filiation", "simple"]).prop_map(text)),
        maybe((0i64..5).prop_map(|n| Value::Number(n.into()))),
        maybe(vec(row, 0..3).prop_map(Value::Rows)),
        maybe((1990i16..2030).prop_map(|year| Value::Date(date(year, 3, 1)))),
        maybe(Just(Value::List(options(&["lundi"])))),
    )
        .prop_map(|(marie, majeur, format, exemplaires, enfants, debut, jours)| {
            [
                ("marie", marie),
                ("majeur", majeur),
                ("format", format),
                ("exemplaires", exemplaires),
                ("enfants", enfants),
                ("debut", debut),
                ("jours", jours),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
        })
}

fn exercise(source: &str, names: &Known) {
    let Ok(expr) = Expr::parse(source, &scope(), None) else { return };
    let env = Env { today: TODAY, names, row: None };
    let value = expr.eval(&env);
    let again = parse(&expr.canonical());
    assert_eq!(again.eval(&env), value, "{source}");
    assert_eq!(again.canonical(), expr.canonical());
    assert!(!expr.says(&|_| String::new()).is_empty());
    assert!(!(expr.never() && expr.holds(&env)), "never, and yet: {source}");
    assert!(!(expr.never() && expr.always()), "{source}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn printed_trees_are_read_back(tree in tree()) {
        let printed = tree.to_string();
        let (tokens, errors) = lexer::tokens(&printed);
        prop_assert!(errors.is_empty(), "{printed}: {errors:?}");
        prop_assert_eq!(parser::parse(tokens), Ok(tree), "{}", printed);
    }

    #[test]
    fn nothing_panics_on_any_text(source in "\\PC{0,200}", names in answers()) {
        exercise(&source, &names);
    }

    #[test]
    fn nothing_panics_on_pieces_of_sources(source in soup(), names in answers()) {
        exercise(&source, &names);
    }

    #[test]
    fn different_is_not_equal(
        pair in prop::sample::select(vec![
            ("format", "\"copie\""), ("marie", "majeur"), ("exemplaires", "count(jours)"), ("debut", "date(\"2000-03-01\")"),
            ("count(enfants)", "exemplaires"), ("if(marie, 1, 2)", "exemplaires"), ("format", "if(majeur, \"copie\", \"simple\")"),
        ]),
        names in answers(),
    ) {
        let (x, a) = pair;
        prop_assert_eq!(eval(&format!("{x} != {a}"), &names), eval(&format!("not ({x} == {a})"), &names));
    }

    #[test]
    fn de_morgan(a in condition(), b in condition(), names in answers()) {
        let left = eval(&format!("not (({a}) and ({b}))"), &names);
        prop_assert_eq!(left, eval(&format!("not ({a}) or not ({b})"), &names));
    }

    /// Learning an answer never turns true into false, nor false into true (`answered` aside).
    #[test]
    fn what_is_known_stays_known(condition in condition(), names in answers(), hidden in prop::sample::subsequence(vec!["marie", "majeur", "format", "exemplaires", "debut", "jours"], 0..6)) {
        prop_assume!(!condition.contains("answered"));
        let mut fewer = names.clone();
        for name in hidden {
            fewer.remove(name);
        }
        if let Some(value) = eval(&condition, &fewer) {
            prop_assert_eq!(eval(&condition, &names), Some(value), "{}", condition);
        }
    }

    #[test]
    fn never_and_always_do_not_lie(condition in condition(), names in answers()) {
        let expr = parse(&condition);
        let value = eval(&condition, &names);
        prop_assert!(!(expr.never() && value == Some(Value::Bool(true))), "{}", condition);
        let all_known = ["marie", "majeur", "format"].iter().all(|name| names.contains_key(*name));
        prop_assert!(!(expr.always() && all_known && value != Some(Value::Bool(true))), "{}", condition);
    }
}
