//! Starting one container: from its spec to a running instance.

use super::prepare::{Prepared, Wanted, hostname, references};
use crate::cgroup::Limits;
use crate::environment::{Sources, environment, expand, service_variables};
use crate::host::Host;
use crate::images::{self, Image};
use crate::instance::Instance;
use crate::logs::Log;
use crate::pod_init::spec::{Isolation, Mount, NewView, View};
use crate::process::Program;
use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use units::Quantity;

/// Where programs expect their service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Where a pod has this binary.
const EVENKEEL: &str = "/.evenkeel/evenkeel";
/// Upstream: the default of container runtimes.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Why a container did not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Its image is not in the table.
    Image(String),
    /// Its environment or volumes refer to what is not there.
    Config(String),
    /// The program does not start.
    Run(String),
}

/// What is to be started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order<'a> {
    /// The pod, with its addresses.
    pub pod: &'a Pod,
    /// What was made for it.
    pub prepared: &'a Prepared,
    /// The container.
    pub container: &'a Container,
    /// How often it was started before.
    pub restarts: i32,
}

/// Starts a container.
pub(super) async fn start(host: &Host, order: Order<'_>) -> Result<Arc<Instance>, Failure> {
    let container = order.container;
    let name = container.image.as_deref().unwrap_or_default();
    let image = host
        .config
        .images
        .find(name)
        .ok_or_else(|| Failure::Image(images::not_found(name)))?;
    let wanted = environment_references(container);
    let references = references(host, order.pod, &wanted)
        .await
        .map_err(Failure::Config)?;
    let base = base_variables(host, order, &image).await;
    let sources = Sources {
        pod: order.pod,
        references: &references,
        base: &base,
    };
    let variables = environment(container, sources).map_err(Failure::Config)?;
    let instance_name = instance_name(order);
    let cgroup = host
        .cgroups
        .create(&instance_name, &limits(container.resources.as_ref()))
        .map_err(|e| Failure::Run(format!("cannot make control groups: {e}")))?;
    let mut program = program(host, order, &image, variables).map_err(Failure::Run)?;
    program.cgroups = cgroup.entries();
    let log_path = log_path(host, order.pod, &container.name, order.restarts);
    let log = Log::create(&log_path)
        .map_err(|e| Failure::Run(format!("cannot write {}: {e}", log_path.display())))?;
    match host.launcher.launch(program.clone()).await {
        Ok(started) => {
            let id = format!("evenkeel://{}", uuid(&instance_name));
            let how = (program, host.launcher.clone());
            Ok(Instance::new(
                id,
                runtime::clock::now(),
                started,
                how,
                (log, cgroup),
            ))
        }
        Err(why) => {
            cgroup.remove();
            log.finish();
            Err(Failure::Run(format!(
                "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: {why}"
            )))
        }
    }
}

/// A container's log file. Upstream: BuildContainerLogsDirectory.
pub(super) fn log_path(host: &Host, pod: &Pod, container: &str, restarts: i32) -> PathBuf {
    let directory = host.pod_directory(pod.metadata.uid.as_deref().unwrap_or_default());
    directory
        .join("logs")
        .join(container)
        .join(format!("{restarts}.log"))
}

fn instance_name(order: Order<'_>) -> String {
    let uid = order.pod.metadata.uid.as_deref().unwrap_or_default();
    format!("{uid}-{}-{}", order.container.name, order.restarts)
}

/// Container ids are 64 hexadecimal digits; tools cut them at twelve.
fn uuid(name: &str) -> String {
    use std::hash::{BuildHasher, Hasher};
    let seed = std::hash::RandomState::new();
    (0..4_u8)
        .map(|part| {
            let mut hasher = seed.build_hasher();
            hasher.write(name.as_bytes());
            hasher.write_u8(part);
            format!("{:016x}", hasher.finish())
        })
        .collect()
}

fn environment_references(container: &Container) -> Wanted {
    let mut wanted = Wanted::default();
    for from in container.env_from.iter().flatten() {
        wanted
            .config_maps
            .extend(from.config_map_ref.iter().map(|r| r.name.clone()));
        wanted
            .secrets
            .extend(from.secret_ref.iter().map(|r| r.name.clone()));
    }
    for from in container
        .env
        .iter()
        .flatten()
        .filter_map(|e| e.value_from.as_ref())
    {
        wanted
            .config_maps
            .extend(from.config_map_key_ref.iter().map(|r| r.name.clone()));
        wanted
            .secrets
            .extend(from.secret_key_ref.iter().map(|r| r.name.clone()));
    }
    wanted
}

