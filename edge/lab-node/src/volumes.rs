//! A pod's volumes as directories of the host, filled before its containers start.
//!
//! Upstream: pkg/volume/{emptydir,configmap,secret,downwardapi,projected,hostpath}. Their content is
//! fixed when the pod starts, but for tokens, which are renewed in place.

use crate::environment::{References, field, resource};
use k8s_openapi::api::core::v1::{
    ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, Secret, Volume, VolumeProjection,
};
use std::collections::BTreeMap;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

#[cfg(test)]
mod tests;

/// A file to write: its path within the volume, its content, its mode.
type Files = BTreeMap<String, (Vec<u8>, u32)>;

/// What volumes may be filled from.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// ConfigMaps and Secrets by name.
    pub references: &'a References,
    /// The pod's tokens by audience; the empty one is the API's own.
    pub tokens: &'a BTreeMap<String, String>,
    /// What `kube-root-ca.crt` holds, where a pod asks for it and it does not exist yet.
    pub ca_pem: &'a str,
}

/// Makes one volume below `directory`; returns where it is on the host. The error is for a person.
pub fn fill(volume: &Volume, directory: &Path, from: Filling<'_>) -> Result<PathBuf, String> {
    if let Some(host) = &volume.host_path {
        return host_path(&host.path, host.type_.as_deref().unwrap_or_default());
    }
    let place = directory.join(&volume.name);
    if volume.empty_dir.is_some() {
        make_directory(&place, 0o777)?;
        return Ok(place);
    }
    let files = files(volume, from)?;
    make_directory(&place, 0o755)?;
    write_files(&place, &files)?;
    Ok(place)
}

fn files(volume: &Volume, from: Filling<'_>) -> Result<Files, String> {
    if let Some(source) = &volume.config_map {
        let mode = source.default_mode.unwrap_or(0o644);
        let optional = source.optional == Some(true);
        return config_map(&source.name, source.items.as_deref(), mode, optional, from);
    }
    if let Some(source) = &volume.secret {
        let mode = source.default_mode.unwrap_or(0o644);
        let name = source.secret_name.as_deref().unwrap_or_default();
        let optional = source.optional == Some(true);
        return secret(name, source.items.as_deref(), mode, optional, from);
    }
    if let Some(source) = &volume.downward_api {
        return downward(
            source.items.as_deref(),
            source.default_mode.unwrap_or(0o644),
            from,
        );
    }
    if let Some(source) = &volume.projected {
        let mut all = Files::new();
        for part in source.sources.iter().flatten() {
            all.extend(projection(
                part,
                source.default_mode.unwrap_or(0o644),
                from,
            )?);
        }
        return Ok(all);
    }
    let kinds = "emptyDir, configMap, secret, downwardAPI, projected and hostPath";
    Err(format!(
        "volume {:?} has a type that the lab does not have; it has {kinds}",
        volume.name
    ))
}

fn projection(part: &VolumeProjection, mode: i32, from: Filling<'_>) -> Result<Files, String> {
    if let Some(source) = &part.config_map {
        let optional = source.optional == Some(true);
        return config_map(&source.name, source.items.as_deref(), mode, optional, from);
    }
    if let Some(source) = &part.secret {
        let optional = source.optional == Some(true);
        return secret(&source.name, source.items.as_deref(), mode, optional, from);
    }
    if let Some(source) = &part.downward_api {
        return downward(source.items.as_deref(), mode, from);
    }
    if let Some(source) = &part.service_account_token {
        let audience = source.audience.as_deref().unwrap_or_default();
        let token = from
            .tokens
            .get(audience)
            .ok_or("the service account has no token yet")?;
        let content = (token.clone().into_bytes(), bits(mode));
        return Ok(Files::from([(source.path.clone(), content)]));
    }
    Err("a projected volume has a source that the lab does not have".to_owned())
}

fn bits(mode: i32) -> u32 {
    u32::try_from(mode).unwrap_or(0o644) & 0o777
}

fn config_map(
    name: &str,
    items: Option<&[KeyToPath]>,
    mode: i32,
    optional: bool,
    from: Filling<'_>,
) -> Result<Files, String> {
    let namespace = from.pod.metadata.namespace.as_deref().unwrap_or_default();
    let data = match from.references.config_maps.get(name) {
        Some(map) => config_map_data(map),
        // Every namespace gets this one from a controller, soon.
        None if name == "kube-root-ca.crt" => {
            BTreeMap::from([("ca.crt".to_owned(), from.ca_pem.as_bytes().to_vec())])
        }
        None if optional => return Ok(Files::new()),
        None => return Err(format!("configmap {name:?} not found")),
    };
    choose(&data, items, mode, optional)
        .map_err(|_| format!("configmap references non-existent config key: {namespace}/{name}"))
}

