//! Request bodies in Kubernetes' protobuf encoding, as objects.
//!
//! Clients built with recent client-go (kubectl 1.32 and later, for commands such as `create
//! namespace`) send nothing else for built-in kinds. Answers are always JSON, which they accept.
//! `data/protobuf.txt` lists, for each message, its fields as `number:json name:flags:type`; flags
//! are `r` repeated, `m` map, `<` inlined in JSON, `*` a zero is meaningful, `!` always written.
//!
//! Upstream: apimachinery/pkg/runtime/serializer/protobuf, k8s.io/api/*/generated.proto.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use k8s::status::ApiError;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::LazyLock;

mod wire;

use wire::{Raw, Reader};

/// The media type.
pub(crate) const MEDIA: &str = "application/vnd.kubernetes.protobuf";
const MAGIC: &[u8] = b"k8s\0";
/// Objects do not nest deeper; CustomResourceDefinitions, which may, are not here.
const DEPTH_MAX: u32 = 32;

static MESSAGES: LazyLock<HashMap<&'static str, Message>> = LazyLock::new(|| {
    let lines = include_str!("../data/protobuf.txt").lines();
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(name, fields)| (name, message(fields)))
        .collect()
});

type Message = HashMap<u32, Field>;

#[derive(Debug)]
struct Field {
    name: &'static str,
    flags: &'static str,
    kind: &'static str,
}

fn message(fields: &'static str) -> Message {
    let fields = fields.split(' ').filter_map(|field| {
        let mut parts = field.split(':');
        let number = parts.next()?.parse().ok()?;
        Some((
            number,
            Field {
                name: parts.next()?,
                flags: parts.next()?,
                kind: parts.next()?,
            },
        ))
    });
    fields.collect()
}

