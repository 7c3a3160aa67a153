//! Node affinity: requirements on a node's labels and name.

use crate::Node;

/// How a requirement compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The label's value is one of the values.
    In,
    /// The label is absent, or its value is none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
    /// The label's value is a number above the only value.
    Gt,
    /// The label's value is a number below the only value.
    Lt,
}

/// One requirement on a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The label's key; `metadata.name` in a field requirement.
    pub key: String,
    /// The comparison.
    pub operator: Operator,
    /// What is compared with.
    pub values: Vec<String>,
}

impl Requirement {
    fn holds(&self, found: Option<&str>) -> bool {
        let listed = found.is_some_and(|found| self.values.iter().any(|value| value == found));
        match self.operator {
            Operator::In => listed,
            Operator::NotIn => !listed,
            Operator::Exists => found.is_some(),
            Operator::DoesNotExist => found.is_none(),
            Operator::Gt => self
                .numbers(found)
                .is_some_and(|(found, bound)| found > bound),
            Operator::Lt => self
                .numbers(found)
                .is_some_and(|(found, bound)| found < bound),
        }
    }

    fn numbers(&self, found: Option<&str>) -> Option<(i64, i64)> {
        let bound = self.values.first()?.parse().ok()?;
        Some((found?.parse().ok()?, bound))
    }
}

/// Requirements that must all hold; an empty term matches no node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Term {
    /// On labels.
    pub labels: Vec<Requirement>,
    /// On fields, of which there is only the name.
    pub fields: Vec<Requirement>,
}

impl Term {
    /// Whether `node` matches.
    pub fn matches(&self, node: &Node) -> bool {
        let label = |r: &Requirement| r.holds(node.labels.get(&r.key).map(String::as_str));
        let field = |r: &Requirement| r.key == "metadata.name" && r.holds(Some(&node.name));
        (!self.labels.is_empty() || !self.fields.is_empty())
            && self.labels.iter().all(label)
            && self.fields.iter().all(field)
    }
}

/// A term that makes a matching node better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preference {
    /// From 1 to 100.
    pub weight: i64,
    /// What the node should match.
    pub term: Term,
}
