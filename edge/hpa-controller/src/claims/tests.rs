//! Who has which target, as it is heard.

use super::*;
use serde_json::json;

fn hpa(name: &str, api_version: &str, target: &str) -> Autoscaler {
    let object: HorizontalPodAutoscaler = serde_json::from_value(json!({
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"scaleTargetRef": {"apiVersion": api_version, "kind": "Deployment", "name": target},
            "maxReplicas": 3}}))
    .unwrap();
    object.into()
}

fn listed(objects: &[Autoscaler]) -> Claims {
    let claims = Claims::default();
    claims.hear(&Event::Init);
    for object in objects {
        claims.hear(&Event::InitApply(object.clone()));
    }
    assert_eq!(claims.hear(&Event::InitDone), Changed::All);
    claims
}

fn holders(claims: &Claims, target: &str) -> Vec<String> {
    claims.holders(&hpa("ours", "apps/v1", target)).unwrap()
}

#[test]
fn nothing_is_known_before_all_were_listed() {
    let claims = Claims::default();
    claims.hear(&Event::Init);
    claims.hear(&Event::InitApply(hpa("a", "apps/v1", "web")));
    assert_eq!(claims.holders(&hpa("ours", "apps/v1", "web")), None);
}

#[test]
fn a_target_is_the_same_whatever_its_version_and_another_in_another_group() {
    let claims = listed(&[
        hpa("a", "apps/v1beta1", "web"),
        hpa("b", "example.com/v1", "web"),
    ]);
    assert_eq!(holders(&claims, "web"), ["a"]);
    assert_eq!(holders(&claims, "api"), [""; 0]);
}

#[test]
fn only_what_changes_hands_is_told() {
    let claims = listed(&[hpa("a", "apps/v1", "web")]);
    let of = |target: &str| Scaled::of(&hpa("x", "apps/v1", target));
    let apply = |object| claims.hear(&Event::Apply(object));
    assert_eq!(apply(hpa("a", "apps/v1", "web")), Changed::Some(vec![]));
    let second = apply(hpa("b", "apps/v1", "web"));
    assert_eq!(second, Changed::Some(vec![of("web")]));
    assert_eq!(holders(&claims, "web"), ["a", "b"]);
    let moved = apply(hpa("a", "apps/v1", "api"));
    assert_eq!(moved, Changed::Some(vec![of("web"), of("api")]));
    let gone = claims.hear(&Event::Delete(hpa("b", "apps/v1", "web")));
    assert_eq!(gone, Changed::Some(vec![of("web")]));
    assert_eq!(holders(&claims, "web"), [""; 0]);
}

#[test]
fn who_is_not_in_a_new_list_is_gone() {
    let claims = listed(&[hpa("a", "apps/v1", "web"), hpa("b", "apps/v1", "api")]);
    claims.hear(&Event::Init);
    claims.hear(&Event::InitApply(hpa("b", "apps/v1", "api")));
    assert_eq!(holders(&claims, "web"), ["a"], "not before the list's end");
    let Changed::Some(targets) = claims.hear(&Event::InitDone) else {
        unreachable!("it was known before")
    };
    assert_eq!(targets.len(), 1);
    assert_eq!(holders(&claims, "web"), [""; 0]);
    assert_eq!(holders(&claims, "api"), ["b"]);
}
