//! Tokens → tree. From the loosest to the tightest: `or`, `and`, `not`, comparisons and `in`,
//! `+ -`, `* /`, the sign of a number.

use super::{
    ExprError,
    ast::{Arithmetic, MAX_DEPTH, Node, Shape, Walk},
    functions::{Entry, Named, TABLE},
    lexer::{Placed, Token, iso_date},
    mistakes::{did_you_mean, habit, nearest, quoted},
};

pub(super) mod level {
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const NOT: u8 = 3;
    pub const COMPARE: u8 = 4;
    pub const ADD: u8 = 5;
    pub const MULTIPLY: u8 = 6;
    pub const SIGN: u8 = 7;
    pub const ATOM: u8 = 8;
}

type Parsed = Result<Node, ExprError>;

/// Reads the whole of `tokens`, which end with [`Token::End`].
pub(super) fn parse(tokens: Vec<Placed>) -> Parsed {
    let mut parser = Parser { tokens, at: 0, nesting: 0 };
    if *parser.token() == Token::End {
        let end = parser.here().1;
        return Err(ExprError::new(0, end, "L'expression est vide."));
    }
    let node = parser.expression(level::OR)?;
    match parser.token() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected_after()),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
    nesting: usize,
}

impl Parser {
    fn token(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |placed| &placed.token)
    }

    fn token_after(&self) -> &Token {
        self.tokens.get(self.at + 1).map_or(&Token::End, |placed| &placed.token)
    }

    /// Byte range of the current token.
    fn here(&self) -> (usize, usize) {
        self.tokens.get(self.at).or(self.tokens.last()).map_or((0, 0), |placed| (placed.start, placed.end))
    }

    /// Where the token just taken ends.
    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |placed| placed.end)
    }

    fn take(&mut self) -> Token {
        let token = self.token().clone();
        self.at += 1;
        token
    }

    fn eat(&mut self, token: &Token) -> bool {
        let found = self.token() == token;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &Token, sign: &str, opened: usize) -> Result<(), ExprError> {
        if self.eat(token) {
            return Ok(());
        }
        let (start, end) = self.here();
        match self.token() {
            Token::End => Err(ExprError::new(opened, end, format!("Il manque {} à la fin.", quoted(sign)))),
            Token::Comma | Token::Close | Token::CloseList => {
                Err(ExprError::new(start, end, format!("{} est attendu ici.", quoted(sign))))
            }
            _ => Err(self.unexpected_after()),
        }
    }

    /// A node, unless the tree grows too deep.
    fn node(&self, shape: Shape, start: usize) -> Parsed {
        let node = Node::new(shape, start, self.end());
        if node.depth > MAX_DEPTH { Err(ExprError::too_deep(node.start, node.end)) } else { Ok(node) }
    }

    /// An expression made of operators of this level or tighter.
    fn expression(&mut self, loosest: u8) -> Parsed {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            let (start, end) = self.here();
            return Err(ExprError::too_deep(start, end));
        }
        let mut left = self.prefix(loosest)?;
        while let Some(operator) = level_of(self.token()).filter(|level| *level >= loosest) {
            left = self.infix(left, operator)?;
        }
        self.nesting -= 1;
        Ok(left)
    }

    fn prefix(&mut self, loosest: u8) -> Parsed {
        let (start, end) = self.here();
        if self.eat(&Token::Not) {
            if loosest > level::NOT {
                return Err(ExprError::new(start, end, format!("{} est mal placé.", quoted("not")))
                    .advise("Mettez la partie niée entre parenthèses\u{a0}: (not …)."));
            }
            let inner = self.expression(level::NOT)?;
            return self.node(Shape::Not(Box::new(inner)), start);
        }
        if self.eat(&Token::Sign(Arithmetic::Subtract)) {
            let inner = self.expression(level::SIGN)?;
            return self.node(Shape::Negative(Box::new(inner)), start);
        }
        self.atom()
    }

    fn infix(&mut self, left: Node, operator: u8) -> Parsed {
        let start = left.start;
        let shape = match self.token().clone() {
            Token::Or => Shape::Or(self.chain(left, &Token::Or, level::AND)?),
            Token::And => Shape::And(self.chain(left, &Token::And, level::NOT)?),
            token => {
                self.at += 1;
                let right = self.expression(operator + 1)?;
                match token {
                    Token::Compare(how) => Shape::compare(how, left, right),
                    Token::In => Shape::In(Box::new((left, right))),
                    Token::Sign(sign) => Shape::Arithmetic(sign, Box::new((left, right))),
                    _ => return Err(self.unexpected_after()),
                }
            }
        };
        let node = self.node(shape, start)?;
        if operator == level::COMPARE && level_of(self.token()) == Some(level::COMPARE) {
            let (start, end) = self.here();
            return Err(ExprError::new(start, end, "Deux comparaisons ne peuvent pas se suivre.")
                .advise("Reliez-les par «\u{a0}and\u{a0}»\u{a0}: a < b and b < c."));
        }
        Ok(node)
    }

    /// `a and b and c`: one node, so that a long list of conditions is not a deep tree.
    fn chain(&mut self, first: Node, operator: &Token, tighter: u8) -> Result<Vec<Node>, ExprError> {
        let mut nodes = vec![first];
        while self.eat(operator) {
            nodes.push(self.expression(tighter)?);
        }
        Ok(nodes)
    }

    fn atom(&mut self) -> Parsed {
        let (start, end) = self.here();
        let shape = match self.take() {
            Token::Number(number) => Shape::Number(number),
            Token::Text(text) => Shape::Text(text),
            Token::Date(date) => Shape::Date(date),
            Token::Bool(known) => Shape::Bool(known),
            Token::Open => return self.parenthesis(start),
            Token::OpenList => Shape::List(self.arguments(&Token::CloseList, "]", start)?),
            Token::Name(name) if *self.token() == Token::Open => return self.call(&name, start, end),
            Token::Name(name) => self.path(name)?,
            Token::End => {
                return Err(ExprError::new(start, end, "Il manque une valeur à la fin de l'expression."));
            }
            _ => {
                return Err(ExprError::new(
                    start,
                    end,
                    "Une valeur est attendue ici\u{a0}: une question, un nombre, un texte entre guillemets.",
                ));
            }
        };
        self.node(shape, start)
    }

    fn parenthesis(&mut self, start: usize) -> Parsed {
        let mut node = self.expression(level::OR)?;
        self.expect(&Token::Close, ")", start)?;
        (node.start, node.end) = (start, self.end());
        Ok(node)
    }

    fn path(&mut self, first: String) -> Result<Shape, ExprError> {
        let mut path = vec![first];
        while self.eat(&Token::Dot) {
            let (start, end) = self.here();
            match self.take() {
                Token::Name(part) => path.push(part),
                _ => return Err(ExprError::new(start, end, "Le nom d'une partie est attendu après le point.")),
            }
        }
        Ok(Shape::Path(path))
    }

    fn call(&mut self, name: &str, start: usize, end: usize) -> Parsed {
        let entry = Entry::find(name).ok_or_else(|| unknown_function(name, start, end))?;
        self.at += 1;
        let arguments = self.arguments(&Token::Close, ")", start)?;
        let (fewest, most) = entry.arity;
        if arguments.len() < fewest || arguments.len() > most {
            return Err(ExprError::new(
                start,
                self.end(),
                format!("{} n'a pas le bon nombre d'éléments.", quoted(name)),
            )
            .advise(format!("Écrivez par exemple {}.", entry.usage)));
        }
        let shape = match entry.named {
            Named::Call(function) => Shape::Call(function, arguments),
            Named::Date => date_literal(&arguments, start, self.end())?,
            Named::Each(each) => match <[Node; 2]>::try_from(arguments) {
                Ok([rows, body]) => Shape::Each(each, Box::new(Walk { rows, body, fields: Default::default() })),
                Err(_) => return Err(self.unexpected_after()),
            },
        };
        self.node(shape, start)
    }

    /// Expressions between commas, up to `closing`, whose opening sign was just taken.
    fn arguments(&mut self, closing: &Token, sign: &str, opened: usize) -> Result<Vec<Node>, ExprError> {
        let mut nodes = Vec::new();
        if self.eat(closing) {
            return Ok(nodes);
        }
        loop {
            nodes.push(self.expression(level::OR)?);
            if !self.eat(&Token::Comma) {
                self.expect(closing, sign, opened)?;
                return Ok(nodes);
            }
        }
    }

    /// Something follows a complete value and cannot.
    fn unexpected_after(&self) -> ExprError {
        let (start, end) = self.here();
        let error = ExprError::new(start, end, "La suite n'est pas comprise\u{a0}: il manque un opérateur avant.");
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map(|placed| &placed.token);
        match (before, self.token()) {
            (_, Token::Name(word)) if habit(word).is_some() => {
                let right = habit(word).unwrap_or_default();
                ExprError::new(start, end, format!("{} n'est pas un opérateur.", quoted(word)))
                    .advise(format!("Écrivez {}.", quoted(right)))
            }
            (Some(Token::Name(word)), _) if habit(word) == Some("not") => {
                error.advise("Écrivez «\u{a0}not\u{a0}» pour nier.")
            }
            (_, Token::Not) if *self.token_after() == Token::In => error.advise("Écrivez not (x in […])."),
            (Some(Token::Number(_)), Token::Comma) => {
                error.advise("Les décimales s'écrivent avec un point\u{a0}: 12.5.")
            }
            (_, Token::Close) => ExprError::new(start, end, "Cette parenthèse n'a pas été ouverte."),
            (_, Token::Compare(_) | Token::In) => error.advise("Ajoutez des parenthèses pour dire ce qui est comparé."),
            (_, Token::Name(_) | Token::Text(_) | Token::Number(_) | Token::Not | Token::Open) => {
                error.advise("Reliez les conditions par «\u{a0}and\u{a0}» ou «\u{a0}or\u{a0}».")
            }
            _ => error,
        }
    }
}

