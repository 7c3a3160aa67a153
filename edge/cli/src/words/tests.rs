//! Who is called, and how.

use super::*;

fn read(line: &str) -> String {
    let words = given(line.split(' ').map(OsString::from));
    let texts: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    texts.join(" ")
}

#[test]
fn a_program_called_metrics_server_is_one() {
    assert_eq!(
        read("/metrics-server --metric-resolution 15s stray"),
        "/metrics-server metrics-server --metric-resolution=15s"
    );
    assert_eq!(
        read("/bin/evenkeel metrics-server --kubelet-insecure-tls=T"),
        "/bin/evenkeel metrics-server --kubelet-insecure-tls=true"
    );
}

#[test]
fn commands_of_our_own_are_left_alone() {
    let line = "evenkeel explain -f - --what-if a=1 --what-if b=2";
    assert_eq!(read(line), line);
}
