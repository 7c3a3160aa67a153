//! The words that OpenAPI schemas of custom resources are written in.
//!
//! Rules in CEL have a cost, which the API server bounds by what texts and lists can be: so each has a limit here,
//! far above what anybody needs. Not here: what autoscalers are made of.

use serde_json::{Map, Value, json};

/// The longest name of an object or a kind.
const NAME_MAX: u32 = 253;
/// The longest metric name, and the longest text of any other kind.
const TEXT_MAX: u32 = 1_024;
/// The longest quantity or duration.
const NUMBER_MAX: u32 = 64;
/// Entries in lists of policies and metrics.
const ITEMS_MAX: u32 = 100;

/// As Kubernetes reads quantities.
const QUANTITY: &str =
    r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$";
/// As Go reads durations, but for signs.
pub(super) const DURATION: &str = r"^(0|([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+)$";

/// Why a rule's failure is one, where it is not simply that a value is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Required,
    Forbidden,
}

/// A rule in CEL with what is said when it does not hold, a text or an expression of one.
pub(super) struct Rule(Value);

impl Rule {
    pub(super) fn new(rule: &str, message: &str) -> Self {
        Self(json!({"rule": rule, "message": message}))
    }

    /// What is said is computed.
    pub(super) fn computed(rule: &str, expression: &str, message: &str) -> Self {
        Self(json!({"rule": rule, "message": message, "messageExpression": expression}))
    }

    pub(super) fn because(mut self, reason: Reason) -> Self {
        let text = match reason {
            Reason::Required => "FieldValueRequired",
            Reason::Forbidden => "FieldValueForbidden",
        };
        self.0["reason"] = text.into();
        self
    }

    /// It is about a field below.
    pub(super) fn about(mut self, path: &str) -> Self {
        self.0["fieldPath"] = path.into();
        self
    }
}

/// A schema in the making.
#[derive(Debug, Clone)]
pub(super) struct Schema(Value);

impl Schema {
    fn new(kind: &str, description: &str) -> Self {
        Self(json!({"type": kind, "description": description}))
    }

    /// An object of these fields.
    pub(super) fn object<const N: usize>(description: &str, fields: [(&str, Self); N]) -> Self {
        let fields = fields.into_iter().map(|(name, s)| (name.to_owned(), s.0));
        let mut schema = Self::new("object", description);
        schema.0["properties"] = fields.collect::<Map<_, _>>().into();
        schema
    }

    /// An object of which nothing is said here.
    pub(super) fn any_object() -> Self {
        Self(json!({"type": "object"}))
    }

    /// With more fields.
    pub(super) fn also<const N: usize>(mut self, fields: [(&str, Self); N]) -> Self {
        for (name, schema) in fields {
            self.0["properties"][name] = schema.0;
        }
        self
    }

    /// Texts by texts.
    pub(super) fn texts(description: &str) -> Self {
        Self::new("object", description).with("additionalProperties", json!({"type": "string"}))
    }

    pub(super) fn list(description: &str, items: Self) -> Self {
        Self::new("array", description)
            .with("items", items.0)
            .with("x-kubernetes-list-type", "atomic")
    }

    /// A list of at most as many entries as rules can be checked for.
    pub(super) fn short_list(description: &str, items: Self) -> Self {
        Self::list(description, items).with("maxItems", ITEMS_MAX)
    }

    pub(super) fn text(description: &str) -> Self {
        Self::new("string", description)
    }

    pub(super) fn short_text(description: &str) -> Self {
        Self::text(description).with("maxLength", TEXT_MAX)
    }

    pub(super) fn name(description: &str) -> Self {
        Self::text(description).with("maxLength", NAME_MAX)
    }

    pub(super) fn time(description: &str) -> Self {
        Self::text(description).with("format", "date-time")
    }

    pub(super) fn int32(description: &str) -> Self {
        Self::new("integer", description).with("format", "int32")
    }

    pub(super) fn int64(description: &str) -> Self {
        Self::new("integer", description).with("format", "int64")
    }

    pub(super) fn boolean(description: &str) -> Self {
        Self::new("boolean", description)
    }

    /// A whole number or a text with a suffix.
    pub(super) fn quantity(description: &str) -> Self {
        Self(json!({
            "description": description,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": true,
            "pattern": QUANTITY,
            "maxLength": NUMBER_MAX,
        }))
    }

    pub(super) fn duration(description: &str) -> Self {
        Self::text(description)
            .with("pattern", DURATION)
            .with("maxLength", NUMBER_MAX)
    }

    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0[key] = value.into();
        self
    }

    pub(super) fn or(self, default: impl Into<Value>) -> Self {
        self.with("default", default)
    }

    pub(super) fn required(self, fields: &[&str]) -> Self {
        self.with("required", fields.to_vec())
    }

    /// One of these words, listed as upstream lists them when it is none.
    pub(super) fn one_of(self, values: &[&str]) -> Self {
        let mut values = values.to_vec();
        values.sort_unstable();
        self.with("enum", values)
    }

    /// With one more rule.
    pub(super) fn rule(mut self, rule: Rule) -> Self {
        let rules = &mut self.0["x-kubernetes-validations"];
        match rules {
            Value::Array(rules) => rules.push(rule.0),
            _ => *rules = json!([rule.0]),
        }
        self
    }

    pub(super) fn rules(self, rules: impl IntoIterator<Item = Rule>) -> Self {
        rules.into_iter().fold(self, Self::rule)
    }

    /// A text that must be there. Upstream says nothing besides, where `message` is what a name is for.
    pub(super) fn not_empty(self, message: &str) -> Self {
        self.rule(Rule::new("self != ''", message).because(Reason::Required))
    }

    /// A name that can stand in a path. Upstream: IsPathSegmentName.
    pub(super) fn path_segment(self) -> Self {
        let dots = Rule::computed(
            "self != '.' && self != '..'",
            r#""may not be '" + self + "'""#,
            "may not be '.' or '..'",
        );
        self.rule(dots)
            .rule(Rule::new("!self.contains('/')", "may not contain '/'"))
            .rule(Rule::new("!self.contains('%')", "may not contain '%'"))
    }

    pub(super) fn finished(self) -> Value {
        self.0
    }
}

/// A rule for a quantity: one comparison for whole numbers, one for the sign of texts.
pub(super) fn quantity_rule(whole: &str, sign: &str, message: &str) -> Rule {
    let rule = format!(
        "type(self) == int ? self {whole} : (!isQuantity(string(self)) || quantity(string(self)).compareTo(quantity('0')) {sign})"
    );
    Rule::new(&rule, message)
}
