//! `/openapi/v2`: one document of everything, as JSON or as protobuf.

use super::definitions::{self, Form};
use super::{bytes, info, paths, protobuf};
use crate::schema::{CrdSchema, KINDS};
use serde_json::{Value, json};

/// The document as JSON. `version` is the server's.
pub fn v2_json(version: &str, crds: &[CrdSchema<'_>]) -> Vec<u8> {
    bytes(&document(version, crds))
}

/// The document as gnostic's protobuf message, which old kubectl insists on.
pub fn v2_protobuf(version: &str, crds: &[CrdSchema<'_>]) -> Vec<u8> {
    protobuf::document(&document(version, crds))
}

fn document(version: &str, crds: &[CrdSchema<'_>]) -> Value {
    let kinds: Vec<_> = KINDS.iter().collect();
    json!({
        "swagger": "2.0",
        "info": info(version),
        "paths": paths::all(Form::V2, &kinds, crds),
        "definitions": definitions::all(Form::V2, &kinds, crds),
    })
}