fn config_map_data(map: &ConfigMap) -> BTreeMap<String, Vec<u8>> {
    let texts = map
        .data
        .iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.clone().into_bytes()));
    let binary = map
        .binary_data
        .iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.0.clone()));
    texts.chain(binary).collect()
}

fn secret(
    name: &str,
    items: Option<&[KeyToPath]>,
    mode: i32,
    optional: bool,
    from: Filling<'_>,
) -> Result<Files, String> {
    let data = |secret: &Secret| -> BTreeMap<String, Vec<u8>> {
        secret
            .data
            .iter()
            .flatten()
            .map(|(k, v)| (k.clone(), v.0.clone()))
            .collect()
    };
    match from.references.secrets.get(name) {
        Some(found) => choose(&data(found), items, mode, optional)
            .map_err(|key| format!("references non-existent secret key: {key}")),
        None if optional => Ok(Files::new()),
        None => Err(format!("secret {name:?} not found")),
    }
}

/// All keys, or the chosen ones; the error is a key that is not there.
fn choose(
    data: &BTreeMap<String, Vec<u8>>,
    items: Option<&[KeyToPath]>,
    mode: i32,
    optional: bool,
) -> Result<Files, String> {
    let Some(items) = items.filter(|i| !i.is_empty()) else {
        return Ok(data
            .iter()
            .map(|(k, v)| (k.clone(), (v.clone(), bits(mode))))
            .collect());
    };
    let mut files = Files::new();
    for item in items {
        match data.get(&item.key) {
            Some(value) => {
                let mode = bits(item.mode.unwrap_or(mode));
                files.insert(item.path.clone(), (value.clone(), mode));
            }
            None if optional => {}
            None => return Err(item.key.clone()),
        }
    }
    Ok(files)
}

fn downward(
    items: Option<&[DownwardAPIVolumeFile]>,
    mode: i32,
    from: Filling<'_>,
) -> Result<Files, String> {
    let mut files = Files::new();
    for item in items.unwrap_or_default() {
        let text = match (&item.field_ref, &item.resource_field_ref) {
            (Some(reference), _) => field(from.pod, &reference.field_path)?,
            (None, Some(reference)) => resource(from.pod, None, reference)?,
            (None, None) => String::new(),
        };
        let mode = bits(item.mode.unwrap_or(mode));
        files.insert(item.path.clone(), (text.into_bytes(), mode));
    }
    Ok(files)
}

fn host_path(path: &str, kind: &str) -> Result<PathBuf, String> {
    let place = PathBuf::from(path);
    let problem = |what: &str| format!("hostPath type check failed: {path} is not a {what}");
    match kind {
        "DirectoryOrCreate" => make_directory(&place, 0o755)?,
        "FileOrCreate" if !place.exists() => {
            std::fs::write(&place, "").map_err(|e| format!("cannot make {path}: {e}"))?;
        }
        "Directory" if !place.is_dir() => return Err(problem("directory")),
        "File" if !place.is_file() => return Err(problem("file")),
        _ => {}
    }
    if place.exists() {
        Ok(place)
    } else {
        Err(format!("hostPath {path} does not exist"))
    }
}

fn make_directory(place: &Path, mode: u32) -> Result<(), String> {
    std::fs::create_dir_all(place)
        .and_then(|()| std::fs::set_permissions(place, std::fs::Permissions::from_mode(mode)))
        .map_err(|e| format!("cannot make {}: {e}", place.display()))
}

/// Paths come from objects: they may not leave the volume.
fn write_files(place: &Path, files: &Files) -> Result<(), String> {
    for (name, (content, mode)) in files {
        let relative = Path::new(name);
        if !relative
            .components()
            .all(|c| matches!(c, Component::Normal(_)))
        {
            return Err(format!("the path {name:?} leaves its volume"));
        }
        let path = place.join(relative);
        write_file(&path, content, *mode)
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
}

/// Replaces a file at once, so that a reader never sees half of a token.
fn write_file(path: &Path, content: &[u8], mode: u32) -> std::io::Result<()> {
    use std::io::Write;
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let new = path.with_extension("evenkeel-new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(content)?;
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    std::fs::rename(&new, path)
}
