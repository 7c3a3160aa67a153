//! Words of a label selector. Upstream: labels.Lexer.

/// A kind of word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Error,
    End,
    Close,
    Comma,
    Not,
    DoubleEquals,
    Equals,
    Greater,
    Identifier,
    In,
    Less,
    NotEquals,
    NotIn,
    Open,
}

fn is_special(c: char) -> bool {
    matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn symbol(text: &str) -> Option<Token> {
    Some(match text {
        ")" => Token::Close,
        "," => Token::Comma,
        "!" => Token::Not,
        "==" => Token::DoubleEquals,
        "=" => Token::Equals,
        ">" => Token::Greater,
        "<" => Token::Less,
        "!=" => Token::NotEquals,
        "(" => Token::Open,
        _ => return None,
    })
}

/// All words, the last of them `End`.
pub(super) fn words(text: &str) -> Vec<(Token, String)> {
    let mut words = Vec::new();
    // A zero byte ends the text, as it does upstream.
    let mut rest = text
        .split('\0')
        .next()
        .unwrap_or_default()
        .trim_start_matches(is_space);
    while let Some(first) = rest.chars().next() {
        let (token, length, literal) = if is_special(first) {
            special(rest)
        } else {
            identifier(rest)
        };
        words.push((token, literal));
        rest = rest
            .get(length..)
            .unwrap_or_default()
            .trim_start_matches(is_space);
    }
    words.push((Token::End, String::new()));
    words
}

fn identifier(text: &str) -> (Token, usize, String) {
    let end = text
        .find(|c| is_special(c) || is_space(c))
        .unwrap_or(text.len());
    let word = &text[..end];
    let token = match word {
        "in" => Token::In,
        "notin" => Token::NotIn,
        _ => Token::Identifier,
    };
    (token, end, word.to_owned())
}

/// The longest run of special characters that is a symbol at each step.
fn special(text: &str) -> (Token, usize, String) {
    let mut found = None;
    let mut end = 0;
    for c in text.chars().take_while(|c| is_special(*c)) {
        let next = end + c.len_utf8();
        match symbol(&text[..next]) {
            Some(token) => found = Some((token, next)),
            None if found.is_some() => break,
            None => {}
        }
        end = next;
    }
    match found {
        Some((token, length)) => (token, length, text[..length].to_owned()),
        None => (
            Token::Error,
            end,
            format!("error expected: keyword found '{}'", &text[..end]),
        ),
    }
}
