//! Custom resources: defined, served, pruned, defaulted, validated, and gone with their definition.

use crate::raw::{admin, get, send, value, write};
use expect_test::expect;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use lab_server::{Body, User};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Lab, lab};
use tokio::time::{Instant, sleep, timeout};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const BOATS: &str = "/apis/sea.example.com/v1/namespaces/default/boats";
const PATIENCE: Duration = Duration::from_secs(20);

fn boats() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "boats.sea.example.com"},
        "spec": {
            "group": "sea.example.com", "scope": "Namespaced",
            "names": {
                "plural": "boats", "singular": "boat", "kind": "Boat", "shortNames": ["bt"],
                "categories": ["all"],
            },
            "versions": [
                {
                    "name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": schema()},
                    "subresources": {
                        "status": {},
                        "scale": {
                            "specReplicasPath": ".spec.crew.size",
                            "statusReplicasPath": ".status.aboard",
                            "labelSelectorPath": ".status.selector",
                        },
                    },
                    "selectableFields": [{"jsonPath": ".spec.color"}],
                    "additionalPrinterColumns": [
                        {"name": "Sails", "type": "integer", "jsonPath": ".spec.sails"},
                        {"name": "Color", "type": "string", "jsonPath": ".spec.color", "priority": 1},
                    ],
                },
                {
                    "name": "v1beta1", "served": true, "storage": false,
                    "schema": {"openAPIV3Schema": {
                        "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                    }},
                },
            ],
        },
    })
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object", "required": ["sails"],
                "properties": {
                    "sails": {"type": "integer", "minimum": 1, "maximum": 9},
                    "color": {"type": "string", "default": "white", "enum": ["white", "red"]},
                    "name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 5},
                    "crew": {
                        "type": "object",
                        "properties": {"size": {"type": "integer"}, "captain": {"type": "string", "default": "ahab"}},
                    },
                    "ports": {
                        "type": "array", "maxItems": 2, "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {"type": "object", "required": ["name"], "properties": {
                            "name": {"type": "string"}, "depth": {"type": "number", "default": 1.5},
                        }},
                    },
                    "cargo": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                    "draft": {"x-kubernetes-int-or-string": true},
                    "built": {"type": "string", "format": "date-time"},
                    "owner": {"type": "string", "nullable": true},
                },
                "oneOf": [{"required": ["name"]}, {"required": ["draft"]}],
            },
            "status": {
                "type": "object",
                "properties": {"aboard": {"type": "integer"}, "selector": {"type": "string"}},
            },
        },
    })
}

fn boat(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "sea.example.com/v1", "kind": "Boat", "metadata": {"name": name}, "spec": spec,
    })
}

/// Waits until a path answers so.
async fn until(lab: &Lab, path: &str, good: impl Fn(StatusCode, &Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (status, body) = get(lab, path, &[]).await;
        if good(status, &body) {
            return body;
        }
        assert!(Instant::now() < deadline, "{path}: {status} {body}");
        sleep(Duration::from_millis(5)).await;
    }
}

async fn define(lab: &Lab, definition: &Value) -> Value {
    let (status, body) = write(lab, "POST", DEFINITIONS, definition).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    let name = definition["metadata"]["name"].as_str().expect("a name");
    let path = format!("{DEFINITIONS}/{name}");
    until(lab, &path, |_, body| {
        body["status"]["conditions"].is_array()
    })
    .await
}

async fn sea() -> Lab {
    let lab = lab().await.expect("a lab");
    define(&lab, &boats()).await;
    lab
}

fn conditions(object: &Value) -> String {
    let all = object["status"]["conditions"]
        .as_array()
        .expect("conditions");
    let line = |one: &Value| {
        let text = |key: &str| one[key].as_str().unwrap_or("").to_owned();
        format!(
            "{} {} {}: {}\n",
            text("type"),
            text("status"),
            text("reason"),
            text("message")
        )
    };
    all.iter().map(line).collect()
}

/// The message of a refusal.
async fn refused(lab: &Lab, spec: Value) -> String {
    let (status, body) = write(lab, "POST", BOATS, &boat("x", spec)).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    let message = body["message"].as_str().expect("a message");
    let message = message.replace("Boat.sea.example.com \"x\" is invalid: ", "");
    message.replace(", ", ",\n") + "\n"
}

