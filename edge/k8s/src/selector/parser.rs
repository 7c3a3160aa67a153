//! Requirements from words. Upstream: labels.Parser.

use super::lexer::{Token, words};
use super::{Operator, Requirement};
use crate::names::label_key_problems;
use crate::status::FieldError;
use std::collections::BTreeSet;

const BINARY: &str = "in, notin, =, ==, !=, gt, lt";

struct Parser {
    words: Vec<(Token, String)>,
    position: usize,
}

pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    let mut parser = Parser {
        words: words(text),
        position: 0,
    };
    let mut requirements = Vec::new();
    loop {
        let (token, literal) = parser.peek();
        match token {
            Token::Identifier | Token::Not => {
                let requirement = parser
                    .requirement()
                    .map_err(|why| format!("unable to parse requirement: {why}"))?;
                requirements.push(requirement);
                if !parser.more()? {
                    return Ok(requirements);
                }
            }
            Token::End => return Ok(requirements),
            _ => {
                return Err(format!(
                    "found '{literal}', expected: !, identifier, or 'end of string'"
                ));
            }
        }
    }
}

impl Parser {
    /// The next word; `in` and `notin` may be names here.
    fn peek(&self) -> (Token, String) {
        let (token, literal) = self
            .words
            .get(self.position)
            .cloned()
            .unwrap_or((Token::End, String::new()));
        match token {
            Token::In | Token::NotIn => (Token::Identifier, literal),
            _ => (token, literal),
        }
    }

    fn take(&mut self) -> (Token, String) {
        let word = self.peek();
        self.position += 1;
        word
    }

    fn take_operator(&mut self) -> (Token, String) {
        let word = self
            .words
            .get(self.position)
            .cloned()
            .unwrap_or((Token::End, String::new()));
        self.position += 1;
        word
    }

    /// Whether a comma promises another requirement.
    fn more(&mut self) -> Result<bool, String> {
        match self.take() {
            (Token::End, _) => Ok(false),
            (Token::Comma, _) => match self.peek() {
                (Token::Identifier | Token::Not, _) => Ok(true),
                (_, literal) => Err(format!("found '{literal}', expected: identifier after ','")),
            },
            (_, literal) => Err(format!(
                "found '{literal}', expected: ',' or 'end of string'"
            )),
        }
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let (key, inferred) = self.key()?;
        if let Some(operator) = inferred {
            return Requirement::new(key, operator, Vec::new());
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => self.exact_value()?,
        };
        Requirement::new(key, operator, values.into_iter().collect())
    }

    fn key(&mut self) -> Result<(String, Option<Operator>), String> {
        let (mut token, mut literal) = self.take();
        let mut operator = None;
        if token == Token::Not {
            operator = Some(Operator::DoesNotExist);
            (token, literal) = self.take();
        }
        if token != Token::Identifier {
            return Err(format!("found '{literal}', expected: identifier"));
        }
        let problems = label_key_problems(&literal);
        if !problems.is_empty() {
            let error = FieldError::invalid("<nil>", &literal.into(), problems.join("; "));
            return Err(error.to_string());
        }
        if matches!(self.peek().0, Token::End | Token::Comma) {
            operator = operator.or(Some(Operator::Exists));
        }
        Ok((literal, operator))
    }

    fn operator(&mut self) -> Result<Operator, String> {
        Ok(match self.take_operator() {
            (Token::In, _) => Operator::In,
            (Token::NotIn, _) => Operator::NotIn,
            (Token::Equals, _) => Operator::Equals,
            (Token::DoubleEquals, _) => Operator::DoubleEquals,
            (Token::NotEquals, _) => Operator::NotEquals,
            (Token::Greater, _) => Operator::GreaterThan,
            (Token::Less, _) => Operator::LessThan,
            (_, literal) => return Err(format!("found '{literal}', expected: {BINARY}")),
        })
    }

    fn values(&mut self) -> Result<BTreeSet<String>, String> {
        let (token, literal) = self.take();
        if token != Token::Open {
            return Err(format!("found '{literal}' expected: '('"));
        }
        let (token, literal) = self.peek();
        match token {
            Token::Identifier | Token::Comma => {
                let values = self.list()?;
                match self.take().0 {
                    Token::Close => Ok(values),
                    _ => Err(format!("found '{literal}', expected: ')'")),
                }
            }
            Token::Close => {
                self.take();
                Ok(BTreeSet::from([String::new()]))
            }
            _ => Err(format!(
                "found '{literal}', expected: ',', ')' or identifier"
            )),
        }
    }

    /// `a,b`; nothing beside a comma is an empty value.
    fn list(&mut self) -> Result<BTreeSet<String>, String> {
        let mut values = BTreeSet::new();
        loop {
            match self.take() {
                (Token::Identifier, literal) => {
                    values.insert(literal);
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => return Ok(values),
                        (_, next) => return Err(format!("found '{next}', expected: ',' or ')'")),
                    }
                }
                (Token::Comma, _) => {
                    if values.is_empty() {
                        values.insert(String::new());
                    }
                    let next = self.peek().0;
                    if matches!(next, Token::Close | Token::Comma) {
                        values.insert(String::new());
                    }
                    if next == Token::Close {
                        return Ok(values);
                    }
                }
                (_, literal) => {
                    return Err(format!("found '{literal}', expected: ',', or identifier"));
                }
            }
        }
    }

    fn exact_value(&mut self) -> Result<BTreeSet<String>, String> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok(BTreeSet::from([String::new()]));
        }
        match self.take() {
            (Token::Identifier, literal) => Ok(BTreeSet::from([literal])),
            (_, literal) => Err(format!("found '{literal}', expected: identifier")),
        }
    }
}
