//! The requests, read from their text. What is asked and what may differ is all in `requests.txt`.

use super::scene::Scene;
use std::collections::BTreeSet;
use std::fmt;

const TEXT: &str = include_str!("requests.txt");
/// Is replaced by the tag that the server gave for the same request without it.
const TAG: &str = "{etag}";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// With an administrator's certificate.
    Admin,
    /// With the token of one who may see metrics and nothing else.
    Viewer,
    /// With a token that nobody gave out.
    Wrong,
    /// With nothing.
    Anonymous,
}

/// One request of the table.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) who: Who,
    pub(super) method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
    /// What must differ: `status`, `body` or the name of a header.
    pub(super) differs: BTreeSet<String>,
}

impl Request {
    /// A line without a word of what differs.
    fn read(line: &str, scene: &Scene) -> Self {
        let line = scene.named(line);
        let mut parts = line.split(" | ");
        let words: Vec<&str> = parts.next().unwrap().splitn(3, ' ').collect();
        assert_eq!(words.len(), 3, "the table has {line:?}");
        let (who, method, path) = (words[0], words[1], words[2]);
        let header = |part: &str| {
            let (name, value) = part.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        };
        let who = match who {
            "admin" => Some(Who::Admin),
            "viewer" => Some(Who::Viewer),
            "wrong" => Some(Who::Wrong),
            "anonymous" => Some(Who::Anonymous),
            _ => None,
        };
        Self {
            who: who.expect("somebody that there is"),
            method: method.to_owned(),
            path: path.to_owned(),
            headers: parts.map(header).collect(),
            differs: BTreeSet::new(),
        }
    }

    /// An administrator's for a path, which is in no table.
    pub(super) fn of(path: &str) -> Self {
        Self {
            who: Who::Admin,
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            differs: BTreeSet::new(),
        }
    }

    /// Its headers; those with a tag only where there is one.
    pub(super) fn headers<'a>(
        &'a self,
        tag: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.headers.iter().filter_map(move |(name, value)| {
            let value = if value == TAG { tag? } else { value };
            Some((name.as_str(), value))
        })
    }

    pub(super) fn wants_tag(&self) -> bool {
        self.headers.iter().any(|(_, value)| value == TAG)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {}", self.who, self.method, self.path)?;
        let mut headers = self.headers.iter();
        headers.try_for_each(|(name, value)| write!(f, " | {name}: {value}"))
    }
}

/// All of them, in order.
pub(super) fn requests(scene: &Scene) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    for line in TEXT
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match line.strip_prefix("~ ") {
            None => requests.push(Request::read(line, scene)),
            Some(difference) => {
                let (facets, why) = difference.split_once(": ").unwrap();
                assert!(!why.trim().is_empty(), "without a reason: {line}");
                let request = requests.last_mut().unwrap();
                request
                    .differs
                    .extend(facets.split(", ").map(str::to_owned));
            }
        }
    }
    assert!(requests.len() > 150, "only {} requests", requests.len());
    requests
}
