//! Roles and bindings by whom they concern, so that a request looks only at its user's own.

use super::{Attributes, Decision, GROUP, PolicyRule};
use crate::user::{MASTERS, NODES, User, service_account_name};
use k8s::quote::quoted;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

type Rules = Arc<[PolicyRule]>;

/// All roles and bindings of a cluster, ready to be asked.
///
/// The server feeds it with every change of the four kinds of rbac.authorization.k8s.io.
#[derive(Debug, Clone, Default)]
pub struct RbacIndex {
    cluster_roles: HashMap<String, Rules>,
    roles: HashMap<String, HashMap<String, Rules>>,
    cluster_bindings: Bindings,
    bindings: HashMap<String, Bindings>,
}

/// The bindings of one namespace, or the cluster-wide ones.
#[derive(Debug, Clone, Default)]
struct Bindings {
    by_name: HashMap<String, Arc<Binding>>,
    /// A user's bindings, by name, each with the words for the subject.
    of_user: HashMap<String, BTreeMap<String, Grant>>,
    /// The same for groups.
    of_group: HashMap<String, BTreeMap<String, Grant>>,
}

#[derive(Debug)]
enum Subject {
    User(String),
    Group(String),
}

#[derive(Debug)]
struct Binding {
    role: RoleRef,
    subjects: Vec<(Subject, String)>,
}

#[derive(Debug, Clone)]
struct Grant {
    binding: Arc<Binding>,
    /// How upstream names the subject: `Group "system:masters"`.
    subject: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoleRef {
    pub(super) kind: String,
    pub(super) name: String,
}

impl RoleRef {
    pub(super) fn from_json(binding: &Value) -> Self {
        let text = |field: &str| {
            binding["roleRef"][field]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        Self {
            kind: text("kind"),
            name: text("name"),
        }
    }
}

impl RbacIndex {
    /// Takes in a new or changed object; other kinds are ignored.
    pub fn apply(&mut self, kind: &str, object: &Value) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        match kind {
            "ClusterRole" => {
                self.cluster_roles
                    .insert(name.to_owned(), PolicyRule::all_from_json(object).into());
            }
            "Role" => {
                let rules = PolicyRule::all_from_json(object).into();
                self.roles
                    .entry(namespace.to_owned())
                    .or_default()
                    .insert(name.to_owned(), rules);
            }
            "ClusterRoleBinding" => self
                .cluster_bindings
                .insert(name, Binding::from_json(object, "")),
            "RoleBinding" => {
                let binding = Binding::from_json(object, namespace);
                self.bindings
                    .entry(namespace.to_owned())
                    .or_default()
                    .insert(name, binding);
            }
            _ => {}
        }
    }

    /// Forgets an object; `namespace` is empty for the cluster-wide kinds.
    pub fn delete(&mut self, kind: &str, namespace: &str, name: &str) {
        match kind {
            "ClusterRole" => {
                self.cluster_roles.remove(name);
            }
            "Role" => {
                if let Some(roles) = self.roles.get_mut(namespace) {
                    roles.remove(name);
                    if roles.is_empty() {
                        self.roles.remove(namespace);
                    }
                }
            }
            "ClusterRoleBinding" => self.cluster_bindings.remove(name),
            "RoleBinding" => {
                if let Some(bindings) = self.bindings.get_mut(namespace) {
                    bindings.remove(name);
                    if bindings.by_name.is_empty() {
                        self.bindings.remove(namespace);
                    }
                }
            }
            _ => {}
        }
    }

    /// May this request go on? Allowed by the first authorizer that says so: masters, nodes, RBAC.
    pub fn authorize(&self, request: &Attributes<'_>) -> Decision {
        if request.user.in_group(MASTERS) {
            return Decision {
                allowed: true,
                reason: String::new(),
            };
        }
        if self.node_may(request) {
            let reason = "node: allowed by ClusterRole \"system:node\"".to_owned();
            return Decision {
                allowed: true,
                reason,
            };
        }
        let mut problems = Vec::new();
        let mut reason = None;
        self.visit(
            request.user,
            request.namespace,
            &mut |source, rules| match rules {
                Ok(rules) if rules.iter().any(|rule| rule.allows(request)) => {
                    reason = Some(format!("RBAC: allowed by {}", source.describe()));
                    false
                }
                Ok(_) => true,
                Err(problem) => {
                    if !problems.contains(&problem) {
                        problems.push(problem);
                    }
                    true
                }
            },
        );
        match reason {
            Some(reason) => Decision {
                allowed: true,
                reason,
            },
            None => Decision {
                allowed: false,
                reason: joined(&problems),
            },
        }
    }

    /// The rules that apply to a user in a namespace, and what could not be resolved.
    pub fn rules_for(&self, user: &User, namespace: &str) -> (Vec<PolicyRule>, Vec<String>) {
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        self.visit(user, namespace, &mut |_, rules| {
            match rules {
                Ok(rules) => all.extend(rules.iter().cloned()),
                Err(problem) => problems.push(problem),
            }
            true
        });
        if is_node(user) {
            let rules = self.cluster_roles.get("system:node");
            all.extend(rules.into_iter().flat_map(|rules| rules.iter().cloned()));
        }
        (all, problems)
    }

    /// Differs from upstream: the node authorizer there walks a graph from the node to what its pods use. Here a
    /// node may do what the ClusterRole `system:node` says, for objects of any node.
    fn node_may(&self, request: &Attributes<'_>) -> bool {
        is_node(request.user)
            && self
                .cluster_roles
                .get("system:node")
                .is_some_and(|rules| rules.iter().any(|rule| rule.allows(request)))
    }

