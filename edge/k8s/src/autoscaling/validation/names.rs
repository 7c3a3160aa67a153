//! What names may be made of.
//!
//! Upstream: apimachinery/pkg/api/validate/content; pkg/apis/core/helper/helpers.go for resource names.

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
pub(crate) const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const KEY: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/// Upstream: IsPathSegmentName.
pub(super) fn path_segment(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"]
        .iter()
        .filter(|illegal| name.contains(**illegal))
        .map(|illegal| format!("may not contain '{illegal}'"))
        .collect()
}

/// Upstream: IsDNS1123Label.
pub(super) fn dns_label(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if name.len() > 63 {
        problems.push(too_long(63));
    }
    if !is_dns_label(name) {
        let only_dots = is_dns_subdomain(name);
        problems.push(if only_dots {
            "must not contain dots".to_owned()
        } else {
            LABEL.to_owned()
        });
    }
    problems
}

/// Upstream: validateContainerResourceName.
pub(super) fn container_resource(name: &str) -> Vec<String> {
    let mut problems = resource(name);
    if !name.contains('/') {
        if !["cpu", "memory", "ephemeral-storage"].contains(&name)
            && !name.starts_with("hugepages-")
        {
            problems.push("must be a standard resource for containers".to_owned());
        }
    } else if !is_native(name) && !is_extended(name) {
        problems.push("doesn't follow extended resource name standard".to_owned());
    }
    problems
}

/// Upstream: validateResourceName.
fn resource(name: &str) -> Vec<String> {
    let problems = qualified(name);
    if problems.is_empty() && !name.contains('/') && !is_standard(name) {
        return vec!["must be a standard resource type or fully qualified".to_owned()];
    }
    problems
}

/// Upstream: IsStandardResourceName.
fn is_standard(name: &str) -> bool {
    let compute = name
        .strip_prefix("requests.")
        .or_else(|| name.strip_prefix("limits."))
        .unwrap_or(name);
    ["cpu", "memory", "ephemeral-storage"].contains(&compute)
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
        || [
            "pods",
            "resourcequotas",
            "services",
            "replicationcontrollers",
            "secrets",
            "configmaps",
            "persistentvolumeclaims",
            "storage",
            "requests.storage",
            "services.nodeports",
            "services.loadbalancers",
        ]
        .contains(&name)
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && qualified(&format!("requests.{name}")).is_empty()
}

/// Upstream: IsQualifiedName.
fn qualified(value: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let name = match value.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                problems.push("prefix part must be non-empty".to_owned());
            } else {
                problems.extend(
                    dns_subdomain(prefix)
                        .into_iter()
                        .map(|p| format!("prefix part {p}")),
                );
            }
            *name
        }
        _ => {
            return vec![format!(
                "a valid label key {KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        problems.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        problems.push(format!("name part {}", too_long(63)));
    }
    if !is_key(name) {
        problems.push(format!("name part {KEY}"));
    }
    problems
}

fn dns_subdomain(name: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if name.len() > 253 {
        problems.push(too_long(253));
    }
    if !is_dns_subdomain(name) {
        problems.push(SUBDOMAIN.to_owned());
    }
    problems
}

fn too_long(max: usize) -> String {
    format!("must be no more than {max} characters")
}

fn is_dns_label(name: &str) -> bool {
    bounded_by(name, |b| b.is_ascii_lowercase() || b.is_ascii_digit(), b"-")
}

fn is_dns_subdomain(name: &str) -> bool {
    name.split('.').all(is_dns_label)
}

fn is_key(name: &str) -> bool {
    bounded_by(name, |b| b.is_ascii_alphanumeric(), b"-_.")
}

/// Starts and ends with a `plain` byte, and has only those and `inner` bytes between.
fn bounded_by(name: &str, plain: impl Fn(u8) -> bool, inner: &[u8]) -> bool {
    let bytes = name.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    plain(*first) && plain(*last) && bytes.iter().all(|b| plain(*b) || inner.contains(b))
}
