//! OpenAPI v2 as protobuf: gnostic's `openapi.v2.Document`, as far as the lab's documents go.
//!
//! Field numbers: github.com/google/gnostic-models/openapiv2/OpenAPIv2.proto.

use serde_json::{Map, Value};

/// A protobuf message being written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        loop {
            let low = value.to_le_bytes()[0] & 0x7f;
            value >>= 7;
            if value == 0 {
                self.0.push(low);
                return;
            }
            self.0.push(low | 0x80);
        }
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A text field, where the object has that property.
    fn text(&mut self, field: u64, value: &Value) {
        if let Some(text) = value.as_str() {
            self.bytes(field, text.as_bytes());
        }
    }

    fn texts(&mut self, field: u64, values: &Value) {
        for value in values.as_array().into_iter().flatten() {
            self.text(field, value);
        }
    }

    fn flag(&mut self, field: u64, value: &Value) {
        if value == true {
            self.varint(field << 3);
            self.varint(1);
        }
    }

    fn number(&mut self, field: u64, value: &Value) {
        if let Some(number) = value.as_f64() {
            self.varint(field << 3 | 1);
            self.0.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn integer(&mut self, field: u64, value: &Value) {
        if let Some(number) = value.as_u64() {
            self.varint(field << 3);
            self.varint(number);
        }
    }

    fn message(&mut self, field: u64, inner: &Self) {
        self.bytes(field, &inner.0);
    }

    /// A repeated message of a name and a value.
    fn named(&mut self, field: u64, name: &str, value: &Self) {
        let mut pair = Self::default();
        pair.bytes(1, name.as_bytes());
        pair.message(2, value);
        self.message(field, &pair);
    }

    /// `Any`, as YAML; JSON is YAML.
    fn any(&mut self, field: u64, value: &Value) {
        if !value.is_null() {
            self.message(field, &yaml(value));
        }
    }

    /// The `x-…` properties.
    fn extensions(&mut self, field: u64, of: &Value) {
        for (name, value) in entries(of).filter(|(name, _)| name.starts_with("x-")) {
            self.named(field, name, &yaml(value));
        }
    }
}

fn yaml(value: &Value) -> Message {
    let mut any = Message::default();
    any.bytes(2, format!("{value}\n").as_bytes());
    any
}

fn entries(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of.as_object().into_iter().flat_map(Map::iter)
}

/// `Document`.
pub(super) fn document(document: &Value) -> Vec<u8> {
    let mut out = Message::default();
    out.text(1, &document["swagger"]);
    let mut info = Message::default();
    info.text(1, &document["info"]["title"]);
    info.text(2, &document["info"]["version"]);
    out.message(2, &info);
    let mut paths = Message::default();
    for (path, item) in entries(&document["paths"]) {
        paths.named(2, path, &path_item(item));
    }
    out.message(8, &paths);
    let mut definitions = Message::default();
    for (name, definition) in entries(&document["definitions"]) {
        definitions.named(1, name, &schema(definition));
    }
    out.message(9, &definitions);
    out.0
}

/// `PathItem`.
fn path_item(item: &Value) -> Message {
    let mut out = Message::default();
    for (method, field) in [
        ("get", 2),
        ("put", 3),
        ("post", 4),
        ("delete", 5),
        ("patch", 8),
    ] {
        if item[method].is_object() {
            out.message(field, &operation(&item[method]));
        }
    }
    out
}

/// `Operation`.
fn operation(operation: &Value) -> Message {
    let mut out = Message::default();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        out.message(8, &query_parameter(parameter));
    }
    let mut responses = Message::default();
    for (code, response) in entries(&operation["responses"]) {
        let mut inner = Message::default();
        inner.text(1, &response["description"]);
        let mut value = Message::default();
        value.message(1, &inner);
        responses.named(1, code, &value);
    }
    out.message(9, &responses);
    out.extensions(13, operation);
    out
}

/// `ParametersItem` → `Parameter` → `NonBodyParameter` → `QueryParameterSubSchema`.
fn query_parameter(parameter: &Value) -> Message {
    let mut query = Message::default();
    query.text(2, &parameter["in"]);
    query.text(4, &parameter["name"]);
    query.text(6, &parameter["type"]);
    query.flag(20, &parameter["uniqueItems"]);
    let wrap = |field, inner: &Message| {
        let mut out = Message::default();
        out.message(field, inner);
        out
    };
    wrap(1, &wrap(2, &wrap(3, &query)))
}

/// `Schema`. Nesting is bounded: definitions refer to each other by name.
fn schema(schema: &Value) -> Message {
    let mut out = Message::default();
    out.text(1, &schema["$ref"]);
    out.text(2, &schema["format"]);
    out.text(3, &schema["title"]);
    out.text(4, &schema["description"]);
    out.any(5, &schema["default"]);
    out.number(7, &schema["maximum"]);
    out.number(9, &schema["minimum"]);
    out.integer(11, &schema["maxLength"]);
    out.integer(12, &schema["minLength"]);
    out.text(13, &schema["pattern"]);
    out.integer(14, &schema["maxItems"]);
    out.integer(15, &schema["minItems"]);
    out.texts(19, &schema["required"]);
    for value in schema["enum"].as_array().into_iter().flatten() {
        out.any(20, value);
    }
    additional_properties(&mut out, &schema["additionalProperties"]);
    if schema["type"].is_string() {
        let mut of = Message::default();
        of.text(1, &schema["type"]);
        out.message(22, &of);
    }
    if schema["items"].is_object() {
        let mut items = Message::default();
        items.message(1, &self::schema(&schema["items"]));
        out.message(23, &items);
    }
    if schema["properties"].is_object() {
        let mut properties = Message::default();
        for (name, property) in entries(&schema["properties"]) {
            properties.named(1, name, &self::schema(property));
        }
        out.message(25, &properties);
    }
    out.extensions(31, schema);
    out
}

fn additional_properties(out: &mut Message, values: &Value) {
    let mut item = Message::default();
    if values.is_object() {
        item.message(1, &schema(values));
    } else if values == true {
        item.flag(2, values);
    } else {
        return;
    }
    out.message(21, &item);
}
