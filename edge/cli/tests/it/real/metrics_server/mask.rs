//! What of an answer is compared: all but what must differ between two servers that were asked one after the other.

use super::ask::Answer;
use super::protobuf;
use super::scene::Server;
use super::table::Request;
use flate2::read::GzDecoder;
use regex::Regex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::LazyLock;

/// Of the connection, of the moment, or of the request alone.
const HEADERS: [&str; 5] = [
    "date",
    "audit-id",
    "content-length",
    "transfer-encoding",
    "connection",
];
/// Whose value is of the moment.
const VALUES: [&str; 3] = ["expires", "last-modified", "process-start-time-unix"];
/// Go's own, which we do not list: in each list of paths, and so not in the table.
pub(super) const NOT_LISTED: &str = "    \"/statusz\",\n";

static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
        (r#""\d+(?:n|u|m|Ki|Mi|Gi)""#, "\"QUANTITY\""),
        (r#"(cpu|memory): "?\d\w*"?"#, "$1: QUANTITY"),
        (r#""(?:\d+m)?\d+(?:\.\d+)?s""#, "\"WINDOW\""),
        (r"window: \S+", "window: WINDOW"),
        (r"[0-9A-F]{128}", "HASH"),
        // Upstream has a pod's containers in any order.
        (r#""name":( ?)"c\d""#, "\"name\":$1\"CONTAINER\""),
        (r"name: c\d\b", "name: CONTAINER"),
    ]
    .map(|(found, mask)| (Regex::new(found).unwrap(), mask))
    .into()
});

/// An answer without what must differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    status: u16,
    headers: BTreeMap<String, Vec<String>>,
    body: String,
}

impl Seen {
    pub(super) fn of(answer: &Answer, request: &Request, server: &Server) -> Self {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &answer.headers {
            let name = name.as_str();
            if HEADERS.contains(&name) {
                continue;
            }
            let value = match VALUES.contains(&name) {
                true => "SOME".to_owned(),
                false => masked(value.to_str().unwrap()),
            };
            headers.entry(name.to_owned()).or_default().push(value);
        }
        for values in headers.values_mut() {
            values.sort();
        }
        Self {
            status: answer.status,
            headers,
            body: body(answer, request, server),
        }
    }

    /// What is not the same: `status`, `body`, or the name of a header.
    pub(super) fn differs(&self, other: &Self) -> BTreeSet<String> {
        let mut differs = BTreeSet::new();
        if self.status != other.status {
            differs.insert("status".to_owned());
        }
        if self.body != other.body {
            differs.insert("body".to_owned());
        }
        let names = self.headers.keys().chain(other.headers.keys());
        differs.extend(
            names
                .filter(|name| self.headers.get(*name) != other.headers.get(*name))
                .cloned(),
        );
        differs
    }
}

fn body(answer: &Answer, request: &Request, server: &Server) -> String {
    let mut body = answer.body.to_vec();
    if answer.header("content-encoding") == Some("gzip") {
        let mut whole = Vec::new();
        GzDecoder::new(&body[..]).read_to_end(&mut whole).unwrap();
        body = whole;
    }
    let address = format!(":{}", server.address.port());
    if let Some(text) = protobuf::dumped(&body) {
        return text.replace(&address, ":PORT");
    }
    let text = String::from_utf8_lossy(&body);
    if answer.status == 200 && request.path.starts_with("/openapi/") {
        return structure(&text);
    }
    if text.contains("# TYPE ") {
        // What they are is compared by itself.
        return "metrics".to_owned();
    }
    masked(&text.replace(&address, ":PORT").replace(NOT_LISTED, ""))
}

fn masked(text: &str) -> String {
    let replace =
        |text: String, (found, mask): &(Regex, &str)| found.replace_all(&text, *mask).into_owned();
    MASKS.iter().fold(text.to_owned(), replace)
}

/// An OpenAPI document without its words and without the name and the version of who serves it.
fn structure(text: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(text) else {
        return text.to_owned();
    };
    without_words(&mut document);
    if let Some(document) = document.as_object_mut() {
        document.remove("info");
    }
    masked(&serde_json::to_string_pretty(&document).unwrap())
}

fn without_words(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // A property may be called so; then it is no text.
            if fields.get("description").is_some_and(Value::is_string) {
                fields.remove("description");
            }
            fields.values_mut().for_each(without_words);
        }
        Value::Array(items) => items.iter_mut().for_each(without_words),
        _ => {}
    }
}