/// The object in a body.
pub(crate) fn decode(bytes: &[u8]) -> Result<Value, ApiError> {
    let envelope = bytes
        .strip_prefix(MAGIC)
        .ok_or_else(|| broken("the prefix is missing"))?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Reader::new(envelope) {
        match field.map_err(broken)? {
            (1, Raw::Bytes(meta)) => {
                for field in Reader::new(meta) {
                    match field.map_err(broken)? {
                        (1, Raw::Bytes(text)) => api_version = words(text),
                        (2, Raw::Bytes(text)) => kind = words(text),
                        _ => {}
                    }
                }
            }
            (2, Raw::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let name = message_name(&api_version, &kind);
    if !MESSAGES.contains_key(name.as_str()) {
        return Err(ApiError::unsupported_media_type("application/json"));
    }
    let mut object = decode_message(&name, raw, 0)?;
    object["apiVersion"] = api_version.into();
    object["kind"] = kind.into();
    Ok(object)
}

fn message_name(api_version: &str, kind: &str) -> String {
    if kind == "DeleteOptions" {
        return "meta/v1.DeleteOptions".to_owned();
    }
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    let group = group.split('.').next().unwrap_or(group);
    format!("{group}/{version}.{kind}")
}

fn decode_message(name: &str, bytes: &[u8], depth: u32) -> Result<Value, ApiError> {
    if depth > DEPTH_MAX {
        return Err(broken("nested too deeply"));
    }
    if let Some(value) = special(name, bytes)? {
        return Ok(value);
    }
    let Some(message) = MESSAGES.get(name) else {
        return Err(broken(format!("no message {name}")));
    };
    let mut object = Map::new();
    for field in Reader::new(bytes) {
        let (number, raw) = field.map_err(broken)?;
        // Fields of newer versions are skipped, as upstream does.
        let Some(field) = message.get(&number) else {
            continue;
        };
        put(&mut object, field, raw, depth)?;
    }
    // A list that is a message of its own in protobuf is a plain list in JSON.
    if name.ends_with(".ExtraValue") || name.ends_with(".Verbs") {
        return Ok(object.remove("items").unwrap_or_else(|| json!([])));
    }
    Ok(Value::Object(object))
}

fn put(
    object: &mut Map<String, Value>,
    field: &Field,
    raw: Raw<'_>,
    depth: u32,
) -> Result<(), ApiError> {
    if field.flags.contains('m') {
        let Raw::Bytes(entry) = raw else {
            return Err(broken("a map entry is no message"));
        };
        let (key, value) = map_entry(field.kind, entry, depth)?;
        let map = object.entry(field.name).or_insert_with(|| json!({}));
        map[key.as_str()] = value;
        return Ok(());
    }
    let value = decode_value(field.kind, raw, depth)?;
    if field.flags.contains('r') {
        let list = object.entry(field.name).or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(value);
        }
    } else if field.flags.contains('<') {
        if let Value::Object(inner) = value {
            object.extend(inner);
        }
    } else if field.flags.contains(['*', '!']) || !is_zero(&value) {
        object.insert(field.name.to_owned(), value);
    }
    Ok(())
}

fn map_entry(kind: &str, entry: &[u8], depth: u32) -> Result<(String, Value), ApiError> {
    let (mut key, mut value) = (String::new(), None);
    for field in Reader::new(entry) {
        match field.map_err(broken)? {
            (1, Raw::Bytes(text)) => key = words(text),
            (2, raw) => value = Some(decode_value(kind, raw, depth)?),
            _ => {}
        }
    }
    let value = match (value, kind) {
        (Some(value), _) => value,
        (None, "s" | "b") => json!(""),
        (None, kind) => decode_value(kind, Raw::Bytes(&[]), depth)?,
    };
    Ok((key, value))
}

fn decode_value(kind: &str, raw: Raw<'_>, depth: u32) -> Result<Value, ApiError> {
    Ok(match (kind, raw) {
        ("s", Raw::Bytes(text)) => words(text).into(),
        ("b", Raw::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        ("t", Raw::Varint(number)) => (number != 0).into(),
        ("i", Raw::Varint(number)) => number.cast_signed().into(),
        ("d", Raw::Fixed64(bits)) => f64::from_bits(bits).into(),
        (name, Raw::Bytes(bytes)) if name.len() > 1 => decode_message(name, bytes, depth + 1)?,
        _ => {
            return Err(broken(format!(
                "a field of type {kind} has the wrong encoding"
            )));
        }
    })
}

/// Messages that are no objects in JSON.
fn special(name: &str, bytes: &[u8]) -> Result<Option<Value>, ApiError> {
    let fields = || -> Result<HashMap<u32, Raw<'_>>, ApiError> {
        Reader::new(bytes).collect::<Result<_, _>>().map_err(broken)
    };
    let text = |raw: Option<&Raw<'_>>| match raw {
        Some(Raw::Bytes(text)) => words(text),
        _ => String::new(),
    };
    let number = |raw: Option<&Raw<'_>>| match raw {
        Some(Raw::Varint(number)) => number.cast_signed(),
        _ => 0,
    };
    let value = match name {
        "meta/v1.Time" | "meta/v1.MicroTime" => {
            let fields = fields()?;
            let (seconds, nanos) = (number(fields.get(&1)), number(fields.get(&2)));
            time(seconds, nanos, name.ends_with("MicroTime"))
        }
        "Quantity" => text(fields()?.get(&1)).into(),
        "IntOrString" => {
            let fields = fields()?;
            match number(fields.get(&1)) {
                0 => number(fields.get(&2)).into(),
                _ => text(fields.get(&3)).into(),
            }
        }
        "RawExtension" | "meta/v1.FieldsV1" => {
            let raw = text(fields()?.get(&1));
            serde_json::from_str(&raw).unwrap_or_else(|_| json!({}))
        }
        _ => return Ok(None),
    };
    Ok(Some(value))
}

/// A time as JSON has it; the zero time is null.
fn time(seconds: i64, nanos: i64, micro: bool) -> Value {
    let nanos = i32::try_from(nanos).unwrap_or(0);
    match Timestamp::new(seconds, nanos) {
        Ok(at) if seconds != 0 => {
            let format = if micro {
                "%Y-%m-%dT%H:%M:%S.%6fZ"
            } else {
                "%Y-%m-%dT%H:%M:%SZ"
            };
            at.strftime(format).to_string().into()
        }
        _ => Value::Null,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Object(object) => object.is_empty(),
        _ => false,
    }
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn broken(why: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request(format!("the body is not a readable protobuf object: {why}"))
}

#[cfg(test)]
mod tests;
