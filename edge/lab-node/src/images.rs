//! Images are programs of this machine: the table that says which.

use anyhow::Context;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[cfg(test)]
mod tests;

/// Programs that come with Evenkeel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Builtin {
    /// `evenkeel metrics-server`
    MetricsServer,
    /// `evenkeel sample-app`
    SampleApp,
    /// `evenkeel sample-job`
    SampleJob,
    /// The host's shell and tools.
    Shell,
    /// Does nothing, for ever.
    Pause,
}

/// One entry of the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// An image's name, where `*` stands for any text: `*/backend-app:*`.
    pub image: String,
    /// A program of Evenkeel's; or give `command`.
    #[serde(default)]
    pub builtin: Option<Builtin>,
    /// The image's entry point; `evenkeel` means this binary.
    #[serde(default)]
    pub command: Vec<String>,
    /// The image's arguments, which a container's `args` replace.
    #[serde(default)]
    pub args: Vec<String>,
    /// The image's environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The image's working directory.
    #[serde(default)]
    pub workdir: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    images: Vec<Mapping>,
}

/// All images that the lab knows: the user's first, then ours.
#[derive(Debug, Clone)]
pub struct ImageTable {
    mappings: Vec<Mapping>,
}

/// What an image runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The entry point.
    pub command: Vec<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// Its working directory.
    pub workdir: String,
    /// Whether `sh` means the friendliest shell there is.
    pub shell: bool,
}

impl Default for ImageTable {
    fn default() -> Self {
        let map = |image: &str, builtin| Mapping {
            image: image.to_owned(),
            builtin: Some(builtin),
            command: Vec::new(),
            args: Vec::new(),
            env: BTreeMap::new(),
            workdir: None,
        };
        let mut mappings = Vec::new();
        for (name, builtin) in [
            ("metrics-server/metrics-server", Builtin::MetricsServer),
            ("evenkeel/evenkeel", Builtin::MetricsServer),
            ("backend-app", Builtin::SampleApp),
            ("batch-app", Builtin::SampleJob),
            ("busybox", Builtin::Shell),
            ("alpine", Builtin::Shell),
            ("pause", Builtin::Pause),
        ] {
            for form in [format!("{name}:*"), format!("*/{name}:*")] {
                mappings.push(map(&form, builtin));
            }
        }
        Self { mappings }
    }
}

impl ImageTable {
    /// The table with a user's `images.yaml` before it.
    pub fn with_file(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        Self::with_text(&text).with_context(|| format!("in {}", file.display()))
    }

    /// The table with the text of an `images.yaml` before it.
    pub fn with_text(text: &str) -> anyhow::Result<Self> {
        let file: File = serde_saphyr::from_str(text)?;
        for (index, mapping) in file.images.iter().enumerate() {
            anyhow::ensure!(
                mapping.builtin.is_some() == mapping.command.is_empty(),
                "images[{index}] ({:?}): give either builtin or command",
                mapping.image
            );
        }
        let mut mappings = file.images;
        mappings.extend(Self::default().mappings);
        Ok(Self { mappings })
    }

    /// What `image` runs, if the table knows.
    pub fn find(&self, image: &str) -> Option<Image> {
        let name = with_tag(image);
        self.mappings
            .iter()
            .find(|m| matches(&m.image, &name))
            .map(Mapping::image)
    }
}

impl Mapping {
    fn image(&self) -> Image {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let (command, args) = match self.builtin {
            None => (self.command.clone(), self.args.clone()),
            Some(Builtin::MetricsServer) => (words(&["evenkeel", "metrics-server"]), vec![]),
            Some(Builtin::SampleApp) => (words(&["evenkeel", "sample-app"]), vec![]),
            Some(Builtin::SampleJob) => (words(&["evenkeel", "sample-job"]), vec![]),
            Some(Builtin::Shell) => (vec![], words(&["sh"])),
            Some(Builtin::Pause) => (words(&["sleep"]), words(&["infinity"])),
        };
        let args = if self.args.is_empty() {
            args
        } else {
            self.args.clone()
        };
        Image {
            command,
            args,
            env: self.env.clone(),
            workdir: self.workdir.clone().unwrap_or_else(|| "/".to_owned()),
            shell: self.builtin == Some(Builtin::Shell),
        }
    }
}

/// Why an image cannot be had, and what to do.
pub fn not_found(image: &str) -> String {
    format!(
        "the lab runs programs of this machine, and no entry of its image table matches {image:?}: \
         add one to images.yaml and give the file to the lab with --images, for example \
         {{images: [{{image: {:?}, command: [/path/to/program]}}]}}",
        with_tag(image)
    )
}

/// `busybox` is `busybox:latest`; a digest stands for a tag.
fn with_tag(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    if let Some((before, digest)) = image.split_once('@') {
        let tagged = before.rsplit('/').next().unwrap_or(before).contains(':');
        return if tagged {
            before.to_owned()
        } else {
            format!("{before}:{digest}")
        };
    }
    if name.contains(':') {
        image.to_owned()
    } else {
        format!("{image}:latest")
    }
}

/// Whether `pattern`, where `*` stands for any text, matches all of `text`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    let mut rest = rest;
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// The first of these programs that this machine has, by the usual places.
pub fn which(names: &[&str]) -> Option<PathBuf> {
    let places = ["/bin", "/usr/bin", "/usr/local/bin", "/sbin", "/usr/sbin"];
    names
        .iter()
        .flat_map(|name| places.iter().map(move |place| Path::new(place).join(name)))
        .find(|path| path.is_file())
}
