//! What the kubelet asks for before it answers.

use super::*;

#[test]
fn paths_are_subresources_of_the_node() {
    for (method, path, expected) in [
        (Method::GET, "/metrics/resource", "get metrics"),
        (Method::GET, "/stats/summary", "get stats"),
        (Method::GET, "/logs", "get log"),
        (Method::GET, "/pods", "get pods|proxy"),
        (Method::GET, "/runningpods/", "get pods|proxy"),
        (Method::GET, "/healthz", "get healthz|proxy"),
        (Method::GET, "/healthz/ping", "get healthz|proxy"),
        (Method::GET, "/configz", "get configz|proxy"),
        (Method::GET, "/containerLogs/ns/pod/c", "get proxy"),
        (Method::POST, "/exec/ns/pod/c", "create proxy"),
        (Method::GET, "/metricsfoo", "get proxy"),
        (Method::GET, "/podsfoo", "get proxy"),
        (Method::OPTIONS, "/pods", " pods|proxy"),
    ] {
        let got = attributes(&method, path, "node-1");
        let names: Vec<&str> = got.iter().map(|a| a.subresource).collect();
        assert_eq!(
            format!("{} {}", got[0].verb, names.join("|")),
            expected,
            "{path}"
        );
        assert!(
            got.iter()
                .all(|a| a.name == "node-1" && a.resource == "nodes")
        );
    }
}

#[test]
fn the_refusal_names_all_that_would_have_done() {
    let user = User {
        name: "jane".to_owned(),
        ..User::default()
    };
    let wanted = attributes(&Method::GET, "/pods", "node-1");
    assert_eq!(
        forbidden(&user, &wanted).message,
        "Forbidden (user=jane, verb=get, resource=nodes, subresource(s)=[pods proxy])\n"
    );
}