fn level_of(token: &Token) -> Option<u8> {
    match token {
        Token::Or => Some(level::OR),
        Token::And => Some(level::AND),
        Token::Compare(_) | Token::In => Some(level::COMPARE),
        Token::Sign(Arithmetic::Add | Arithmetic::Subtract) => Some(level::ADD),
        Token::Sign(_) => Some(level::MULTIPLY),
        _ => None,
    }
}

fn date_literal(arguments: &[Node], start: usize, end: usize) -> Result<Shape, ExprError> {
    match arguments {
        [Node { shape: Shape::Text(text), .. }] => iso_date(text).map(Shape::Date),
        // Already reported by the lexer: date(2026-09-01).
        [Node { shape: Shape::Date(date), .. }] => Some(Shape::Date(*date)),
        _ => None,
    }
    .ok_or_else(|| {
        ExprError::new(start, end, "Cette date n'existe pas ou est mal écrite.")
            .advise("Écrivez l'année, le mois et le jour\u{a0}: date(\"2026-09-01\").")
    })
}

fn unknown_function(name: &str, start: usize, end: usize) -> ExprError {
    let error = ExprError::new(start, end, format!("La fonction {} n'existe pas.", quoted(name)));
    if let Some(word) = habit(name) {
        return error.advise(format!("Écrivez {}.", quoted(word)));
    }
    match nearest(name, TABLE.iter().map(|entry| entry.name)) {
        Some(known) => error.advise(did_you_mean(known)),
        None => error,
    }
}
