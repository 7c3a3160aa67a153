//! JSON values from a parser, with bounds: nobody's file makes us take all the memory.
//!
//! Everything that comes out of the parser counts, so what YAML aliases repeat is counted each time.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// Numbers, texts, lists and maps in one input. A pod as kubectl prints it has about 300.
const VALUES_MAX: u64 = 6_000_000;
/// Bytes of all texts and names.
const TEXT_BYTES_MAX: u64 = 128 << 20;

/// What is left to be read.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    values: Cell<u64>,
    bytes: Cell<u64>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            values: Cell::new(VALUES_MAX),
            bytes: Cell::new(TEXT_BYTES_MAX),
        }
    }
}

impl Room {
    fn take<E: Error>(&self, text: usize) -> Result<(), E> {
        let values = self.values.get().checked_sub(1);
        let bytes = self.bytes.get().checked_sub(text as u64);
        let (Some(values), Some(bytes)) = (values, bytes) else {
            return Err(E::custom(format!(
                "too much for one snapshot: more than {VALUES_MAX} values or {TEXT_BYTES_MAX} bytes of text"
            )));
        };
        self.values.set(values);
        self.bytes.set(bytes);
        Ok(())
    }
}

/// Reads a value that fits into the room.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a>(pub(crate) &'a Room);

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl Tree<'_> {
    fn small<E: Error>(self, value: impl Into<Value>) -> Result<Value, E> {
        self.0.take(0)?;
        Ok(value.into())
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.small(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.small(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.small(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.small(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.small(value)
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("not a finite number"))?;
        self.small(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        self.0.take(text.len())?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        self.0.take(0)?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.0.take(0)?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.0.take(key.len())?;
            let value = entries.next_value_seed(self)?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("{key:?} is there twice")));
            }
            map.insert(key, value);
        }
        Ok(map.into())
    }
}
