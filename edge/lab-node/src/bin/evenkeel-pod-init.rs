//! `pod-init` alone, for this crate's tests; users have it inside of `evenkeel`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [command, flag, spec] if command == "pod-init" && flag == "--spec" => {
            lab_node::pod_init::main(Path::new(spec))
        }
        _ => ExitCode::from(2),
    }
}