#[tokio::test]
async fn a_definition_is_established_and_says_so() {
    let lab = lab().await.expect("a lab");
    let made = define(&lab, &boats()).await;
    expect![[r#"
        NamesAccepted True NoConflicts: no conflicts found
        Established True InitialNamesAccepted: the initial names have been accepted
    "#]]
    .assert_eq(&conditions(&made));
    assert_eq!(made["status"]["storedVersions"], json!(["v1"]));
    assert_eq!(made["status"]["acceptedNames"], made["spec"]["names"]);
    let path = "/apis/apiregistration.k8s.io/v1/apiservices/v1.sea.example.com";
    let service = until(&lab, path, |status, _| status == StatusCode::OK).await;
    assert_eq!(service["status"]["conditions"][0]["reason"], "Local");
    assert_eq!(service["spec"]["groupPriorityMinimum"], 1000);
}

#[tokio::test]
async fn names_that_others_have_are_not_given() {
    let lab = sea().await;
    let mut other = boats();
    other["metadata"]["name"] = "ships.sea.example.com".into();
    other["spec"]["names"] = json!({
        "plural": "ships", "singular": "ship", "kind": "Boat", "listKind": "ShipList", "shortNames": ["bt"],
    });
    let made = define(&lab, &other).await;
    expect![[r#"
        NamesAccepted False KindConflict: "Boat" is already in use
        Established False NotAccepted: not all names are accepted
    "#]]
    .assert_eq(&conditions(&made));
    let (status, _) = get(&lab, "/apis/sea.example.com/v1/ships", &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    // Once the names are free, they are given.
    write(
        &lab,
        "DELETE",
        &format!("{DEFINITIONS}/boats.sea.example.com"),
        &json!({}),
    )
    .await;
    until(&lab, "/apis/sea.example.com/v1/ships", |status, _| {
        status == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn discovery_shows_the_new_type() {
    let lab = sea().await;
    let (_, list) = get(&lab, "/apis/sea.example.com/v1", &[]).await;
    expect![[r#"
        [{"categories":["all"],"kind":"Boat","name":"boats","namespaced":true,"shortNames":["bt"],"singularName":"boat","verbs":["delete","deletecollection","get","list","patch","create","update","watch"]},{"group":"autoscaling","kind":"Scale","name":"boats/scale","namespaced":true,"singularName":"","verbs":["get","patch","update"],"version":"v1"},{"kind":"Boat","name":"boats/status","namespaced":true,"singularName":"","verbs":["get","patch","update"]}]"#]]
    .assert_eq(&list["resources"].to_string());
    let (_, groups) = get(&lab, "/apis", &[]).await;
    let last = groups["groups"]
        .as_array()
        .and_then(|all| all.last())
        .expect("a group");
    assert_eq!(last["name"], "sea.example.com");
    assert_eq!(last["preferredVersion"]["version"], "v1");
    assert_eq!(last["versions"][1]["version"], "v1beta1");
    let (status, document) = get(&lab, "/openapi/v3/apis/sea.example.com/v1", &[]).await;
    assert_eq!(status, StatusCode::OK);
    let schemas = document["components"]["schemas"]
        .as_object()
        .expect("schemas");
    assert!(
        schemas.keys().any(|name| name.ends_with("Boat")),
        "{schemas:?}"
    );
}

#[tokio::test]
async fn objects_are_pruned_and_defaulted() {
    let lab = sea().await;
    let spec = json!({
        "sails": 2, "name": "pequod", "unknown": 1, "cargo": {"oil": {"barrels": 3}},
        "crew": {"size": 3, "rats": 100}, "ports": [{"name": "a", "x": 1}], "owner": null,
    });
    let mut wish = boat("x", spec);
    wish["spec"]["name"] = "moby".into();
    let request = Request::post(BOATS)
        .header("content-type", "application/json")
        .body(Full::from(wish.to_string()))
        .expect("a request");
    let (status, headers, body) = send(&lab, admin(), request).await;
    assert_eq!(status, StatusCode::CREATED);
    let warnings: Vec<_> = headers.get_all("warning").iter().collect();
    let warnings: Vec<_> = warnings.iter().filter_map(|w| w.to_str().ok()).collect();
    expect![[r#"
        299 - "unknown field \"spec.crew.rats\""
        299 - "unknown field \"spec.ports[0].x\""
        299 - "unknown field \"spec.unknown\""
    "#]]
    .assert_eq(&(warnings.join("\n") + "\n"));
    let made = value(body).await;
    expect![[r#"{"cargo":{"oil":{"barrels":3}},"color":"white","crew":{"captain":"ahab","size":3},"name":"moby","owner":null,"ports":[{"depth":1.5,"name":"a"}],"sails":2}"#]]
        .assert_eq(&made["spec"].to_string());
    assert_eq!(made["metadata"]["generation"], 1);

    let strict = format!("{BOATS}?fieldValidation=Strict");
    let (status, body) = write(&lab, "POST", &strict, &wish).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    expect![[r#"Boat in version "v1" cannot be handled as a Boat: strict decoding error: unknown field "spec.crew.rats", unknown field "spec.ports[0].x", unknown field "spec.unknown""#]]
        .assert_eq(body["message"].as_str().expect("text"));
}

#[tokio::test]
async fn what_breaks_the_schema_is_refused_in_upstream_s_words() {
    let lab = sea().await;
    expect![[r#"
        spec.sails: Required value
    "#]]
    .assert_eq(&refused(&lab, json!({"name": "moby"})).await);
    expect![[r#"
        spec.sails: Invalid value: "string": spec.sails in body must be of type integer: "string"
    "#]]
    .assert_eq(&refused(&lab, json!({"name": "moby", "sails": "two"})).await);
    let many = json!({
        "name": "Q", "sails": 0, "color": "blue", "draft": "1m", "built": "yesterday",
        "crew": {"size": 1.5},
        "ports": [{"name": "a"}, {"name": "a"}, {"depth": "deep"}],
    });
    expect![[r#"
        [spec.built: Invalid value: "yesterday": spec.built in body must be of type date-time: "yesterday",
        spec.color: Unsupported value: "blue": supported values: "red",
        "white",
        spec.crew.size: Invalid value: "number": spec.crew.size in body must be of type integer: "number",
        spec.name: Invalid value: "Q": spec.name in body should be at least 2 chars long,
        spec.name: Invalid value: "Q": spec.name in body should match '^[a-z]+$',
        spec.ports: Too many: 3: must have at most 2 items,
        spec.ports[2].name: Required value,
        spec.ports[2].depth: Invalid value: "string": spec.ports[2].depth in body must be of type number: "string",
        spec.ports[1]: Duplicate value: {"name":"a"},
        spec.sails: Invalid value: 0: spec.sails in body should be greater than or equal to 1,
        <nil>: Invalid value: "": "spec" must validate one and only one schema (oneOf). Found 2 valid alternatives]
    "#]]
    .assert_eq(&refused(&lab, many).await);
    expect![[r#"
        [spec.name: Too long: may not be more than 5 bytes,
        spec.sails: Invalid value: 10: spec.sails in body should be less than or equal to 9]
    "#]]
    .assert_eq(&refused(&lab, json!({"name": "queequeg", "sails": 10})).await);
}

#[tokio::test]
async fn an_update_leaves_old_faults_alone() {
    let lab = sea().await;
    let good = boat("x", json!({"name": "moby", "sails": 2}));
    write(&lab, "POST", BOATS, &good).await;
    let path = format!("{DEFINITIONS}/boats.sea.example.com");
    let mut definition = get(&lab, &path, &[]).await.1;
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["spec"]["properties"]["name"]["maxLength"] = 3.into();
    let (status, body) = write(&lab, "PUT", &path, &definition).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let boat = format!("{BOATS}/x");
    let (status, body) = write(&lab, "PATCH", &boat, &json!({"spec": {"sails": 3}})).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    let (status, _) = write(&lab, "PATCH", &boat, &json!({"spec": {"name": "mobi"}})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_new_default_is_seen_in_old_objects() {
    let lab = sea().await;
    let good = boat("x", json!({"name": "moby", "sails": 2}));
    write(&lab, "POST", BOATS, &good).await;
    let path = format!("{DEFINITIONS}/boats.sea.example.com");
    let mut definition = get(&lab, &path, &[]).await.1;
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["spec"]["properties"]["anchor"] =
        json!({"type": "string", "default": "iron"});
    write(&lab, "PUT", &path, &definition).await;
    let (_, found) = get(&lab, &format!("{BOATS}/x"), &[]).await;
    assert_eq!(found["spec"]["anchor"], "iron");
}

#[tokio::test]
async fn versions_differ_in_their_name_only() {
    let lab = sea().await;
    let old = "/apis/sea.example.com/v1beta1/namespaces/default/boats";
    let mut wish = boat("x", json!({"name": "moby", "sails": 2, "free": true}));
    wish["apiVersion"] = "sea.example.com/v1beta1".into();
    let (status, body) = write(&lab, "POST", old, &wish).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    assert_eq!(body["apiVersion"], "sea.example.com/v1beta1");
    let (_, list) = get(&lab, old, &[]).await;
    assert_eq!(list["apiVersion"], "sea.example.com/v1beta1");
    assert_eq!(list["items"][0]["apiVersion"], "sea.example.com/v1beta1");
    let (_, found) = get(&lab, &format!("{BOATS}/x"), &[]).await;
    assert_eq!(found["apiVersion"], "sea.example.com/v1");
}

#[tokio::test]
async fn status_and_scale_are_apart_from_the_rest() {
    let lab = sea().await;
    let mut wish = boat(
        "x",
        json!({"name": "moby", "sails": 2, "crew": {"size": 4}}),
    );
    wish["status"] = json!({"aboard": 9});
    let (_, made) = write(&lab, "POST", BOATS, &wish).await;
    assert!(made.get("status").is_none());
    let path = format!("{BOATS}/x");
    let status = json!({"status": {"aboard": 3, "selector": "a=b"}, "spec": {"sails": 5}});
    let (code, changed) = write(&lab, "PATCH", &format!("{path}/status"), &status).await;
    assert_eq!(code, StatusCode::OK, "{changed}");
    assert_eq!(changed["spec"]["sails"], 2);
    assert_eq!(changed["metadata"]["generation"], 1);

    let (_, mut scale) = get(&lab, &format!("{path}/scale"), &[]).await;
    assert_eq!(scale["spec"]["replicas"], 4);
    assert_eq!(scale["status"], json!({"replicas": 3, "selector": "a=b"}));
    scale["spec"]["replicas"] = 7.into();
    let (code, scaled) = write(&lab, "PUT", &format!("{path}/scale"), &scale).await;
    assert_eq!(code, StatusCode::OK, "{scaled}");
    let (_, found) = get(&lab, &path, &[]).await;
    assert_eq!(found["spec"]["crew"]["size"], 7);
    assert_eq!(found["metadata"]["generation"], 2);
    let bad = json!({"status": {"aboard": "many"}});
    let (code, _) = write(&lab, "PATCH", &format!("{path}/status"), &bad).await;
    assert_eq!(code, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn tables_have_the_definition_s_columns() {
    let lab = sea().await;
    write(
        &lab,
        "POST",
        BOATS,
        &boat("x", json!({"name": "moby", "sails": 2})),
    )
    .await;
    let accept = "application/json;as=Table;g=meta.k8s.io;v=v1";
    let (_, table) = get(&lab, BOATS, &[("accept", accept)]).await;
    let columns = table["columnDefinitions"].as_array().expect("columns");
    let names: Vec<&str> = columns
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names, ["Name", "Sails", "Color"]);
    assert_eq!(table["rows"][0]["cells"], json!(["x", 2, "white"]));
}

#[tokio::test]
async fn selectors_know_the_definition_s_fields() {
    let lab = sea().await;
    for (name, color) in [("a", "red"), ("b", "white")] {
        let spec = json!({"name": "moby", "sails": 2, "color": color});
        write(&lab, "POST", BOATS, &boat(name, spec)).await;
    }
    let (_, list) = get(
        &lab,
        &format!("{BOATS}?fieldSelector=spec.color%3Dred"),
        &[],
    )
    .await;
    let items = list["items"].as_array().expect("items");
    assert_eq!(items.len(), 1);
    assert_eq!(items[0]["metadata"]["name"], "a");
    let (status, body) = get(&lab, &format!("{BOATS}?fieldSelector=spec.sails%3D2"), &[]).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["message"], "field label not supported: spec.sails");
}

#[tokio::test]
async fn strategic_patches_are_for_built_in_types() {
    let lab = sea().await;
    write(
        &lab,
        "POST",
        BOATS,
        &boat("x", json!({"name": "moby", "sails": 2})),
    )
    .await;
    let request = Request::patch(format!("{BOATS}/x"))
        .header("content-type", "application/strategic-merge-patch+json")
        .body(Full::from("{}"))
        .expect("a request");
    let (status, _, _) = send(&lab, admin(), request).await;
    assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let request = Request::patch(format!("{BOATS}/x?fieldManager=me&force=true"))
        .header("content-type", "application/apply-patch+yaml")
        .body(Full::from(
            boat("x", json!({"sails": 4, "ports": [{"name": "a"}]})).to_string(),
        ))
        .expect("a request");
    let (status, _, body) = send(&lab, admin(), request).await;
    let applied = value(body).await;
    assert_eq!(status, StatusCode::OK, "{applied}");
    assert_eq!(applied["spec"]["sails"], 4);
    assert_eq!(applied["metadata"]["managedFields"][0]["manager"], "me");
}

async fn next(body: &mut Body) -> Option<String> {
    let frame = timeout(PATIENCE, body.frame()).await.expect("in time")?;
    let bytes = frame.expect("readable").into_data().expect("data");
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn a_definition_takes_its_objects_and_watches_with_it() {
    let lab = sea().await;
    let mut wish = boat("x", json!({"name": "moby", "sails": 2}));
    wish["metadata"]["finalizers"] = json!(["example.com/anchor"]);
    write(&lab, "POST", BOATS, &wish).await;
    write(
        &lab,
        "POST",
        BOATS,
        &boat("y", json!({"name": "moby", "sails": 2})),
    )
    .await;
    let request = Request::get(format!("{BOATS}?watch=true"))
        .body(Full::default())
        .expect("a request");
    let (_, _, mut watch) = send(&lab, admin(), request).await;
    assert!(
        next(&mut watch)
            .await
            .expect("events")
            .contains("\"ADDED\"")
    );

    let path = format!("{DEFINITIONS}/boats.sea.example.com");
    let (status, going) = write(&lab, "DELETE", &path, &json!({})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        going["metadata"]["finalizers"],
        json!(["customresourcecleanup.apiextensions.k8s.io"])
    );
    until(&lab, &format!("{BOATS}/y"), |status, _| {
        status == StatusCode::NOT_FOUND
    })
    .await;
    let (status, _) = write(
        &lab,
        "POST",
        BOATS,
        &boat("z", json!({"name": "moby", "sails": 2})),
    )
    .await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    // The one with a finalizer keeps the definition.
    let waiting = until(&lab, &path, |_, body| {
        let all = conditions(body);
        all.contains("InstanceDeletionInProgress")
    });
    waiting.await;
    let (status, body) = write(
        &lab,
        "PATCH",
        &format!("{BOATS}/x"),
        &json!({"metadata": {"finalizers": null}}),
    )
    .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    until(&lab, &path, |status, _| status == StatusCode::NOT_FOUND).await;
    let (status, _) = get(&lab, BOATS, &[]).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // The watch may have ended and not said all; it does end.
    while next(&mut watch).await.is_some() {}
    let service = "/apis/apiregistration.k8s.io/v1/apiservices/v1.sea.example.com";
    until(&lab, service, |status, _| status == StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn rules_in_cel_are_said_not_to_be_evaluated() {
    let lab = lab().await.expect("a lab");
    let mut definition = boats();
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    schema["properties"]["spec"]["x-kubernetes-validations"] = json!([{"rule": "self.sails > 1"}]);
    let request = Request::post(DEFINITIONS)
        .header("content-type", "application/json")
        .body(Full::from(definition.to_string()))
        .expect("a request");
    let (status, headers, _) = send(&lab, User::new("admin", &["system:masters"]), request).await;
    assert_eq!(status, StatusCode::CREATED);
    expect![[r#"299 - "spec.versions[0].schema.openAPIV3Schema.properties[spec].x-kubernetes-validations: rules in CEL are not evaluated by this server""#]]
        .assert_eq(headers["warning"].to_str().expect("text"));
}
