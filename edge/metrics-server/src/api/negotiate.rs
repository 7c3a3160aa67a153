//! Which form the client wants: `Accept`, as Kubernetes extends it.
//!
//! Upstream: apiserver/pkg/endpoints/handlers/negotiation/negotiate.go (v1.36) and goautoneg.

use super::query;
use http::header::{ACCEPT, USER_AGENT};
use http::request::Parts;
use k8s::status::ApiError;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The objects themselves.
    Objects,
    /// Rows for people; `meta.k8s.io` in this version.
    Table(&'static str),
    /// Metadata only; `meta.k8s.io` in this version.
    Metadata(&'static str),
    /// Everything that discovery knows, at once.
    Discovery,
}

/// What can be had besides the plain form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    Nothing,
    /// Tables and metadata.
    Forms,
    /// Aggregated discovery.
    Discovery,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    Yaml,
    Protobuf,
}

/// What there is, most wanted first where the client leaves it open.
pub(super) const ALL: &[Media] = &[Media::Json, Media::Yaml, Media::Protobuf];

impl Media {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
            Self::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }

    /// Whether a range such as `application/*` covers it.
    fn within(self, range: &str) -> bool {
        matches!(range, "*" | "*/*" | "application/*") || range == self.content_type()
    }
}

/// What was agreed upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) form: Form,
    /// Whether the metadata of a list was asked for, or of one object.
    pub(super) of_list: Option<bool>,
    pub(super) media: Media,
    /// JSON with a line a field.
    pub(super) pretty: bool,
}

impl Agreed {
    /// Refuses the metadata of a list for one object, and the other way round. Upstream: asPartialObjectMetadata.
    pub(super) fn fits(&self, kind: &str, single: bool) -> Result<(), ApiError> {
        let message = match (self.of_list, single) {
            (Some(false), false) => format!(
                "you requested PartialObjectMetadata, but the requested object is a list (*metrics.{kind}List)"
            ),
            (Some(true), true) => format!(
                "you requested PartialObjectMetadataList, but the requested object is not a list (*metrics.{kind})"
            ),
            _ => return Ok(()),
        };
        Err(ApiError {
            message,
            ..ApiError::not_acceptable("")
        })
    }
}

/// For objects, which may be asked for as tables or as metadata.
pub(super) fn objects(head: &Parts) -> Result<Agreed, ApiError> {
    agree(head, Offer::Forms).ok_or_else(refused)
}

/// For documents about the API.
pub(super) fn document(head: &Parts) -> Result<Agreed, ApiError> {
    agree(head, Offer::Nothing).ok_or_else(refused)
}

/// For the list of groups, which may be asked for with all that is in them.
pub(super) fn discovery(head: &Parts) -> Result<Agreed, ApiError> {
    agree(head, Offer::Discovery).ok_or_else(refused)
}

/// For errors, which have one form only.
pub(super) fn error(head: &Parts) -> Option<Agreed> {
    agree(head, Offer::Nothing)
}

/// Whether JSON is wanted, as the OpenAPI handlers ask, which look at nothing but the type.
pub(super) fn json(head: &Parts) -> bool {
    let clauses = clauses(head);
    clauses.is_empty()
        || clauses
            .iter()
            .any(|clause| Media::Json.within(clause.range))
}

fn refused() -> ApiError {
    ApiError::not_acceptable(&media_names(ALL))
}

/// As errors name them.
pub(super) fn media_names(media: &[Media]) -> String {
    let names: Vec<&str> = media.iter().map(|media| media.content_type()).collect();
    names.join(", ")
}

/// Whether metrics are wanted as OpenMetrics at least as much as in Prometheus' own format.
pub(super) fn openmetrics(head: &Parts) -> bool {
    let clauses = clauses(head);
    let quality = |range: &str| {
        let of_range = clauses.iter().filter(|clause| clause.range == range);
        of_range.map(|clause| clause.quality).fold(0.0, f32::max)
    };
    let wanted = quality("application/openmetrics-text");
    wanted > 0.0 && wanted >= quality("text/plain")
}

