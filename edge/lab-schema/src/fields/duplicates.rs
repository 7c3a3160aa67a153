//! Fields that are in a JSON text twice: a parsed value no longer knows of them.

use super::MAX_PROBLEMS;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// `duplicate field "spec.replicas"` for every field that occurs again, in the order of the text. A text that is no
/// JSON has none.
pub fn duplicates(json: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut path = String::new();
    let mut reader = serde_json::Deserializer::from_slice(json);
    let seed = Seen {
        path: &mut path,
        found: &mut found,
    };
    match seed.deserialize(&mut reader) {
        Ok(()) => found,
        Err(_) => Vec::new(),
    }
}

/// Reads one value and remembers what is in it twice.
struct Seen<'s> {
    path: &'s mut String,
    found: &'s mut Vec<String>,
}

impl Seen<'_> {
    /// A reader for a part of the value; the caller restores the path.
    fn part(&mut self) -> Seen<'_> {
        Seen {
            path: self.path,
            found: self.found,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seen<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seen<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let length = self.path.len();
        for at in 0_usize.. {
            self.path.push_str(&format!("[{at}]"));
            let more = items.next_element_seed(self.part())?;
            self.path.truncate(length);
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let length = self.path.len();
        let mut names: HashSet<String> = HashSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(&name);
            if !names.insert(name) && self.found.len() < MAX_PROBLEMS {
                self.found
                    .push(format!("duplicate field \"{}\"", self.path));
            }
            entries.next_value_seed(self.part())?;
            self.path.truncate(length);
        }
        Ok(())
    }
}
