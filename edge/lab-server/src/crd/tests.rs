//! Custom resource definitions: names, schemas, versions.

use super::defaults::apply_root;
use super::pattern::Patterns;
use super::{format, names, notes, validate};
use expect_test::expect;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

fn problems(schema: Value, old: Option<Value>, value: Value) -> String {
    let schema = json!({"type": "object", "properties": {"spec": schema}});
    let patterns = Patterns::of(&schema);
    let old = old.map(|old| json!({"spec": old}));
    let found = validate::by_schema(&schema, &patterns, (old.as_ref(), &json!({"spec": value})));
    found.iter().map(|error| format!("{error}\n")).collect()
}

#[test]
fn types_are_those_of_json() {
    let integer = || json!({"type": "integer"});
    assert_eq!(problems(integer(), None, json!(1.0)), "");
    assert_eq!(problems(json!({"type": "number"}), None, json!(1)), "");
    assert_eq!(
        problems(
            json!({"type": "string", "nullable": true}),
            None,
            Value::Null
        ),
        ""
    );
    expect![[r#"
        spec: Invalid value: "null": spec in body must be of type integer: "null"
    "#]]
    .assert_eq(&problems(integer(), None, Value::Null));
    let either = json!({"x-kubernetes-int-or-string": true});
    assert_eq!(problems(either.clone(), None, json!("50%")), "");
    expect![[r#"
        spec: Invalid value: "boolean": spec in body must be of type integer,string: "boolean"
    "#]]
    .assert_eq(&problems(either, None, json!(true)));
}

#[test]
fn numbers_have_bounds() {
    let schema = json!({
        "type": "number", "minimum": 1, "exclusiveMinimum": true, "maximum": 2.5, "multipleOf": 0.5,
    });
    assert_eq!(problems(schema.clone(), None, json!(2)), "");
    expect![[r#"
        spec: Invalid value: 1: spec in body should be greater than 1
    "#]]
    .assert_eq(&problems(schema.clone(), None, json!(1)));
    expect![[r#"
        spec: Invalid value: 2.75: spec in body should be less than or equal to 2.5
        spec: Invalid value: 2.75: spec in body should be a multiple of 0.5
    "#]]
    .assert_eq(&problems(schema, None, json!(2.75)));
}

#[test]
fn sets_and_counts_are_kept() {
    let schema = json!({
        "type": "array", "minItems": 2, "x-kubernetes-list-type": "set", "items": {"type": "string"},
    });
    expect![[r#"
        spec[1]: Duplicate value: "a"
    "#]]
    .assert_eq(&problems(schema.clone(), None, json!(["a", "a"])));
    expect![[r#"
        spec: Invalid value: ["a"]: spec in body should have at least 2 items
    "#]]
    .assert_eq(&problems(schema, None, json!(["a"])));
    let schema = json!({
        "type": "object", "minProperties": 1, "maxProperties": 1,
        "additionalProperties": {"type": "integer"},
    });
    expect![[r#"
        spec: Too many: 2: must have at most 1 items
        spec.b: Invalid value: "string": spec.b in body must be of type integer: "string"
    "#]]
    .assert_eq(&problems(schema.clone(), None, json!({"a": 1, "b": "x"})));
    expect![[r#"
        spec: Invalid value: {}: spec in body should have at least 1 properties
    "#]]
    .assert_eq(&problems(schema, None, json!({})));
}

#[test]
fn schemas_combine() {
    let schema = json!({
        "type": "integer",
        "allOf": [{"minimum": 2}], "anyOf": [{"maximum": 3}, {"minimum": 7}], "not": {"enum": [8]},
    });
    assert_eq!(problems(schema.clone(), None, json!(3)), "");
    expect![[r#"
        spec: Invalid value: 5: spec in body should be less than or equal to 3
        <nil>: Invalid value: "": "spec" must validate at least one schema (anyOf)
    "#]]
    .assert_eq(&problems(schema.clone(), None, json!(5)));
    expect![[r#"
        <nil>: Invalid value: "": "spec" must not validate the schema (not)
    "#]]
    .assert_eq(&problems(schema, None, json!(8)));
}

#[test]
fn what_was_wrong_before_may_stay() {
    let schema = json!({
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "list": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                "items": {"type": "object", "properties": {"k": {"type": "string"}, "n": {"type": "integer"}}},
            },
        },
    });
    let old = json!({"a": "x", "list": [{"k": "1", "n": "bad"}]});
    let new = json!({"a": "x", "list": [{"k": "0"}, {"k": "1", "n": "bad"}]});
    assert_eq!(problems(schema.clone(), Some(old.clone()), new), "");
    let new = json!({"a": "y", "list": []});
    assert_ne!(problems(schema, Some(old), new), "");
}

#[test]
fn an_embedded_resource_says_what_it_is() {
    let schema = json!({
        "type": "object", "x-kubernetes-embedded-resource": true,
        "x-kubernetes-preserve-unknown-fields": true,
    });
    expect![[r#"
        spec.apiVersion: Required value: must not be empty
        spec.kind: Required value: must not be empty
    "#]]
    .assert_eq(&problems(schema, None, json!({"metadata": {}})));
}

#[test]
fn defaults_reach_into_lists_and_maps() {
    let item = json!({"type": "object", "properties": {"n": {"type": "integer", "default": 1}}});
    let schema = json!({"properties": {
        "metadata": {"type": "object", "default": {"name": "no"}},
        "spec": {"type": "object", "default": {}, "properties": {
            "list": {"type": "array", "items": item},
            "map": {"type": "object", "additionalProperties": item},
            "deep": {"type": "object", "default": {"x": {}}, "properties": {"x": item}},
            "null": {"type": "string", "default": "d"},
            "kept": {"type": "string", "default": "d", "nullable": true},
        }},
    }});
    let mut object = json!({"spec": {
        "list": [{}, {"n": 5}], "map": {"a": {}}, "null": null, "kept": null,
    }});
    apply_root(&schema, &mut object);
    expect![[r#"{"spec":{"deep":{"x":{"n":1}},"kept":null,"list":[{"n":1},{"n":5}],"map":{"a":{"n":1}},"null":"d"}}"#]]
        .assert_eq(&object.to_string());
    let mut empty = json!({});
    apply_root(&schema, &mut empty);
    assert_eq!(empty["spec"]["deep"]["x"]["n"], 1);
    assert!(empty.get("metadata").is_none());
}

#[test]
fn formats_are_checked_as_far_as_they_are_known() {
    for (name, good, bad) in [
        ("date-time", "2026-01-02T03:04:05Z", "2026-01-02"),
        ("date", "2026-01-02", "2026-01-02T03:04:05Z"),
        ("duration", "1h30m", "soon"),
        ("byte", "aGk=", "?"),
        ("ipv4", "10.0.0.1", "10.0.0.256"),
        ("ipv6", "::1", "10.0.0.1"),
        ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("mac", "00:1b:44:11:3a:b7", "00:1b:44"),
        ("hostname", "a.example.com", "-a.example.com"),
        ("email", "a@example.com", "example.com"),
        ("uri", "https://example.com/x", "not a uri"),
        ("hexcolor", "#ff00aa", "#ff00a"),
    ] {
        assert!(format::is_good(name, good), "{name} {good}");
        assert!(!format::is_good(name, bad), "{name} {bad}");
    }
    assert!(format::is_good("unheard-of", "anything"));
}

#[test]
fn short_names_conflict_together() {
    let definition = |name: &str, short: &[&str]| {
        json!({
            "metadata": {"name": name},
            "spec": {"group": "g", "names": {
                "plural": name, "singular": name, "kind": name.to_uppercase(),
                "listKind": format!("{name}List"), "shortNames": short,
            }},
        })
    };
    let now = Timestamp::UNIX_EPOCH;
    let mut first = definition("a", &["x", "y"]);
    names::accept(&mut first, &names::Taken::default(), now);
    let mut second = definition("b", &["x", "y", "z"]);
    let taken = names::Taken::by_others(&second, [&first, &second.clone()].into_iter());
    names::accept(&mut second, &taken, now);
    let condition = &second["status"]["conditions"][0];
    assert_eq!(condition["reason"], "ShortNamesConflict");
    assert_eq!(
        condition["message"],
        r#"["x" is already in use, "y" is already in use]"#
    );
    assert!(
        second["status"]["acceptedNames"]
            .get("shortNames")
            .is_none()
    );
    assert_eq!(second["status"]["acceptedNames"]["plural"], "b");
}

#[test]
fn webhooks_are_said_not_to_be_called() {
    let found = notes(&json!({"spec": {"conversion": {"strategy": "Webhook"}}}));
    assert_eq!(found.len(), 1);
    assert!(notes(&json!({"spec": {"conversion": {"strategy": "None"}}})).is_empty());
}

/// Any JSON, with the words that schemas are made of.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z(*\\[]{0,4}".prop_map(Value::from),
        prop::sample::select(vec![
            "object", "array", "string", "integer", "map", "set", "date"
        ])
        .prop_map(Value::from),
    ];
    let word = prop::sample::select(vec![
        "type",
        "properties",
        "items",
        "additionalProperties",
        "default",
        "enum",
        "pattern",
        "format",
        "required",
        "minimum",
        "maxItems",
        "oneOf",
        "anyOf",
        "not",
        "nullable",
        "spec",
        "x-kubernetes-list-type",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-validations",
        "a",
    ]);
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_schema_and_no_object_cause_a_panic(schema in any_json(), value in any_json(), old in any_json()) {
        let schema = json!({"properties": {"spec": schema}});
        let mut object = json!({"spec": value});
        apply_root(&schema, &mut object);
        let patterns = Patterns::of(&schema);
        let old = json!({"spec": old});
        validate::by_schema(&schema, &patterns, (Some(&old), &object));
        notes(&json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}}));
    }

    #[test]
    fn what_did_not_change_is_never_wrong(schema in any_json(), value in any_json()) {
        let schema = json!({"properties": {"spec": schema}});
        let object = json!({"spec": value});
        let patterns = Patterns::of(&schema);
        let found = validate::by_schema(&schema, &patterns, (Some(&object), &object));
        prop_assert!(found.is_empty());
    }
}