    /// Shows `visitor` every role that the user is bound to, until it says stop (false).
    fn visit(&self, user: &User, namespace: &str, visitor: &mut Visitor<'_>) {
        let local = if namespace.is_empty() {
            None
        } else {
            self.bindings.get(namespace)
        };
        let scopes = [(Some(&self.cluster_bindings), ""), (local, namespace)];
        for (bindings, namespace) in scopes {
            let Some(bindings) = bindings else { continue };
            for grants in bindings.of(user) {
                for (name, grant) in grants {
                    let source = Source {
                        name,
                        namespace,
                        grant,
                    };
                    if !visitor(&source, self.resolve(&grant.binding.role, namespace)) {
                        return;
                    }
                }
            }
        }
    }

    /// The rules of the role that a binding in `namespace` (empty: cluster-wide) refers to.
    pub(super) fn resolve(&self, role: &RoleRef, namespace: &str) -> Result<&[PolicyRule], String> {
        let (found, resource) = match role.kind.as_str() {
            "ClusterRole" => (self.cluster_roles.get(&role.name), "clusterrole"),
            "Role" => (
                self.roles
                    .get(namespace)
                    .and_then(|roles| roles.get(&role.name)),
                "role",
            ),
            other => {
                return Err(format!(
                    "unsupported role reference kind: {}",
                    quoted(other)
                ));
            }
        };
        found
            .map(|rules| &**rules)
            .ok_or_else(|| format!("{resource}.{GROUP} {} not found", quoted(&role.name)))
    }
}

fn is_node(user: &User) -> bool {
    user.name.starts_with("system:node:") && user.in_group(NODES)
}

/// Upstream: `RBAC: ` and an aggregate of errors.
fn joined(problems: &[String]) -> String {
    match problems {
        [] => String::new(),
        [one] => format!("RBAC: {one}"),
        many => format!("RBAC: [{}]", many.join(", ")),
    }
}

/// Sees each role that a user is bound to, or why it cannot be seen; false ends the visit.
type Visitor<'v> = dyn FnMut(&Source<'_>, Result<&[PolicyRule], String>) -> bool + 'v;

/// Where a rule comes from.
struct Source<'a> {
    name: &'a str,
    namespace: &'a str,
    grant: &'a Grant,
}

impl Source<'_> {
    /// Upstream: clusterRoleBindingDescriber and roleBindingDescriber.
    fn describe(&self) -> String {
        let RoleRef { kind, name: role } = &self.grant.binding.role;
        let (binding, name) = if self.namespace.is_empty() {
            ("ClusterRoleBinding", self.name.to_owned())
        } else {
            ("RoleBinding", format!("{}/{}", self.name, self.namespace))
        };
        let subject = &self.grant.subject;
        format!(
            "{binding} {} of {kind} {} to {subject}",
            quoted(&name),
            quoted(role)
        )
    }
}

impl Binding {
    fn from_json(object: &Value, namespace: &str) -> Self {
        let subjects = object["subjects"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        Self {
            role: RoleRef::from_json(object),
            subjects: subjects
                .iter()
                .filter_map(|s| Self::subject(s, namespace))
                .collect(),
        }
    }

    /// Whom a subject means, and the words for it. Upstream: appliesToUser, describeSubject.
    fn subject(subject: &Value, namespace: &str) -> Option<(Subject, String)> {
        let name = subject["name"].as_str()?;
        let kind = subject["kind"].as_str()?;
        let (subject, words) = match kind {
            "User" => (Subject::User(name.to_owned()), name.to_owned()),
            "Group" => (Subject::Group(name.to_owned()), name.to_owned()),
            "ServiceAccount" => {
                let own = subject["namespace"].as_str().unwrap_or_default();
                let namespace = if own.is_empty() { namespace } else { own };
                if namespace.is_empty() {
                    return None;
                }
                (
                    Subject::User(service_account_name(namespace, name)),
                    format!("{name}/{namespace}"),
                )
            }
            _ => return None,
        };
        Some((subject, format!("{kind} {}", quoted(&words))))
    }
}

impl Bindings {
    /// The bindings of a user, and of each of the user's groups.
    fn of<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a BTreeMap<String, Grant>> {
        let groups = user
            .groups
            .iter()
            .filter_map(|group| self.of_group.get(group));
        self.of_user.get(&user.name).into_iter().chain(groups)
    }

    fn map_of<'m>(
        &'m mut self,
        subject: &'m Subject,
    ) -> (&'m mut HashMap<String, BTreeMap<String, Grant>>, &'m str) {
        match subject {
            Subject::User(name) => (&mut self.of_user, name),
            Subject::Group(name) => (&mut self.of_group, name),
        }
    }

    fn insert(&mut self, name: &str, binding: Binding) {
        self.remove(name);
        let binding = Arc::new(binding);
        for (subject, words) in &binding.subjects {
            let (map, key) = self.map_of(subject);
            let grants = map.entry(key.to_owned()).or_default();
            // The first of several subjects that mean the same user gives the words.
            grants.entry(name.to_owned()).or_insert_with(|| Grant {
                binding: Arc::clone(&binding),
                subject: words.clone(),
            });
        }
        self.by_name.insert(name.to_owned(), binding);
    }

    fn remove(&mut self, name: &str) {
        let Some(binding) = self.by_name.remove(name) else {
            return;
        };
        for (subject, _) in &binding.subjects {
            let (map, key) = self.map_of(subject);
            let Some(grants) = map.get_mut(key) else {
                continue;
            };
            grants.remove(name);
            if grants.is_empty() {
                map.remove(key);
            }
        }
    }
}
