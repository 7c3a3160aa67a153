//! What we ship, as a real API server sees it: accepted, and without a warning.

use crate::lab::Kubectl;
use std::path::Path;

/// Applies without writing: the API server defaults, validates and admits.
pub(super) fn are_accepted_without_a_warning(kubectl: &Kubectl) {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let files = [
        ("evenkeel.yaml", 20),
        ("hpa-controller/components.yaml", 10),
        ("hpa-controller/own-kind.yaml", 10),
        ("metrics-server/components.yaml", 9),
        ("metrics-server/high-availability.yaml", 10),
    ];
    for (file, objects) in files {
        let path = deploy.join(file).display().to_string();
        let output = kubectl.output(&["apply", "--dry-run=server", "-f", &path]);
        let (said, errors) = (output.stdout, String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{file}: {errors}");
        assert_eq!(errors, "", "{file}");
        let said = String::from_utf8(said).unwrap();
        assert_eq!(said.lines().count(), objects, "{file}: {said}");
    }
}
