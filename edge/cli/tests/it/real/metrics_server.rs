//! Ours beside upstream's metrics-server: the same control plane, kubelets and flags, the same requests, and the same
//! answers but for what `metrics_server/requests.txt` says and why.

mod ask;
mod figures;
mod mask;
mod protobuf;
mod scene;
mod table;

use super::plane::ControlPlane;
use crate::tools;
use ask::Answer;
use mask::Seen;
use scene::{Scene, Server};
use std::collections::BTreeSet;
use std::fmt::Write;
use table::Request;

#[test]
fn every_request_is_answered_as_upstream_answers_it() {
    let Some(program) = tools::kubectl() else {
        return;
    };
    let Some(plane) = ControlPlane::start(&[]) else {
        return;
    };
    let scene = Scene::new(&plane, &program);
    let lists = scene.both(|scene, server| {
        let answer = ask::ask(scene, server, &Request::of("/"), None);
        String::from_utf8_lossy(&answer.body).contains(mask::NOT_LISTED)
    });
    assert_eq!(lists, [true, false], "what upstream lists, and we do not");
    let before = scene.both(figures::of);
    let mut wrong = String::new();
    for request in table::requests(&scene) {
        let [upstream, ours] = scene.both(|scene, server| seen(scene, server, &request));
        let found = upstream.differs(&ours);
        if found != request.differs {
            let _ = writeln!(wrong, "\n{request}");
            complain(&mut wrong, &request.differs, &found);
            let _ = writeln!(wrong, "upstream: {upstream:#?}\nours: {ours:#?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    let after = scene.both(figures::of);
    figures::agree(&before, &after);
    scene.end();
}

fn seen(scene: &Scene, server: &Server, request: &Request) -> Seen {
    let answer = |tag: Option<&str>| -> Answer { ask::ask(scene, server, request, tag) };
    let first = answer(None);
    let answer = match request.wants_tag() {
        true => answer(first.header("etag")),
        false => first,
    };
    Seen::of(&answer, request, server)
}

fn complain(wrong: &mut String, expected: &BTreeSet<String>, found: &BTreeSet<String>) {
    for facet in found.difference(expected) {
        let _ = writeln!(wrong, "  {facet} differs");
    }
    for facet in expected.difference(found) {
        let _ = writeln!(wrong, "  {facet} differs no more: take it from the table");
    }
}