async fn base_variables(host: &Host, order: Order<'_>, image: &Image) -> BTreeMap<String, String> {
    let pod = order.pod;
    let spec = pod.spec.as_ref();
    let services = host.cluster.borrow().clone().unwrap_or_default();
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let links = spec.and_then(|s| s.enable_service_links) != Some(false);
    let mut variables = BTreeMap::from([
        ("PATH".to_owned(), PATH.to_owned()),
        ("HOME".to_owned(), home(host).to_owned()),
        ("HOSTNAME".to_owned(), hostname(pod)),
        (
            "EVENKEEL_POD_IP".to_owned(),
            order.prepared.address.to_string(),
        ),
    ]);
    variables.extend(host.config.extra_env.clone());
    variables.extend(service_variables(
        &services,
        namespace,
        links,
        host.api_address().await,
    ));
    if let Some(files) = service_account(order) {
        let place = match host.sandbox.isolation {
            Isolation::Overlay => SERVICE_ACCOUNT.to_owned(),
            Isolation::Mounts | Isolation::None => files.display().to_string(),
        };
        variables.insert("EVENKEEL_SERVICE_ACCOUNT_DIR".to_owned(), place);
    }
    if order.container.tty == Some(true) {
        variables.insert("TERM".to_owned(), "xterm".to_owned());
    }
    if image.shell {
        // Busybox' own prompt; ours is read by other shells.
        let readline = host.config.data_dir.join("inputrc");
        variables.insert("PS1".to_owned(), "$PWD # ".to_owned());
        variables.insert("INPUTRC".to_owned(), readline.display().to_string());
    }
    variables.extend(image.env.clone());
    variables
}

fn program(
    host: &Host,
    order: Order<'_>,
    image: &Image,
    variables: BTreeMap<String, String>,
) -> Result<Program, String> {
    let container = order.container;
    let words = command(container, image, &variables);
    let (first, args) = words.split_first().ok_or("no command specified")?;
    let terminal = container.tty == Some(true);
    let interactive = terminal && args.is_empty();
    let (program, name, mut flags) = match first.as_str() {
        // The second is where the image of deploy/ has it.
        "evenkeel" | "/bin/evenkeel" => (own_binary(host), Some("evenkeel".to_owned()), vec![]),
        "sh" if image.shell => shell(interactive),
        other => (other.to_owned(), None, vec![]),
    };
    let suspend = flags.is_empty();
    flags.extend_from_slice(args);
    let pod_security = order
        .pod
        .spec
        .as_ref()
        .and_then(|s| s.security_context.as_ref());
    let security = container.security_context.as_ref();
    let id = |own: Option<i64>, pod: Option<i64>| own.or(pod).and_then(|id| u32::try_from(id).ok());
    let user = id(
        security.and_then(|s| s.run_as_user),
        pod_security.and_then(|s| s.run_as_user),
    );
    let group = id(
        security.and_then(|s| s.run_as_group),
        pod_security.and_then(|s| s.run_as_group),
    );
    Ok(Program {
        program,
        name,
        args: flags,
        env: variables.into_iter().collect(),
        workdir: Some(
            container
                .working_dir
                .clone()
                .unwrap_or_else(|| image.workdir.clone()),
        ),
        user,
        // With a user and no group, container runtimes take group 0.
        group: group.or(user.map(|_| 0)),
        terminal,
        suspend,
        stdin: container.stdin == Some(true),
        cgroups: Vec::new(),
        view: view(host, order)?,
    })
}

/// In a user namespace the host's `/root` is somebody else's.
fn home(host: &Host) -> &'static str {
    if host.sandbox.user_namespace {
        "/tmp"
    } else {
        "/root"
    }
}

fn own_binary(host: &Host) -> String {
    match host.sandbox.isolation {
        Isolation::Overlay => EVENKEEL.to_owned(),
        Isolation::Mounts | Isolation::None => host.launcher.executable().display().to_string(),
    }
}

/// A container's command replaces the image's whole; its arguments replace the image's arguments.
fn command(
    container: &Container,
    image: &Image,
    variables: &BTreeMap<String, String>,
) -> Vec<String> {
    let given = |words: &Option<Vec<String>>| words.clone().filter(|w| !w.is_empty());
    let expanded = |words: Vec<String>| words.iter().map(|w| expand(w, variables)).collect();
    let (command, args) = match (given(&container.command), given(&container.args)) {
        (Some(command), args) => (expanded(command), expanded(args.unwrap_or_default())),
        (None, Some(args)) => (image.command.clone(), expanded(args)),
        (None, None) => (image.command.clone(), image.args.clone()),
    };
    command.into_iter().chain(args).collect::<Vec<String>>()
}

