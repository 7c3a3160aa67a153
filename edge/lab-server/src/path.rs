//! What a request's path and method ask for.
//!
//! Upstream: apiserver/pkg/endpoints/request/requestinfo.go.

use http::Method;

/// A path below a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ResourcePath {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: Option<String>,
    pub(crate) resource: String,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
    /// What follows a subresource, without its leading slash.
    pub(crate) tail: Option<String>,
    /// The deprecated `/watch/` prefix.
    pub(crate) watch: bool,
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A path that is no resource: discovery, health, versions.
    Other,
    /// A resource, an object or a subresource.
    Resource(ResourcePath),
}

/// Splits a path.
pub(crate) fn parse(path: &str) -> Target {
    let mut segments = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(decode);
    let (group, version) = match segments.next().as_deref() {
        Some("api") => (Some(String::new()), segments.next()),
        Some("apis") => (segments.next(), segments.next()),
        _ => return Target::Other,
    };
    let rest: Vec<String> = segments.collect();
    match (group, version, rest.as_slice()) {
        (Some(group), Some(version), [_, ..]) => Target::Resource(ResourcePath {
            group,
            version,
            ..below(&rest)
        }),
        _ => Target::Other,
    }
}

fn below(segments: &[String]) -> ResourcePath {
    let (watch, segments) = match segments {
        [first, rest @ ..] if first == "watch" && !rest.is_empty() => (true, rest),
        all => (false, all),
    };
    let mut path = ResourcePath {
        watch,
        ..ResourcePath::default()
    };
    let rest = match segments {
        [first, name] if first == "namespaces" => {
            path.namespace = Some(name.clone());
            segments
        }
        [first, name, sub, ..] if first == "namespaces" => {
            path.namespace = Some(name.clone());
            if sub == "status" || sub == "finalize" {
                segments
            } else {
                &segments[2..]
            }
        }
        all => all,
    };
    let mut rest = rest.iter();
    path.resource = rest.next().cloned().unwrap_or_default();
    path.name = rest.next().cloned();
    path.subresource = rest.next().cloned();
    let tail: Vec<&str> = rest.map(String::as_str).collect();
    path.tail = (!tail.is_empty()).then(|| tail.join("/"));
    path
}

/// The verb that authorization knows.
pub(crate) fn verb(method: &Method, path: &ResourcePath, watch: bool) -> &'static str {
    let named = path.name.is_some();
    match *method {
        Method::GET | Method::HEAD if path.watch => "watch",
        Method::GET | Method::HEAD if named => "get",
        Method::GET | Method::HEAD if watch => "watch",
        Method::GET | Method::HEAD => "list",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if named => "delete",
        Method::DELETE => "deletecollection",
        _ => "",
    }
}

/// Undoes percent-encoding; what is not valid stays as it is.
pub(crate) fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |index: usize| bytes.get(index).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The parameters of a query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    raw: String,
}

impl Query {
    /// Splits a query.
    pub(crate) fn parse(query: Option<&str>) -> Self {
        let pairs = query
            .unwrap_or("")
            .split('&')
            .filter(|pair| !pair.is_empty());
        let split = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (
                decode(&key.replace('+', " ")),
                decode(&value.replace('+', " ")),
            )
        };
        Self {
            pairs: pairs.map(split).collect(),
            raw: query.unwrap_or("").to_owned(),
        }
    }

    /// The first value of a parameter; an empty one counts as absent.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(name, _)| name == key);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Every value of a parameter.
    pub(crate) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a parameter is there and not false. Upstream: conversion of `*bool` from a query.
    pub(crate) fn flag(&self, key: &str) -> bool {
        let found = self.pairs.iter().find(|(name, _)| name == key);
        found
            .is_some_and(|(_, value)| !matches!(value.to_ascii_lowercase().as_str(), "false" | "0"))
    }

    /// The query as it came.
    pub(crate) fn encoded(&self) -> &str {
        &self.raw
    }

    /// A number.
    pub(crate) fn number(&self, key: &str) -> Option<i64> {
        self.get(key)?.parse().ok()
    }
}

#[cfg(test)]
mod tests;
