//! Field selectors: `metadata.name=a,status.phase!=Running`.
//!
//! Upstream: apimachinery/pkg/fields/selector.go (v1.36).

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The field's label.
    pub field: String,
    /// Whether the value must equal, or differ.
    pub equals: bool,
    /// The value, unescaped.
    pub value: String,
}

/// A conjunction of terms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector {
    /// The terms, sorted as text.
    pub terms: Vec<Term>,
}

impl FieldSelector {
    /// Parses a query's `fieldSelector`; the error is upstream's sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = split_terms(text);
        parts.sort_unstable();
        let mut terms = Vec::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let Some((field, equals, value)) = split_term(part) else {
                return Err(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                ));
            };
            terms.push(Term {
                field: field.to_owned(),
                equals,
                value: unescape(value)?,
            });
        }
        Ok(Self { terms })
    }

    /// Whether there are no terms.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether all terms hold for the values that `field` gives.
    pub fn matches(&self, field: impl Fn(&str) -> Option<String>) -> bool {
        self.terms.iter().all(|term| {
            let found = field(&term.field).unwrap_or_default();
            (found == term.value) == term.equals
        })
    }

    /// The value that the field must have, if a term says so: a look-up by name, for example.
    pub fn exact(&self, field: &str) -> Option<&str> {
        let term = self
            .terms
            .iter()
            .find(|term| term.equals && term.field == field)?;
        Some(&term.value)
    }
}

/// Splits at commas that no backslash precedes.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    term.char_indices().find_map(|(index, _)| {
        let rest = &term[index..];
        [("!=", false), ("==", true), ("=", true)]
            .into_iter()
            .find_map(|(sign, equals)| {
                rest.strip_prefix(sign)
                    .map(|value| (&term[..index], equals, value))
            })
    })
}

fn unescape(text: &str) -> Result<String, String> {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(next @ ('\\' | ',' | '=')) => value.push(next),
                other => {
                    let sequence: String = std::iter::once('\\').chain(other).collect();
                    return Err(format!(
                        "invalid field selector: invalid escape sequence: {sequence}"
                    ));
                }
            },
            // Upstream prints the character's number.
            ',' | '=' => {
                let number = u32::from(c);
                return Err(format!(
                    "invalid field selector: unescaped character in value: {number}"
                ));
            }
            _ => value.push(c),
        }
    }
    Ok(value)
}
