//! Texts of `/proc` and what they say.

use super::*;

#[test]
fn the_kernels_texts_are_read_whatever_the_program_is_called() {
    let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 900 0 0 0 150 50 0 0 20 0 9 0 3000 1 2 3";
    let status = "Name:\ta\nVmPeak:\t   9 kB\nVmSize:\t    2048 kB\nVmRSS:\t     512 kB\n";
    let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                  Max open files            1024                 524288               files     \n\
                  Max address space         unlimited            unlimited            bytes     \n";
    let look = read(stat, status, limits, "cpu 1 2\nbtime 1000\n");
    let expected = Look {
        cpu_seconds: 2.0,
        start_seconds: 1030.0,
        virtual_bytes: 2_097_152.0,
        resident_bytes: 524_288.0,
        open_files: 0.0,
        max_files: 1024.0,
        max_virtual_bytes: UNLIMITED,
    };
    assert_eq!(look, Some(expected));
    assert_eq!(read("7 (a", status, limits, ""), None);
}

#[cfg(target_os = "linux")]
#[test]
fn this_process_has_begun_and_holds_files() {
    let look = look().unwrap();
    assert!(
        look.start_seconds > 1e9 && look.open_files >= 3.0,
        "{look:?}"
    );
    assert!(look.resident_bytes > 0.0 && look.resident_bytes < look.virtual_bytes);
}
