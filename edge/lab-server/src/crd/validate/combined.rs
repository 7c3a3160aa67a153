//! allOf, anyOf, oneOf, not.

use super::{Check, Place};
use k8s::status::FieldError;
use serde_json::Value;

impl Check<'_> {
    pub(super) fn combined(&mut self, schema: &Value, place: &Place, value: &Value) {
        for part in list(schema, "allOf") {
            let problems = self.aside(part, place, value);
            self.errors.extend(problems);
        }
        self.any_of(schema, place, value);
        self.one_of(schema, place, value);
        let not = &schema["not"];
        if not.is_object() && self.aside(not, place, value).is_empty() {
            self.whole(place, "must not validate the schema (not)");
        }
    }

    fn any_of(&mut self, schema: &Value, place: &Place, value: &Value) {
        let parts = list(schema, "anyOf");
        let results: Vec<Vec<FieldError>> = parts
            .iter()
            .map(|part| self.aside(part, place, value))
            .collect();
        if parts.is_empty() || results.iter().any(Vec::is_empty) {
            return;
        }
        self.errors.extend(nearest(results));
        self.whole(place, "must validate at least one schema (anyOf)");
    }

    fn one_of(&mut self, schema: &Value, place: &Place, value: &Value) {
        let parts = list(schema, "oneOf");
        let results: Vec<Vec<FieldError>> = parts
            .iter()
            .map(|part| self.aside(part, place, value))
            .collect();
        let good = results.iter().filter(|result| result.is_empty()).count();
        let found = match good {
            _ if parts.is_empty() => return,
            1 => return,
            0 => "Found none valid".to_owned(),
            many => format!("Found {many} valid alternatives"),
        };
        if good == 0 {
            self.errors.extend(nearest(results));
        }
        let words = format!("must validate one and only one schema (oneOf). {found}");
        self.whole(place, &words);
    }

    /// The problems with a part of a schema, set aside. Values need not have a type here.
    fn aside(&self, schema: &Value, place: &Place, value: &Value) -> Vec<FieldError> {
        let mut check = Check {
            patterns: self.patterns,
            errors: Vec::new(),
        };
        let place = Place {
            path: place.path.clone(),
            depth: place.depth + 1,
        };
        check.value(schema, &place, (None, value));
        check.errors
    }

    /// A problem that has no field of its own, which upstream prints as `<nil>`.
    fn whole(&mut self, place: &Place, words: &str) {
        let path = &place.path;
        let detail = format!("{path:?} {words}");
        self.errors
            .push(FieldError::invalid("<nil>", &"".into(), detail));
    }
}

fn list<'a>(schema: &'a Value, key: &str) -> &'a [Value] {
    schema[key].as_array().map_or(&[], Vec::as_slice)
}

/// The fewest problems.
fn nearest(results: Vec<Vec<FieldError>>) -> Vec<FieldError> {
    results.into_iter().min_by_key(Vec::len).unwrap_or_default()
}
