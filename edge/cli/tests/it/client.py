"""Drives the lab with the `kubernetes` client, and prints what it saw."""

from kubernetes import client, config, watch

config.load_kube_config()
apps, core = client.AppsV1Api(), client.CoreV1Api()

labels = {"app": "web"}
deployment = client.V1Deployment(
    metadata=client.V1ObjectMeta(name="web"),
    spec=client.V1DeploymentSpec(
        replicas=0,
        selector=client.V1LabelSelector(match_labels=labels),
        template=client.V1PodTemplateSpec(
            metadata=client.V1ObjectMeta(labels=labels),
            spec=client.V1PodSpec(containers=[client.V1Container(name="web", image="busybox")]),
        ),
    ),
)
apps.create_namespaced_deployment("default", deployment)
print("created")
patched = apps.patch_namespaced_deployment("web", "default", {"spec": {"revisionHistoryLimit": 3}})
print("patched", patched.spec.revision_history_limit)
scale = apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 4}})
print("scaled", scale.spec.replicas)
apps.delete_namespaced_deployment("web", "default")

seen = core.list_namespaced_config_map("default").metadata.resource_version
core.create_namespaced_config_map(
    "default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="c"), data={"k": "v"})
)
core.patch_namespaced_config_map("c", "default", {"data": {"k": "w"}})
core.delete_namespaced_config_map("c", "default")
watcher = watch.Watch()
for event in watcher.stream(
    core.list_namespaced_config_map, "default", resource_version=seen, timeout_seconds=10,
    field_selector="metadata.name=c",
):
    print(event["type"])
    if event["type"] == "DELETED":
        watcher.stop()
try:
    core.read_namespaced_config_map("c", "default")
except client.ApiException as error:
    print("not found", error.status)