/// Busybox where the machine has it, else a shell as plain.
///
/// Interactive ones get no job control (`+m`): Ctrl-C then reaches the shell too, and a loop of short
/// commands ends at the first one, however the moment falls.
fn shell(interactive: bool) -> (String, Option<String>, Vec<String>) {
    let args = if interactive {
        vec!["+m".to_owned()]
    } else {
        Vec::new()
    };
    match images::which(&["busybox", "dash", "bash", "sh"]) {
        Some(path) => (path.display().to_string(), Some("sh".to_owned()), args),
        None => ("sh".to_owned(), None, args),
    }
}

fn view(host: &Host, order: Order<'_>) -> Result<View, String> {
    if host.sandbox.isolation == Isolation::None {
        return Ok(View::Host);
    }
    let uid = order.pod.metadata.uid.as_deref().unwrap_or_default();
    let scratch = host
        .pod_directory(uid)
        .join("roots")
        .join(&order.container.name);
    std::fs::create_dir_all(&scratch).map_err(|e| format!("cannot make a root: {e}"))?;
    let security = order.container.security_context.as_ref();
    Ok(View::New(NewView {
        isolation: host.sandbox.isolation,
        user_namespace: host.sandbox.user_namespace,
        scratch,
        hostname: hostname(order.pod),
        mounts: mounts(host, order)?,
        read_only: security.and_then(|s| s.read_only_root_filesystem) == Some(true),
    }))
}

fn mounts(host: &Host, order: Order<'_>) -> Result<Vec<Mount>, String> {
    let mut mounts = vec![
        Mount {
            source: order.prepared.hosts.clone(),
            target: PathBuf::from("/etc/hosts"),
            read_only: false,
        },
        Mount {
            source: host.launcher.executable().to_owned(),
            target: PathBuf::from(EVENKEEL),
            read_only: true,
        },
    ];
    for mount in order.container.volume_mounts.iter().flatten() {
        let source = order
            .prepared
            .volumes
            .get(&mount.name)
            .ok_or_else(|| format!("volume {:?} not found", mount.name))?;
        let sub = mount.sub_path.as_deref().unwrap_or_default();
        let source = source.join(inside(sub)?);
        if !sub.is_empty() && !source.exists() {
            std::fs::create_dir_all(&source).map_err(|e| format!("cannot make {sub:?}: {e}"))?;
        }
        let target = Path::new("/").join(&mount.mount_path);
        mounts.push(Mount {
            source,
            target,
            read_only: mount.read_only == Some(true),
        });
    }
    Ok(mounts)
}

/// The container's service account files, which admission has given it as a volume.
fn service_account(order: Order<'_>) -> Option<&PathBuf> {
    let mut mounts = order.container.volume_mounts.iter().flatten();
    let mount = mounts.find(|mount| mount.mount_path == SERVICE_ACCOUNT)?;
    order.prepared.volumes.get(&mount.name)
}

/// A sub-path may not leave its volume.
fn inside(sub: &str) -> Result<&Path, String> {
    let path = Path::new(sub);
    let normal = path
        .components()
        .all(|c| matches!(c, std::path::Component::Normal(_)));
    if normal {
        Ok(path)
    } else {
        Err(format!("subPath {sub:?} leaves its volume"))
    }
}

/// What the container may use.
pub(super) fn limits(resources: Option<&ResourceRequirements>) -> Limits {
    let find = |list: &str, name: &str| -> Option<Quantity> {
        let resources = resources?;
        let map = if list == "limits" {
            &resources.limits
        } else {
            &resources.requests
        };
        map.as_ref()?.get(name)?.0.parse().ok()
    };
    let positive = |value: i64| u64::try_from(value).ok().filter(|v| *v > 0);
    Limits {
        cpu_request_milli: find("requests", "cpu")
            .and_then(|q| positive(q.milli_value()))
            .unwrap_or(0),
        cpu_limit_milli: find("limits", "cpu").and_then(|q| positive(q.milli_value())),
        memory_limit_bytes: find("limits", "memory").and_then(|q| positive(q.value())),
    }
}
