//! Secrets and ConfigMaps. Upstream: ValidateSecret, ValidateConfigMap and their updates.

use super::check::Check;
use crate::json::{at, flag, object, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s::names::config_key_problems;
use serde_json::Value;

const LIMIT: usize = 1024 * 1024;
const IMMUTABLE: &str = "field is immutable when `immutable` is set";

pub(super) fn secret(check: &mut Check, secret: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        check.immutable("type", at(old, "type"), at(secret, "type"));
        unchanged(check, old, secret, &["data"]);
    }
    let mut size = 0;
    for (key, value) in object(secret, "data").into_iter().flatten() {
        check.sentences(&format!("data[{key}]"), key, config_key_problems(key));
        size += decoded_length(value);
    }
    if size > LIMIT {
        check.too_long("data", LIMIT);
    }
    of_type(check, secret);
}

fn decoded_length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.len() / 4 * 3)
}

fn of_type(check: &mut Check, secret: &Value) {
    let has = |key: &str| at(secret, "data").get(key).is_some();
    let keys: &[&str] = match text(secret, "type") {
        "kubernetes.io/service-account-token" => {
            const NAME: &str = "kubernetes.io/service-account.name";
            let name = at(secret, "metadata.annotations")
                .get(NAME)
                .and_then(Value::as_str);
            if name.is_none_or(str::is_empty) {
                check.required(format!("metadata.annotations[{NAME}]"), "");
            }
            return;
        }
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/basic-auth" => {
            if !has("username") && !has("password") {
                check.required("data[username]", "");
                check.required("data[password]", "");
            }
            return;
        }
        _ => return,
    };
    for key in keys {
        let field = format!("data[{key}]");
        if !has(key) {
            check.required(field, "");
        } else if key.starts_with(".docker") && !is_json(at(secret, "data").get(key)) {
            let words = "invalid character in a string that should be JSON";
            check.invalid_text(field, "<secret contents redacted>", words);
        }
    }
}

fn is_json(value: Option<&Value>) -> bool {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD.decode(text).unwrap_or_default();
    serde_json::from_slice::<serde_json::Map<String, Value>>(&bytes).is_ok()
}

pub(super) fn config_map(check: &mut Check, map: &Value, old: Option<&Value>) {
    if let Some(old) = old {
        unchanged(check, old, map, &["data", "binaryData"]);
    }
    let mut size = 0;
    for (key, value) in object(map, "data").into_iter().flatten() {
        let field = format!("data[{key}]");
        check.sentences(&field, key, config_key_problems(key));
        if at(map, "binaryData").get(key).is_some() {
            check.invalid_text(&field, key, "duplicate of key present in binaryData");
        }
        size += value.as_str().map_or(0, str::len);
    }
    for (key, value) in object(map, "binaryData").into_iter().flatten() {
        check.sentences(&format!("binaryData[{key}]"), key, config_key_problems(key));
        size += decoded_length(value);
    }
    if size > LIMIT {
        check.too_long("", LIMIT);
    }
}

/// What was declared immutable stays.
fn unchanged(check: &mut Check, old: &Value, new: &Value, fields: &[&str]) {
    if !flag(old, "immutable") {
        return;
    }
    if !flag(new, "immutable") {
        check.forbidden("immutable", IMMUTABLE);
    }
    for field in fields {
        if at(old, field) != at(new, field) {
            check.forbidden(*field, IMMUTABLE);
        }
    }
}
