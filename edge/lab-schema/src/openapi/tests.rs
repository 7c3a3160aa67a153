//! OpenAPI documents that clients can follow.

use super::{v2_json, v2_protobuf, v3_document, v3_index};
use crate::schema::CrdSchema;
use serde_json::{Value, json};

const VERSION: &str = "v1.36.2";

fn document(group: &str, version: &str) -> Value {
    serde_json::from_slice(&v3_document(VERSION, group, version, &[]).unwrap()).unwrap()
}

/// Every reference of a document leads somewhere.
fn check_references(value: &Value, whole: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                assert!(whole.pointer(&reference[1..]).is_some(), "{reference}");
            }
            fields.values().for_each(|v| check_references(v, whole));
        }
        Value::Array(items) => items.iter().for_each(|v| check_references(v, whole)),
        _ => {}
    }
}

#[test]
fn the_index_names_every_group_and_version() {
    let index: Value = serde_json::from_slice(&v3_index(VERSION, &[])).unwrap();
    let url = index["paths"]["api/v1"]["serverRelativeURL"]
        .as_str()
        .unwrap();
    assert!(url.starts_with("/openapi/v3/api/v1?hash="), "{url}");
    assert!(index["paths"]["apis/autoscaling/v2"].is_object());
    for (path, _) in index["paths"].as_object().unwrap() {
        let (group, version) = match path.split('/').collect::<Vec<_>>()[..] {
            ["api", version] => ("", version),
            ["apis", group, version] => (group, version),
            _ => panic!("{path}"),
        };
        let document = document(group, version);
        check_references(&document, &document);
    }
}

#[test]
fn explain_finds_the_kind_by_its_path() {
    let hpa = document("autoscaling", "v2");
    let path = "/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}";
    let gvk = json!({"group": "autoscaling", "kind": "HorizontalPodAutoscaler", "version": "v2"});
    assert_eq!(
        hpa["paths"][path]["patch"]["x-kubernetes-group-version-kind"],
        gvk
    );
    let schema = &hpa["components"]["schemas"]["io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler"];
    assert_eq!(schema["x-kubernetes-group-version-kind"], json!([gvk]));
    assert_eq!(
        schema["properties"]["spec"]["allOf"],
        json!([{"$ref": "#/components/schemas/io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec"}])
    );
    let patch = &hpa["paths"][path]["patch"]["parameters"];
    assert!(
        patch
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p["name"] == "fieldValidation")
    );
}

#[test]
fn custom_resources_are_in_the_documents() {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object"}}});
    let toy = CrdSchema {
        group: "example.com",
        version: "v1",
        kind: "Toy",
        plural: "toys",
        namespaced: true,
        schema: &schema,
    };
    let document = v3_document(VERSION, "example.com", "v1", &[toy]).unwrap();
    let document: Value = serde_json::from_slice(&document).unwrap();
    check_references(&document, &document);
    assert!(document["components"]["schemas"]["com.example.v1.Toy"].is_object());
    let v2: Value = serde_json::from_slice(&v2_json(VERSION, &[toy])).unwrap();
    check_references(&v2, &v2);
    assert!(v2["definitions"]["com.example.v1.ToyList"].is_object());
    assert!(v3_document(VERSION, "example.com", "v2", &[toy]).is_none());
}

#[test]
fn the_protobuf_document_can_be_read_back() {
    let bytes = v2_protobuf(VERSION, &[]);
    let swagger = fields(&bytes).find(|(field, _)| *field == 1).unwrap().1;
    assert_eq!(swagger, b"2.0");
    let definitions = fields(&bytes).find(|(field, _)| *field == 9).unwrap().1;
    assert!(fields(definitions).count() > 500);
    let names: Vec<&[u8]> = fields(definitions)
        .map(|(_, pair)| fields(pair).find(|(field, _)| *field == 1).unwrap().1)
        .collect();
    assert!(names.contains(&b"io.k8s.api.core.v1.PodSpec".as_slice()));
}

/// The length-delimited fields of a message.
fn fields(mut bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let tag = varint(&mut bytes);
        assert_eq!(tag & 7, 2, "a length-delimited field");
        let length = usize::try_from(varint(&mut bytes)).unwrap();
        let (value, rest) = bytes.split_at(length);
        bytes = rest;
        Some((tag >> 3, value))
    })
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            break;
        }
    }
    value
}
