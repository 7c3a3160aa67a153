//! Probes and lifecycle hooks. Upstream: validateProbe, validateHandler.

use super::check::Check;
use crate::json::{at, has, int, items, text};
use serde_json::Value;

pub(super) fn of_container(check: &mut Check, container: &Value, path: &str) {
    for hook in ["postStart", "preStop"] {
        let handler = at(at(container, "lifecycle"), hook);
        if !handler.is_null() {
            self::handler(check, handler, &format!("{path}.lifecycle.{hook}"));
        }
    }
    for kind in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let probe = at(container, kind);
        if probe.is_null() {
            continue;
        }
        let path = format!("{path}.{kind}");
        self::probe(check, probe, &path);
        if kind == "readinessProbe" {
            if has(probe, "terminationGracePeriodSeconds") {
                check.invalid(
                    format!("{path}.terminationGracePeriodSeconds"),
                    at(probe, "terminationGracePeriodSeconds"),
                    "must not be set for readinessProbes",
                );
            }
        } else if int(probe, "successThreshold").is_some_and(|threshold| threshold != 1) {
            let field = format!("{path}.successThreshold");
            check.invalid(field, at(probe, "successThreshold"), "must be 1");
        }
    }
}

fn probe(check: &mut Check, probe: &Value, path: &str) {
    handler(check, probe, path);
    for key in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        check.not_negative(probe, key, path);
    }
    if int(probe, "terminationGracePeriodSeconds").is_some_and(|grace| grace <= 0) {
        check.invalid(
            format!("{path}.terminationGracePeriodSeconds"),
            at(probe, "terminationGracePeriodSeconds"),
            "must be greater than 0",
        );
    }
}

fn handler(check: &mut Check, handler: &Value, path: &str) {
    let mut found = false;
    for kind in ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] {
        let action = at(handler, kind);
        if action.is_null() {
            continue;
        }
        let field = format!("{path}.{kind}");
        if found {
            check.forbidden(field, "may not specify more than 1 handler type");
            continue;
        }
        found = true;
        match kind {
            "exec" if items(action, "command").is_empty() => {
                check.required(format!("{field}.command"), "");
            }
            "httpGet" => http(check, action, &field),
            "tcpSocket" | "grpc" => check.port(&format!("{field}.port"), at(action, "port")),
            _ => {}
        }
    }
    if !found {
        check.required(path, "must specify a handler type");
    }
}

fn http(check: &mut Check, action: &Value, path: &str) {
    if text(action, "path").is_empty() {
        check.required(format!("{path}.path"), "");
    }
    check.port(&format!("{path}.port"), at(action, "port"));
    check.one_of(
        format!("{path}.scheme"),
        text(action, "scheme"),
        &["HTTP", "HTTPS"],
    );
    for name in items(action, "httpHeaders")
        .iter()
        .map(|header| text(header, "name"))
    {
        let good = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !good {
            let words = k8s::names::pattern(
                "a valid HTTP header must consist of alphanumeric characters or '-'",
                "[-A-Za-z0-9]+",
                &["X-Header-Name"],
            );
            check.invalid_text(format!("{path}.httpHeaders"), name, words);
        }
    }
}