/// Whether a list with qualities names this, and does not refuse it (RFC 9110, section 12.4.2).
pub(super) fn accepts(list: &str, name: &str) -> bool {
    let mut clauses = list.split(',').map(Clause::new);
    clauses.any(|clause| clause.range == name && clause.quality > 0.0)
}

fn clauses(head: &Parts) -> Vec<Clause<'_>> {
    head.headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .filter(|value| !value.is_empty())
        .flat_map(|value| value.split(','))
        .map(Clause::new)
        .collect()
}

fn agree(head: &Parts, offer: Offer) -> Option<Agreed> {
    let mut clauses = clauses(head);
    if clauses.is_empty() {
        clauses.push(Clause::new("*/*"));
    }
    // Stable: equals keep the client's order.
    clauses.sort_by(|a, b| b.quality.total_cmp(&a.quality).then(a.open.cmp(&b.open)));
    let (form, of_list, media, pretty) = clauses.iter().find_map(|clause| {
        let media = ALL.iter().copied().filter(|m| m.within(clause.range));
        let mut usable = media.filter_map(|media| Some((clause.form(media, offer)?, media)));
        usable
            .next()
            .map(|(form, media)| (form, clause.of_list(), media, clause.pretty))
    })?;
    Some(Agreed {
        form,
        of_list,
        media,
        pretty: pretty || for_a_person(head),
    })
}

/// Upstream: isPrettyPrint.
fn for_a_person(head: &Parts) -> bool {
    let query = head.uri.query().unwrap_or_default();
    if let Some(pretty) = query::value(query, "pretty").filter(|value| !value.is_empty()) {
        return matches!(&*pretty, "1" | "t" | "T" | "true" | "TRUE" | "True");
    }
    let agent = head.headers.get(USER_AGENT);
    let agent = agent
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    ["curl", "Wget", "Mozilla/5.0"]
        .iter()
        .any(|name| agent.starts_with(name))
}

/// One part of an `Accept` header, or of one like it.
struct Clause<'a> {
    range: &'a str,
    quality: f32,
    /// Whether it has wildcards: then it is the less wanted of two with the same quality.
    open: bool,
    pretty: bool,
    /// It asks for a stream or for another version of the server's group, which this answer is not.
    other: bool,
    convert: Option<(&'a str, &'a str, &'a str)>,
}

impl<'a> Clause<'a> {
    fn new(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        let mut clause = Self {
            range,
            quality: 1.0,
            open: range.contains('*'),
            pretty: false,
            other: false,
            convert: None,
        };
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim();
            let (kind, group, version) = clause.convert.unwrap_or_default();
            match key.trim() {
                "q" => clause.quality = value.parse().unwrap_or(0.0),
                "as" => clause.convert = Some((value, group, version)),
                "g" => clause.convert = Some((kind, value, version)),
                "v" => clause.convert = Some((kind, group, value)),
                "pretty" => clause.pretty = value == "1",
                "sv" => clause.other |= !value.is_empty(),
                "stream" => clause.other |= !value.is_empty() && value != "watch",
                _ => {}
            }
        }
        clause
    }

    fn of_list(&self) -> Option<bool> {
        match self.convert?.0 {
            "PartialObjectMetadata" => Some(false),
            "PartialObjectMetadataList" => Some(true),
            _ => None,
        }
    }

    /// The form that is asked for, if it can be written as `media`. Upstream: AllowsMediaTypeTransform.
    fn form(&self, media: Media, offer: Offer) -> Option<Form> {
        if self.other {
            return None;
        }
        let Some((kind, group, version)) = self.convert else {
            return Some(Form::Objects);
        };
        let everything = ("APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2");
        if offer == Offer::Discovery {
            return ((kind, group, version) == everything).then_some(Form::Discovery);
        }
        let forms = offer == Offer::Forms;
        let version = match (group, version) {
            ("meta.k8s.io", "v1") => "meta.k8s.io/v1",
            ("meta.k8s.io", "v1beta1") => "meta.k8s.io/v1beta1",
            _ => return None,
        };
        match kind {
            "Table" if forms && media != Media::Protobuf => Some(Form::Table(version)),
            "PartialObjectMetadata" | "PartialObjectMetadataList" if forms => {
                Some(Form::Metadata(version))
            }
            _ => None,
        }
    }
}
