//! One text in YAML: plain, in single or double quotes, or line by line. Nothing here knows of documents.
//!
//! Upstream: go.yaml.in/yaml/v2, encode.go (stringv) and emitterc.go (yaml_emitter_analyze_scalar and
//! yaml_emitter_write_{plain,single_quoted,literal}_scalar).

use serde_json::Value;

/// A blank beyond this column ends the line.
const WIDTH: usize = 80;
/// What a plain text may not begin with.
const INDICATORS: &str = "#,[]{}&*!|>'\"%@`";
/// Texts that would be read as null or as a truth value, in small letters.
const WORDS: [&str; 12] = [
    "null", "~", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan", ".inf",
];

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On one line, before a colon.
    Key,
    /// Further lines have so many blanks before them.
    Value {
        /// How many.
        indent: usize,
    },
}

/// Writes a text so that it is read as itself.
pub(super) fn text(out: &mut String, text: &str, place: Place) {
    let printable = text.chars().all(|c| !c.is_control() || c == '\n');
    let lines = text.contains('\n');
    match place {
        Place::Value { indent } if lines && printable => literal(out, text, indent),
        _ if !printable || lines || means_another(text) => double_quoted(out, text),
        _ if is_plain(text) => folded(out, text, place),
        _ => {
            out.push('\'');
            folded(out, &text.replace('\'', "''"), place);
            out.push('\'');
        }
    }
}

/// A JSON string is a double-quoted YAML scalar.
fn double_quoted(out: &mut String, text: &str) {
    out.push_str(&Value::from(text).to_string());
}

/// The text, with a line's end in place of a blank wherever a line has become long.
fn folded(out: &mut String, text: &str, place: Place) {
    let line = out.rfind('\n').map_or(0, |end| end + 1);
    let mut column = out[line..].chars().count();
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let between = c == ' ' && before != ' ' && rest.peek().is_some_and(|next| *next != ' ');
        match place {
            Place::Value { indent } if between && column > WIDTH => {
                new_line(out, indent);
                column = indent;
            }
            _ => {
                out.push(c);
                column += 1;
            }
        }
        before = c;
    }
}

/// Line by line, as it is. Its end is not the text's, nor are further ends of lines unless it says so.
fn literal(out: &mut String, text: &str, indent: usize) {
    let rest = text.strip_suffix('\n');
    let chomp = match rest {
        None => "-",
        Some(rest) if rest.ends_with('\n') || rest.is_empty() => "+",
        Some(_) => "",
    };
    // Blanks in front would be taken for more indentation.
    let hint = if text.starts_with([' ', '\n']) {
        "2"
    } else {
        ""
    };
    out.push('|');
    out.push_str(hint);
    out.push_str(chomp);
    for line in rest.unwrap_or(text).split('\n') {
        match line {
            "" => out.push('\n'),
            line => {
                new_line(out, indent);
                out.push_str(line);
            }
        }
    }
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Whether a text without quotes would be read as something else than a text.
fn means_another(text: &str) -> bool {
    let word = text.to_ascii_lowercase();
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(&word);
    text.is_empty()
        || matches!(text, "<<" | "=")
        || WORDS.contains(&&*word)
        || unsigned == ".inf"
        || is_number(unsigned)
        || is_date(text)
}

fn is_number(unsigned: &str) -> bool {
    let digits = unsigned.replace('_', "");
    let of_base = |prefix: &str, base: u32| {
        let digits = digits.strip_prefix(prefix);
        digits.is_some_and(|digits| u64::from_str_radix(digits, base).is_ok())
    };
    let written = |c: char| c.is_ascii_digit() || ".e+-:".contains(c);
    let decimal = digits.starts_with(|c: char| c == '.' || c.is_ascii_digit())
        && digits.chars().all(written)
        // Sixties, as of hours and minutes, were numbers once.
        && (digits.parse::<f64>().is_ok() || digits.contains(':'));
    decimal || of_base("0x", 16) || of_base("0o", 8) || of_base("0b", 2)
}

/// `2026-01-01`, with or without a time.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let number = |part: Option<&str>, most: usize| {
        part.is_some_and(|part| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let year = text.split('-').next().is_some_and(|year| year.len() == 4);
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    let day = third.map(|rest| rest.split(['T', 't', ' ']).next().unwrap_or_default());
    year && number(first, 4) && number(second, 2) && number(day, 2)
}

/// Whether a text of one line, which means itself, needs no quotes.
fn is_plain(text: &str) -> bool {
    let blank_after = |at: usize| text[at + 1..].chars().next().is_none_or(|next| next == ' ');
    let begins_well = match text.chars().next() {
        Some('-' | '?' | ':') => !blank_after(0),
        Some(first) => !INDICATORS.contains(first),
        None => false,
    };
    let breaks = |(at, c): (usize, char)| match c {
        ':' => blank_after(at),
        '#' => text[..at].ends_with(' '),
        _ => false,
    };
    begins_well
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.char_indices().any(breaks)
}

#[cfg(test)]
mod tests;
