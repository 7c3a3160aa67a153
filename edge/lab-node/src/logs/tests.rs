//! Logs kept, bounded and read back.

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

fn log() -> (tempfile::TempDir, Log) {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::create(&directory.path().join("app/0.log")).unwrap();
    for second in 0..5 {
        let stream = if second == 3 {
            Stream::Stderr
        } else {
            Stream::Stdout
        };
        log.write(
            at(second),
            stream,
            format!("line {second}").as_bytes(),
            true,
        );
    }
    (directory, log)
}

fn read(log: &Log, options: LogOptions) -> String {
    let mut reader = Reader::open(log.path(), options).unwrap();
    let mut all = Vec::new();
    while let Some(bytes) = reader.read() {
        if bytes.is_empty() {
            break;
        }
        all.extend(bytes);
    }
    String::from_utf8(all).unwrap()
}

#[test]
fn options_choose_lines() {
    let (_keep, log) = log();
    let read = |options| read(&log, options);
    let all = LogOptions::default;
    assert_eq!(read(all()), "line 0\nline 1\nline 2\nline 3\nline 4\n");
    assert_eq!(
        read(LogOptions {
            tail_lines: Some(2),
            ..all()
        }),
        "line 3\nline 4\n"
    );
    assert_eq!(
        read(LogOptions {
            tail_lines: Some(0),
            ..all()
        }),
        ""
    );
    assert_eq!(
        read(LogOptions {
            since: Some(at(4)),
            ..all()
        }),
        "line 4\n"
    );
    assert_eq!(
        read(LogOptions {
            limit_bytes: Some(9),
            ..all()
        }),
        "line 0\nli"
    );
    assert_eq!(
        read(LogOptions {
            stream: Some("Stderr".to_owned()),
            ..all()
        }),
        "line 3\n"
    );
    let timed = read(LogOptions {
        timestamps: true,
        tail_lines: Some(1),
        ..all()
    });
    assert_eq!(timed, "2026-01-01T00:00:04.000000000Z line 4\n");
}

#[test]
fn a_follower_gets_what_comes_later() {
    let (_keep, log) = log();
    let options = LogOptions {
        tail_lines: Some(0),
        ..LogOptions::default()
    };
    let mut reader = Reader::open(log.path(), options).unwrap();
    assert_eq!(reader.read(), Some(vec![]));
    log.write(at(9), Stream::Stdout, b"later", true);
    assert_eq!(reader.read(), Some(b"later\n".to_vec()));
}

#[test]
fn a_full_log_is_set_aside_once() {
    let (_keep, log) = log();
    let long = vec![b'x'; 1024 * 1024];
    for _ in 0..25 {
        log.write(at(9), Stream::Stdout, &long, true);
    }
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    assert!(size(log.path()) <= SIZE_MAX && size(&set_aside(log.path())) <= SIZE_MAX);
}

#[test]
fn bytes_become_lines() {
    let mut lines = Lines::default();
    let mut seen = Vec::new();
    for part in ["a", "b\nc", "\n\nd"] {
        lines.push(part.as_bytes(), |l, whole| seen.push((l.to_vec(), whole)));
    }
    lines.push(&[b'z'; LINE_MAX + 1], |l, whole| {
        seen.push((l.to_vec(), whole));
    });
    lines.finish(|l, whole| seen.push((l.to_vec(), whole)));
    let texts: Vec<(usize, bool)> = seen.iter().map(|(l, whole)| (l.len(), *whole)).collect();
    assert_eq!(
        texts,
        [
            (2, true),
            (1, true),
            (0, true),
            (LINE_MAX, false),
            (2, true)
        ]
    );
}
