//! Who may do what, and who may grant it.

use super::{Attributes, Decision, PolicyRule, RbacIndex, aggregate};
use crate::bootstrap;
use crate::user::User;
use proptest::prelude::*;
use serde_json::{Value, json};

fn bootstrapped() -> RbacIndex {
    let mut index = RbacIndex::default();
    for object in bootstrap::objects() {
        index.apply(object["kind"].as_str().unwrap(), &object);
    }
    index
}

fn role(kind: &str, namespace: &str, name: &str, rules: Value) -> Value {
    json!({"kind": kind, "metadata": {"name": name, "namespace": namespace}, "rules": rules})
}

fn binding(kind: &str, namespace: &str, name: &str, role: (&str, &str), subject: Value) -> Value {
    json!({
        "kind": kind, "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"kind": role.0, "name": role.1}, "subjects": [subject],
    })
}

fn rule(value: Value) -> PolicyRule {
    PolicyRule::from_json(&value)
}

#[test]
fn a_rule_allows_what_upstreams_allows() {
    let user = User::new("jane", &[]);
    let get = |group, resource, sub, name| {
        Attributes::resource(&user, "get", group, resource)
            .on_subresource(sub)
            .named(name)
    };
    let pods = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "pods/log"]});
    let scales = json!({"verbs": ["get"], "apiGroups": ["*"], "resources": ["*/scale"]});
    let one = json!({"verbs": ["*"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"]});
    let all = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]});
    for (allowed, rule_, request) in [
        (true, &pods, get("", "pods", "", "")),
        (true, &pods, get("", "pods", "log", "x")),
        (false, &pods, get("", "pods", "exec", "x")),
        (false, &pods, get("apps", "pods", "", "")),
        (
            false,
            &pods,
            Attributes::resource(&user, "list", "", "pods"),
        ),
        (true, &scales, get("apps", "deployments", "scale", "x")),
        (
            true,
            &scales,
            get("", "replicationcontrollers", "scale", "x"),
        ),
        (false, &scales, get("apps", "deployments", "", "x")),
        (false, &scales, get("apps", "deployments", "status", "x")),
        (true, &one, get("", "secrets", "", "a")),
        (false, &one, get("", "secrets", "", "b")),
        (false, &one, get("", "secrets", "", "")),
        (true, &all, get("any", "thing", "at", "all")),
        (false, &all, Attributes::path(&user, "get", "/healthz")),
    ] {
        assert_eq!(
            rule(rule_.clone()).allows(&request),
            allowed,
            "{rule_} for {request:?}"
        );
    }
}

#[test]
fn paths_match_whole_or_by_a_trailing_star() {
    let user = User::new("jane", &[]);
    for (url, path, allowed) in [
        ("/healthz", "/healthz", true),
        ("/healthz", "/healthz/etcd", false),
        ("/healthz/*", "/healthz/etcd", true),
        ("/healthz*", "/healthz", true),
        ("*", "/anything", true),
        ("/a*b", "/axb", false),
        ("/apis/*", "/apis", false),
    ] {
        let rule = rule(json!({"verbs": ["get"], "nonResourceURLs": [url]}));
        assert_eq!(
            rule.allows(&Attributes::path(&user, "get", path)),
            allowed,
            "{url} {path}"
        );
    }
}

