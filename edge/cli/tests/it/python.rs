//! The python client: create, patch, watch, delete.

use crate::lab::Lab;
use crate::tools;
use std::process::Command;

#[test]
fn the_python_client_creates_patches_watches_and_deletes() {
    let Some(python) = tools::python() else {
        return;
    };
    let lab = Lab::start(&[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/client.py");
    let output = Command::new("timeout")
        .arg("60")
        .arg(python)
        .arg(script)
        .env("KUBECONFIG", lab.kubeconfig())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert_eq!(
        text,
        "created\npatched 3\nscaled 4\nADDED\nMODIFIED\nDELETED\nnot found 404\n"
    );
}
