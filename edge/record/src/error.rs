//! What is wrong with an input, in one line: which file, which document, which field.

use std::fmt;

/// Texts of others are cut here: an input may hold anything.
const PROBLEM_CHARS_MAX: usize = 300;

/// Where in the input.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file's name, as it was given.
    pub file: String,
    /// Which document of a YAML stream, counted from 1.
    pub document: Option<usize>,
    /// The line, counted from 1: of the mistake if it is known, else that where the document begins.
    pub line: Option<usize>,
    /// The object, as `Pod eks-work/web-1`.
    pub object: Option<String>,
    /// The field, as `spec.containers[0].name`.
    pub field: Option<String>,
}

/// An input that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Where.
    pub place: Box<Place>,
    /// What.
    pub problem: String,
}

impl std::error::Error for Error {}

impl Error {
    /// An input that is wrong as a whole.
    pub fn of_file(file: &str, problem: impl Into<String>) -> Self {
        let place = Place {
            file: file.to_owned(),
            ..Place::default()
        };
        Self::new(place, problem)
    }

    pub(crate) fn new(place: Place, problem: impl Into<String>) -> Self {
        Self {
            place: Box::new(place),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        plain(f, &self.file, usize::MAX)?;
        match (self.document, self.line) {
            (Some(document), Some(line)) => write!(f, ": document {document}, line {line}")?,
            (Some(document), None) => write!(f, ": document {document}")?,
            (None, Some(line)) => write!(f, ": line {line}")?,
            (None, None) => {}
        }
        for part in [&self.object, &self.field].into_iter().flatten() {
            f.write_str(": ")?;
            plain(f, part, PROBLEM_CHARS_MAX)?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.to_string();
        if !place.is_empty() {
            write!(f, "{place}: ")?;
        }
        plain(f, &self.problem, PROBLEM_CHARS_MAX)
    }
}

/// Writes a text so that it stays on one line and leaves the terminal alone.
fn plain(f: &mut fmt::Formatter<'_>, text: &str, most: usize) -> fmt::Result {
    use fmt::Write as _;
    for (index, char) in text.chars().enumerate() {
        if index >= most {
            return f.write_str("…");
        }
        match char {
            '\n' | '\r' | '\t' => f.write_char(' ')?,
            _ if char.is_control() => write!(f, "{}", char.escape_unicode())?,
            _ => f.write_char(char)?,
        }
    }
    Ok(())
}