#[test]
fn default_roles_give_each_component_what_it_needs_and_no_more() {
    let index = bootstrapped();
    let masters = User::new("kubernetes-admin", &["system:masters"]);
    let anonymous = User::anonymous();
    let hpa = User::service_account("kube-system", "horizontal-pod-autoscaler", "u");
    let node = User::new(
        "system:node:node-1",
        &["system:nodes", "system:authenticated"],
    );
    let impostor = User::new("jane", &["system:nodes"]);
    let someone = User::new("jane", &["system:authenticated"]);
    let scale = Attributes::resource(&hpa, "update", "apps", "deployments")
        .on_subresource("scale")
        .in_namespace("eks-work")
        .named("backend-app");
    for (allowed, request) in [
        (
            true,
            Attributes::resource(&masters, "delete", "any", "thing"),
        ),
        (true, Attributes::path(&masters, "post", "/anything")),
        (true, scale),
        (false, scale.on_subresource("")),
        (
            true,
            Attributes::resource(&hpa, "list", "metrics.k8s.io", "pods").in_namespace("x"),
        ),
        (true, Attributes::path(&anonymous, "get", "/healthz")),
        (true, Attributes::path(&anonymous, "get", "/version")),
        (false, Attributes::path(&anonymous, "get", "/api")),
        (
            false,
            Attributes::resource(&anonymous, "list", "", "pods").in_namespace("default"),
        ),
        (true, Attributes::path(&someone, "get", "/apis/apps/v1")),
        (
            true,
            Attributes::resource(
                &someone,
                "create",
                "authorization.k8s.io",
                "selfsubjectaccessreviews",
            ),
        ),
        (
            false,
            Attributes::resource(&someone, "list", "", "pods").in_namespace("default"),
        ),
        (
            true,
            Attributes::resource(&node, "patch", "", "nodes")
                .on_subresource("status")
                .named("node-1"),
        ),
        (
            true,
            Attributes::resource(&node, "create", "", "serviceaccounts")
                .on_subresource("token")
                .named("x"),
        ),
        (
            false,
            Attributes::resource(&node, "create", "apps", "deployments"),
        ),
        (
            false,
            Attributes::resource(&impostor, "patch", "", "nodes").on_subresource("status"),
        ),
    ] {
        assert_eq!(index.authorize(&request).allowed, allowed, "{request:?}");
    }
}

