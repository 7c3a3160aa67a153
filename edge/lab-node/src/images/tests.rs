//! Which program stands for an image.

use super::*;

#[test]
fn the_exercises_images_are_known() {
    let table = ImageTable::default();
    for (image, command) in [
        (
            "k8s.gcr.io/metrics-server/metrics-server:v0.4.2",
            "evenkeel metrics-server",
        ),
        (
            "registry.k8s.io/metrics-server/metrics-server:v0.8.0",
            "evenkeel metrics-server",
        ),
        ("evenkeel/evenkeel:0.1.0", "evenkeel metrics-server"),
        (
            "123.dkr.ecr.ap-northeast-2.amazonaws.com/k8sbook/backend-app:1.0.0",
            "evenkeel sample-app",
        ),
        ("backend-app", "evenkeel sample-app"),
        ("localhost:5000/x/batch-app", "evenkeel sample-job"),
        ("busybox", "sh"),
        ("busybox:1.28", "sh"),
        ("docker.io/library/busybox@sha256:0123", "sh"),
        ("alpine:3", "sh"),
        ("registry.k8s.io/pause:3.10", "sleep infinity"),
    ] {
        let found = table
            .find(image)
            .unwrap_or_else(|| panic!("{image} is unknown"));
        let words: Vec<String> = found.command.into_iter().chain(found.args).collect();
        assert_eq!(words.join(" "), command, "{image}");
    }
    for image in ["nginx", "my-backend-apple", "x/backend-app2:1", ""] {
        assert_eq!(table.find(image), None, "{image}");
    }
}

#[test]
fn a_users_table_comes_first() {
    let text = "images:\n- image: '*/backend-app:*'\n  command: [/opt/app, serve]\n  args: [-v]\n  env: {A: b}\n  workdir: /srv\n";
    let image = ImageTable::with_text(text)
        .unwrap()
        .find("r/backend-app:1")
        .unwrap();
    assert_eq!(image.command, ["/opt/app", "serve"]);
    assert_eq!(
        (image.args.as_slice(), image.workdir.as_str()),
        (["-v".to_owned()].as_slice(), "/srv")
    );
}

#[test]
fn a_wrong_table_is_refused_with_its_place() {
    for text in [
        "images:\n- image: a\n",
        "images:\n- image: a\n  builtin: shell\n  command: [x]\n",
        "pictures: []",
        "images:\n- image: a\n  builtin: nope\n",
    ] {
        assert!(ImageTable::with_text(text).is_err(), "{text}");
    }
    let error = ImageTable::with_text("images:\n- image: a\n")
        .unwrap_err()
        .to_string();
    assert_eq!(error, "images[0] (\"a\"): give either builtin or command");
}

#[test]
fn stars_match_any_text() {
    for (pattern, text, expected) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("*", "", true),
        ("a*c", "abbc", true),
        ("a*c", "ac", true),
        ("a*b*c", "a-b-c", true),
        ("a*b*c", "a-c-b", false),
        ("*:*", "x:y", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}
