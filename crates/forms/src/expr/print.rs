//! Tree → canonical source, with the fewest parentheses.

use std::fmt::{Display, Formatter, Result};

use super::{
    ast::{Arithmetic, Node, Shape},
    parser::level,
};

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.shape {
            Shape::Bool(known) => write!(f, "{known}"),
            Shape::Number(number) => write!(f, "{number}"),
            Shape::Text(text) => write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Shape::Date(date) => write!(f, "date(\"{date}\")"),
            Shape::Path(path) => f.write_str(&path.join(".")),
            Shape::List(nodes) => {
                f.write_str("[")?;
                between(f, nodes, ", ", level::OR)?;
                f.write_str("]")
            }
            Shape::And(nodes) => between(f, nodes, " and ", level::NOT),
            Shape::Or(nodes) => between(f, nodes, " or ", level::AND),
            Shape::Not(inner) => {
                f.write_str("not ")?;
                inside(f, inner, level::NOT)
            }
            Shape::Negative(inner) => {
                f.write_str("-")?;
                inside(f, inner, level::SIGN)
            }
            Shape::Compare { how, sides, .. } => {
                let sign = how.sign();
                infix(f, sides, sign, (level::ADD, level::ADD))
            }
            Shape::In(sides) => infix(f, sides, "in", (level::ADD, level::ADD)),
            Shape::Arithmetic(sign, sides) => {
                let own = level_of(&self.shape);
                infix(f, sides, sign.sign(), (own, own + 1))
            }
            Shape::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                between(f, arguments, ", ", level::OR)?;
                f.write_str(")")
            }
            Shape::Each(each, walk) => write!(f, "{}({}, {})", each.name(), walk.rows, walk.body),
        }
    }
}

fn between(f: &mut Formatter<'_>, nodes: &[Node], sign: &str, loosest: u8) -> Result {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            f.write_str(sign)?;
        }
        inside(f, node, loosest)?;
    }
    Ok(())
}

fn infix(f: &mut Formatter<'_>, sides: &(Node, Node), sign: &str, loosest: (u8, u8)) -> Result {
    inside(f, &sides.0, loosest.0)?;
    write!(f, " {sign} ")?;
    inside(f, &sides.1, loosest.1)
}

/// Between parentheses when its operator is looser than its place allows.
fn inside(f: &mut Formatter<'_>, node: &Node, loosest: u8) -> Result {
    if level_of(&node.shape) < loosest { write!(f, "({node})") } else { write!(f, "{node}") }
}

fn level_of(shape: &Shape) -> u8 {
    match shape {
        Shape::Or(_) => level::OR,
        Shape::And(_) => level::AND,
        Shape::Not(_) => level::NOT,
        Shape::Compare { .. } | Shape::In(_) => level::COMPARE,
        Shape::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, _) => level::ADD,
        Shape::Arithmetic(..) => level::MULTIPLY,
        Shape::Negative(_) => level::SIGN,
        _ => level::ATOM,
    }
}