#[test]
fn reasons_are_upstreams_sentences() {
    let mut index = bootstrapped();
    let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]);
    index.apply("Role", &role("Role", "dev", "reader", rules));
    let builder = json!({"kind": "ServiceAccount", "name": "builder"});
    index.apply(
        "RoleBinding",
        &binding("RoleBinding", "dev", "read", ("Role", "reader"), builder),
    );
    let jane = json!({"kind": "User", "name": "jane"});
    for name in ["lost", "lost-too"] {
        let lost = binding(
            "ClusterRoleBinding",
            "",
            name,
            ("ClusterRole", name),
            jane.clone(),
        );
        index.apply("ClusterRoleBinding", &lost);
    }
    let builder = User::service_account("dev", "builder", "u");
    let hpa = User::service_account("kube-system", "horizontal-pod-autoscaler", "u");
    let jane = User::new("jane", &[]);
    let texts = [
        index.authorize(&Attributes::resource(&builder, "get", "", "pods").in_namespace("dev")),
        index.authorize(&Attributes::resource(&builder, "get", "", "pods").in_namespace("prod")),
        index.authorize(&Attributes::resource(&hpa, "list", "", "pods")),
        index.authorize(&Attributes::path(&builder, "get", "/api")),
        index.authorize(&Attributes::resource(&jane, "get", "", "pods")),
    ]
    .map(|Decision { allowed, reason }| format!("{allowed}: {reason}"));
    expect_test::expect![[r#"
        true: RBAC: allowed by RoleBinding "read/dev" of Role "reader" to ServiceAccount "builder/dev"
        false: 
        true: RBAC: allowed by ClusterRoleBinding "system:controller:horizontal-pod-autoscaler" of ClusterRole "system:controller:horizontal-pod-autoscaler" to ServiceAccount "horizontal-pod-autoscaler/kube-system"
        true: RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole "system:discovery" to Group "system:authenticated"
        false: RBAC: [clusterrole.rbac.authorization.k8s.io "lost" not found, clusterrole.rbac.authorization.k8s.io "lost-too" not found]"#]]
    .assert_eq(&texts.join("\n"));
}

#[test]
fn a_refusal_reads_as_upstreams() {
    let user = User::new("jane <j>", &[]);
    let requests = [
        Attributes::resource(&user, "list", "", "pods").in_namespace("default"),
        Attributes::resource(&user, "get", "", "pods")
            .on_subresource("log")
            .in_namespace("dev")
            .named("web"),
        Attributes::resource(&user, "create", "apps", "deployments"),
        Attributes::path(&user, "get", "/metrics"),
    ];
    let texts = requests.map(|request| request.forbidden("").message);
    expect_test::expect![[r#"
        pods is forbidden: User "jane &lt;j&gt;" cannot list resource "pods" in API group "" in the namespace "default"
        pods "web" is forbidden: User "jane &lt;j&gt;" cannot get resource "pods/log" in API group "" in the namespace "dev"
        deployments.apps is forbidden: User "jane &lt;j&gt;" cannot create resource "deployments" in API group "apps" at the cluster scope
        forbidden: User "jane &lt;j&gt;" cannot get path "/metrics""#]]
    .assert_eq(&texts.join("\n"));
}

#[test]
fn changes_and_deletions_take_effect() {
    let mut index = RbacIndex::default();
    let jane = User::new("jane", &[]);
    let request = Attributes::resource(&jane, "get", "", "pods").in_namespace("dev");
    let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]);
    let reader = role("ClusterRole", "", "reader", rules);
    let to = |name: &str| {
        let subject = json!({"kind": "User", "name": name});
        binding(
            "RoleBinding",
            "dev",
            "read",
            ("ClusterRole", "reader"),
            subject,
        )
    };
    index.apply("RoleBinding", &to("jane"));
    assert!(
        !index.authorize(&request).allowed,
        "the role is not there yet"
    );
    index.apply("ClusterRole", &reader);
    assert!(index.authorize(&request).allowed);
    index.apply("RoleBinding", &to("john"));
    assert!(!index.authorize(&request).allowed, "bound to someone else");
    index.apply("RoleBinding", &to("jane"));
    assert!(index.authorize(&request).allowed);
    index.delete("ClusterRole", "", "reader");
    assert!(!index.authorize(&request).allowed, "the role is gone");
    index.apply("ClusterRole", &reader);
    index.delete("RoleBinding", "dev", "read");
    assert!(!index.authorize(&request).allowed, "the binding is gone");
}

#[test]
fn roles_gather_the_rules_of_labelled_roles() {
    let rules =
        |resource: &str| json!([{"verbs": ["get"], "apiGroups": [""], "resources": [resource]}]);
    let labelled = |name: &str, label: &str, rules: Value| json!({"metadata": {"name": name, "labels": {label: "true"}}, "rules": rules});
    let gathering = |name: &str, label: &str, own: &str| {
        json!({
            "metadata": {"name": name, "labels": {own: "true"}},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {label: "true"}}]}, "rules": null,
        })
    };
    let (a, b) = (
        labelled("part-a", "to-view", rules("a")),
        labelled("part-b", "to-edit", rules("b")),
    );
    let (view, edit) = (
        gathering("view", "to-view", "to-edit"),
        gathering("edit", "to-edit", "none"),
    );
    let updated = aggregate(&[&edit, &b, &view, &a]);
    let names: Vec<_> = updated
        .iter()
        .map(|r| r["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["edit", "view"]);
    assert_eq!(updated[1]["rules"], rules("a"));
    assert_eq!(
        updated[0]["rules"],
        json!([rules("b")[0], rules("a")[0]]),
        "view's rules arrive too"
    );
    assert!(
        aggregate(&[&updated[0], &updated[1], &a, &b]).is_empty(),
        "and then nothing changes"
    );
}

#[test]
fn nobody_grants_what_they_do_not_hold() {
    let mut index = bootstrapped();
    let jane = User::new("jane", &["dev"]);
    let subject = json!({"kind": "User", "name": "jane"});
    let own = binding(
        "RoleBinding",
        "dev",
        "jane",
        ("ClusterRole", "edit"),
        subject.clone(),
    );
    index.apply("RoleBinding", &own);
    let pods = json!([{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}]);
    let fine = role("Role", "dev", "fine", pods);
    assert_eq!(index.confirm_no_escalation(&jane, &fine, None), Ok(()));

    let more = json!([
        {"verbs": ["get", "bind"], "apiGroups": [""], "resources": ["nodes", "pods"]},
        {"verbs": ["get"], "nonResourceURLs": ["/metrics"]},
    ]);
    let greedy = role("Role", "dev", "greedy", more);
    let refused = index
        .confirm_no_escalation(&jane, &greedy, None)
        .unwrap_err();
    assert_eq!(refused.code, 403);
    expect_test::expect![[r#"
        roles.rbac.authorization.k8s.io "greedy" is forbidden: user "jane" (groups=["dev"]) is attempting to grant RBAC permissions not currently held:
        {APIGroups:[""], Resources:["nodes"], Verbs:["get" "bind"]}
        {APIGroups:[""], Resources:["pods"], Verbs:["bind"]}
        {NonResourceURLs:["/metrics"], Verbs:["get"]}"#]]
    .assert_eq(&refused.message);
    assert_eq!(
        index.confirm_no_escalation(&jane, &greedy, Some(&greedy)),
        Ok(()),
        "not changed"
    );
    let masters = User::new("root", &["system:masters"]);
    assert_eq!(index.confirm_no_escalation(&masters, &greedy, None), Ok(()));

    let bind = |role: &str| {
        index.confirm_no_escalation(
            &jane,
            &binding(
                "RoleBinding",
                "dev",
                "b",
                ("ClusterRole", role),
                subject.clone(),
            ),
            None,
        )
    };
    assert_eq!(bind("view"), Ok(()));
    assert!(
        bind("cluster-admin")
            .unwrap_err()
            .message
            .contains("is attempting to grant")
    );
    assert_eq!(bind("nothing").unwrap_err().code, 404);
    let mut gathering = role("ClusterRole", "", "all", json!([]));
    gathering["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]});
    let message = index
        .confirm_no_escalation(&jane, &gathering, None)
        .unwrap_err()
        .message;
    assert!(message.ends_with("must have cluster-admin privileges to use the aggregationRule"));
}

#[test]
fn a_decision_takes_microseconds_whatever_the_number_of_bindings() {
    let mut index = bootstrapped();
    for n in 0..10_000 {
        let subject = json!({"kind": "User", "name": format!("user-{n}")});
        let other = binding(
            "ClusterRoleBinding",
            "",
            &format!("b-{n}"),
            ("ClusterRole", "view"),
            subject,
        );
        index.apply("ClusterRoleBinding", &other);
    }
    let hpa = User::service_account("kube-system", "horizontal-pod-autoscaler", "u");
    let request = Attributes::resource(&hpa, "update", "apps", "deployments")
        .on_subresource("scale")
        .in_namespace("eks-work");
    // A scan of all bindings for each request would take minutes here, unoptimised as tests are.
    for _ in 0..20_000 {
        assert!(index.authorize(&request).allowed);
    }
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["*", "", "a", "b", "a/b", "*/b", "/a", "/a*", "a*"])
        .prop_map(str::to_owned)
}

fn any_rule() -> impl Strategy<Value = PolicyRule> {
    let list = || prop::collection::vec(word(), 0..3);
    (list(), list(), list(), list(), list()).prop_map(
        |(verbs, api_groups, resources, resource_names, non_resource_urls)| PolicyRule {
            verbs,
            api_groups,
            resources,
            resource_names,
            non_resource_urls,
        },
    )
}

proptest! {
    #[test]
    fn a_wider_rule_never_allows_less(
        rule in any_rule(), field in 0..4_usize, words in prop::array::uniform5(word()), is_resource: bool,
    ) {
        let user = User::new("u", &[]);
        let [verb, group, resource, subresource, name] = &words;
        let request = Attributes {
            is_resource, path: name,
            ..Attributes::resource(&user, verb, group, resource).on_subresource(subresource).named(name)
        };
        let mut wider = rule.clone();
        let list = match field {
            0 => &mut wider.verbs,
            1 => &mut wider.api_groups,
            2 => &mut wider.resources,
            _ => &mut wider.non_resource_urls,
        };
        list.push("*".to_owned());
        prop_assert!(!rule.allows(&request) || wider.allows(&request));
        prop_assert!(wider.covers(&rule));
        prop_assert!(rule.covers(&rule));
    }

    #[test]
    fn what_covers_a_rule_allows_what_it_allows(
        one in any_rule(), other in any_rule(), words in prop::array::uniform4("[ab]"),
    ) {
        // Requests name things; only rules have wildcards.
        let user = User::new("u", &[]);
        let [verb, group, resource, name] = &words;
        let request = Attributes::resource(&user, verb, group, resource).named(name);
        if one.covers(&other) && other.allows(&request) {
            prop_assert!(one.allows(&request));
        }
    }

    #[test]
    fn objects_of_any_shape_are_taken_in(kind in "(Cluster)?Role(Binding)?", text in "[a-z\"\\[\\]{}:,]{0,40}") {
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let mut index = RbacIndex::default();
        for object in [&value, &json!({"metadata": value, "rules": [value], "subjects": value, "roleRef": value})] {
            index.apply(&kind, object);
        }
        index.delete(&kind, "", "");
    }
}
