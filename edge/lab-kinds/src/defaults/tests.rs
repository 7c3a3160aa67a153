//! The defaults that a real API server gives.

use super::default;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn check(group: &str, version: &str, kind: &str, mut object: Value, expected: Expect) {
    default(group, version, kind, &mut object);
    let once = object.clone();
    default(group, version, kind, &mut object);
    assert_eq!(once, object, "a second pass changes nothing");
    expected.assert_eq(&format!("{object:#}\n"));
}

#[test]
fn a_container_gets_what_upstream_gives_it() {
    let pod = json!({"spec": {"containers": [{
        "name": "app", "image": "example/backend-app",
        "ports": [{"containerPort": 8080}],
        "env": [{"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "resources": {"limits": {"cpu": 0.25, "memory": "1024Mi"}, "requests": {"cpu": "0.1"}},
        "readinessProbe": {"httpGet": {"port": 8080, "path": "/health"}, "initialDelaySeconds": 5},
        "lifecycle": {"preStop": {"exec": {"command": ["sh"]}}},
    }]}});
    let mut full = pod;
    default("", "v1", "Pod", &mut full);
    expect![[r#"
        {
          "env": [
            {
              "name": "IP",
              "valueFrom": {
                "fieldRef": {
                  "apiVersion": "v1",
                  "fieldPath": "status.podIP"
                }
              }
            }
          ],
          "image": "example/backend-app",
          "imagePullPolicy": "Always",
          "lifecycle": {
            "preStop": {
              "exec": {
                "command": [
                  "sh"
                ]
              }
            }
          },
          "name": "app",
          "ports": [
            {
              "containerPort": 8080,
              "protocol": "TCP"
            }
          ],
          "readinessProbe": {
            "failureThreshold": 3,
            "httpGet": {
              "path": "/health",
              "port": 8080,
              "scheme": "HTTP"
            },
            "initialDelaySeconds": 5,
            "periodSeconds": 10,
            "successThreshold": 1,
            "timeoutSeconds": 1
          },
          "resources": {
            "limits": {
              "cpu": "250m",
              "memory": "1Gi"
            },
            "requests": {
              "cpu": "100m",
              "memory": "1Gi"
            }
          },
          "terminationMessagePath": "/dev/termination-log",
          "terminationMessagePolicy": "File"
        }
    "#]]
    .assert_eq(&format!("{:#}\n", full["spec"]["containers"][0]));
}

#[test]
fn a_pod_gets_what_upstream_gives_it() {
    let pod = json!({
        "metadata": {"name": "p", "labels": {}, "creationTimestamp": null},
        "spec": {
            "hostNetwork": false,
            "serviceAccount": "builder",
            "volumes": [{"name": "a"}, {"name": "b", "configMap": {"name": "c"}},
                        {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
        },
    });
    check(
        "",
        "v1",
        "Pod",
        pod,
        expect![[r#"
        {
          "metadata": {
            "name": "p"
          },
          "spec": {
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": true,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {},
            "serviceAccount": "builder",
            "serviceAccountName": "builder",
            "terminationGracePeriodSeconds": 30,
            "volumes": [
              {
                "emptyDir": {},
                "name": "a"
              },
              {
                "configMap": {
                  "defaultMode": 420,
                  "name": "c"
                },
                "name": "b"
              },
              {
                "name": "t",
                "projected": {
                  "defaultMode": 420,
                  "sources": [
                    {
                      "serviceAccountToken": {
                        "expirationSeconds": 3600,
                        "path": "token"
                      }
                    }
                  ]
                }
              }
            ]
          },
          "status": {}
        }
    "#]],
    );
}

#[test]
fn the_tag_of_an_image_decides_when_it_is_pulled() {
    for (image, policy) in [
        ("busybox", "Always"),
        ("busybox:latest", "Always"),
        ("localhost:5000/busybox", "Always"),
        ("busybox:1.36", "IfNotPresent"),
        ("localhost:5000/busybox:1", "IfNotPresent"),
        ("busybox@sha256:0", "IfNotPresent"),
        ("", "IfNotPresent"),
    ] {
        let mut pod = json!({"spec": {"containers": [{"name": "a", "image": image}]}});
        default("", "v1", "Pod", &mut pod);
        assert_eq!(
            pod["spec"]["containers"][0]["imagePullPolicy"], policy,
            "{image}"
        );
    }
}

#[test]
fn a_deployment_gets_what_upstream_gives_it() {
    let deployment = json!({"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"app": "d"}},
        "template": {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}}});
    check(
        "apps",
        "v1",
        "Deployment",
        deployment,
        expect![[r#"
        {
          "metadata": {
            "name": "d"
          },
          "spec": {
            "progressDeadlineSeconds": 600,
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "selector": {
              "matchLabels": {
                "app": "d"
              }
            },
            "strategy": {
              "rollingUpdate": {
                "maxSurge": "25%",
                "maxUnavailable": "25%"
              },
              "type": "RollingUpdate"
            },
            "template": {
              "metadata": {
                "labels": {
                  "app": "d"
                }
              },
              "spec": {
                "containers": [
                  {
                    "image": "i:1",
                    "imagePullPolicy": "IfNotPresent",
                    "name": "c",
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File"
                  }
                ],
                "dnsPolicy": "ClusterFirst",
                "restartPolicy": "Always",
                "schedulerName": "default-scheduler",
                "securityContext": {},
                "terminationGracePeriodSeconds": 30
              }
            }
          },
          "status": {}
        }
    "#]],
    );
}

#[test]
fn a_job_gets_what_upstream_gives_it() {
    let job = json!({"metadata": {"name": "j"}, "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"restartPolicy": "Never", "containers": []}}}});
    check(
        "batch",
        "v1",
        "Job",
        job,
        expect![[r#"
        {
          "metadata": {
            "labels": {
              "a": "b"
            },
            "name": "j"
          },
          "spec": {
            "backoffLimit": 6,
            "completionMode": "NonIndexed",
            "completions": 1,
            "manualSelector": false,
            "parallelism": 1,
            "podReplacementPolicy": "TerminatingOrFailed",
            "suspend": false,
            "template": {
              "metadata": {
                "labels": {
                  "a": "b"
                }
              },
              "spec": {
                "containers": [],
                "dnsPolicy": "ClusterFirst",
                "restartPolicy": "Never",
                "schedulerName": "default-scheduler",
                "securityContext": {},
                "terminationGracePeriodSeconds": 30
              }
            }
          },
          "status": {}
        }
    "#]],
    );
}

#[test]
fn a_cron_job_gets_what_upstream_gives_it() {
    let cron_job = json!({"metadata": {"name": "c"}, "spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never"}}}}}});
    check(
        "batch",
        "v1",
        "CronJob",
        cron_job,
        expect![[r#"
        {
          "metadata": {
            "name": "c"
          },
          "spec": {
            "concurrencyPolicy": "Allow",
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {
              "metadata": {},
              "spec": {
                "template": {
                  "metadata": {},
                  "spec": {
                    "dnsPolicy": "ClusterFirst",
                    "restartPolicy": "Never",
                    "schedulerName": "default-scheduler",
                    "securityContext": {},
                    "terminationGracePeriodSeconds": 30
                  }
                }
              }
            },
            "schedule": "*/5 * * * *",
            "successfulJobsHistoryLimit": 3,
            "suspend": false
          },
          "status": {}
        }
    "#]],
    );
}

#[test]
fn a_service_of_each_type_gets_what_upstream_gives_it() {
    let balanced = json!({"metadata": {"name": "s"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 8080}]}});
    check(
        "",
        "v1",
        "Service",
        balanced,
        expect![[r#"
        {
          "metadata": {
            "name": "s"
          },
          "spec": {
            "allocateLoadBalancerNodePorts": true,
            "externalTrafficPolicy": "Cluster",
            "internalTrafficPolicy": "Cluster",
            "ports": [
              {
                "port": 8080,
                "protocol": "TCP",
                "targetPort": 8080
              }
            ],
            "sessionAffinity": "None",
            "type": "LoadBalancer"
          },
          "status": {
            "loadBalancer": {}
          }
        }
    "#]],
    );
    let plain =
        json!({"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80, "targetPort": "http"}]}});
    check(
        "",
        "v1",
        "Service",
        plain,
        expect![[r#"
        {
          "metadata": {
            "name": "s"
          },
          "spec": {
            "internalTrafficPolicy": "Cluster",
            "ports": [
              {
                "port": 80,
                "protocol": "TCP",
                "targetPort": "http"
              }
            ],
            "sessionAffinity": "None",
            "type": "ClusterIP"
          },
          "status": {
            "loadBalancer": {}
          }
        }
    "#]],
    );
}

#[test]
fn text_in_a_secret_is_encoded() {
    let secret = json!({"metadata": {"name": "s"}, "data": {"a": "eA=="}, "stringData": {"a": "user", "b": "word"}});
    check(
        "",
        "v1",
        "Secret",
        secret,
        expect![[r#"
        {
          "data": {
            "a": "dXNlcg==",
            "b": "d29yZA=="
          },
          "metadata": {
            "name": "s"
          },
          "type": "Opaque"
        }
    "#]],
    );
}

#[test]
fn a_namespace_is_labelled_with_its_name() {
    check(
        "",
        "v1",
        "Namespace",
        json!({"metadata": {"name": "eks-work"}}),
        expect![[r#"
            {
              "metadata": {
                "labels": {
                  "kubernetes.io/metadata.name": "eks-work"
                },
                "name": "eks-work"
              },
              "spec": {},
              "status": {
                "phase": "Active"
              }
            }
        "#]],
    );
}

#[test]
fn a_binding_gets_its_groups() {
    let binding = json!({"metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s", "namespace": "n", "apiGroup": ""}]});
    check(
        "rbac.authorization.k8s.io",
        "v1",
        "RoleBinding",
        binding,
        expect![[r#"
            {
              "metadata": {
                "name": "b"
              },
              "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "Role",
                "name": "r"
              },
              "subjects": [
                {
                  "apiGroup": "rbac.authorization.k8s.io",
                  "kind": "User",
                  "name": "u"
                },
                {
                  "kind": "ServiceAccount",
                  "name": "s",
                  "namespace": "n"
                }
              ]
            }
        "#]],
    );
}

#[test]
fn an_apiservice_and_a_definition_get_what_upstream_gives_them() {
    let service = json!({"metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": {"service": {"name": "m", "namespace": "n"}}});
    check(
        "apiregistration.k8s.io",
        "v1",
        "APIService",
        service,
        expect![[r#"
            {
              "metadata": {
                "name": "v1beta1.metrics.k8s.io"
              },
              "spec": {
                "service": {
                  "name": "m",
                  "namespace": "n",
                  "port": 443
                }
              },
              "status": {}
            }
        "#]],
    );
    let definition = json!({"metadata": {"name": "d"}, "spec": {"names": {"kind": "CronTab", "plural": "crontabs"}}});
    check(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        definition,
        expect![[r#"
            {
              "metadata": {
                "name": "d"
              },
              "spec": {
                "conversion": {
                  "strategy": "None"
                },
                "names": {
                  "kind": "CronTab",
                  "listKind": "CronTabList",
                  "plural": "crontabs",
                  "singular": "crontab"
                }
              },
              "status": {
                "acceptedNames": {
                  "kind": "",
                  "plural": ""
                },
                "conditions": null,
                "storedVersions": null
              }
            }
        "#]],
    );
}

#[test]
fn every_other_kind_keeps_what_it_says_and_is_stable() {
    for resource in crate::resources::all() {
        let mut object = json!({"metadata": {"name": "x"}, "spec": {"said": true}});
        default(
            &resource.group,
            &resource.version,
            &resource.kind,
            &mut object,
        );
        assert_eq!(object["spec"]["said"], true, "{}", resource.kind);
        let once = object.clone();
        default(
            &resource.group,
            &resource.version,
            &resource.kind,
            &mut object,
        );
        assert_eq!(once, object, "{}", resource.kind);
    }
}

#[test]
fn a_custom_resource_stays_as_it_is() {
    let mut object = json!({"metadata": {"labels": {}}, "spec": {"nothing": null}});
    let before = object.clone();
    default("example.com", "v1", "Widget", &mut object);
    assert_eq!(object, before);
}
