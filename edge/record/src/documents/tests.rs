//! Which documents an input holds, and where its mistakes are.

use super::{Documents, INPUT_BYTES_MAX, Part, cut};
use crate::Error;

fn read(text: &str) -> Result<Documents, Error> {
    let mut documents = Documents::default();
    documents.read("f", text.as_bytes())?;
    Ok(documents)
}

#[track_caller]
fn problem(text: &str) -> String {
    let error = read(text).unwrap_err().to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    error
}

fn names(text: &str) -> Vec<String> {
    let documents = read(text).unwrap();
    let all = documents.list.iter();
    all.map(|d| format!("{} {}", d.kind(), d.name())).collect()
}

const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: a}}";

#[test]
fn a_stream_is_cut_at_its_marks_and_lines_are_counted() {
    let part = |text, line| Part { text, line };
    assert_eq!(
        cut("a: 1\n---\nb: 2\n"),
        [part("a: 1\n", 1), part("---\nb: 2\n", 2)]
    );
    assert_eq!(
        cut("%YAML 1.2\n---\na: 1\n...\n# end\n--- {b: 2}\n"),
        [part("---\na: 1\n", 2), part("--- {b: 2}\n", 6)]
    );
    assert_eq!(cut("a: x---y\n ---\n"), [part("a: x---y\n ---\n", 1)]);
    assert_eq!(cut("--- \r\n\r\n---\n# nothing\n"), []);
}

#[test]
fn yaml_json_and_lists_give_the_same_objects() {
    let expected = ["Pod a", "Pod b"];
    for text in [
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: b\n",
        r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}} {"apiVersion":"v1","kind":"Pod","metadata":{"name":"b"}}"#,
        "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\n",
        // As `kubectl get --raw` prints it: the items do not say what they are.
        r#"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]}"#,
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: b}}\n",
    ] {
        assert_eq!(names(text), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_document_and_line() {
    let after_a_pod = |text: &str| format!("{POD}\n---\n{text}");
    for (text, expected) in [
        (
            String::new(),
            "f: holds no objects: at least a HorizontalPodAutoscaler is needed",
        ),
        (
            "---\n# only words\n".to_owned(),
            "f: holds no objects: at least a HorizontalPodAutoscaler is needed",
        ),
        (
            after_a_pod("- 1\n"),
            "f: document 2, line 2: not an object but a list: each document must be an object with apiVersion and kind",
        ),
        (
            after_a_pod("just text\n"),
            "f: document 2, line 2: not an object but text: each document must be an object with apiVersion and kind",
        ),
        (
            after_a_pod("kind: Pod\n"),
            "f: document 2, line 2: Pod: apiVersion: missing: it says what the object is",
        ),
        (
            after_a_pod("apiVersion: v1\nkind: 7\n"),
            "f: document 2, line 2: kind: must be text, not a number",
        ),
        (
            "{\"kind\": \"Pod\",\n \"metadata\": {".to_owned(),
            "f: document 1, line 2: no JSON: EOF while parsing an object",
        ),
        (
            "{\"kind\": \"Pod\", \"kind\": \"Pod\"}".to_owned(),
            "f: document 1, line 1: no JSON: \"kind\" is there twice",
        ),
    ] {
        assert_eq!(problem(&text), expected, "{text}");
    }
}

#[test]
fn yaml_that_breaks_off_is_placed_on_its_line() {
    let text = format!("{POD}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: b, labels: {{\n");
    let error = problem(&text);
    assert!(
        error.starts_with("f: document 2, line 6: no YAML: ")
            || error.starts_with("f: document 2, line 5: no YAML: "),
        "{error}"
    );
    let error = problem("apiVersion: v1\nkind: Pod\nkind: Pod\n");
    assert!(
        error.starts_with("f: document 1, line 3: no YAML: "),
        "{error}"
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let mut documents = Documents::default();
    let error = documents.read("f", b"a: 1\n\xff\xfe\x00").unwrap_err();
    assert_eq!(
        error.to_string(),
        "f: line 2: byte 5 is not UTF-8 text: YAML or JSON is needed"
    );
    assert!(!problem("\u{0}\u{1}\u{1b}[31m").contains('\u{1b}'));
}

#[test]
fn what_is_too_large_deep_or_repeated_is_refused() {
    let mut documents = Documents::default();
    let error = documents.read("f", &vec![b' '; INPUT_BYTES_MAX + 1]);
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("larger than 64 MiB")
    );

    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{a: ", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        problem(&deep);
        problem(&format!("apiVersion: v1\nkind: Pod\nspec: {deep}\n"));
    }
    problem(
        &(0..2_000)
            .map(|n| format!("{}- \n", " ".repeat(n)))
            .collect::<String>(),
    );

    // Ten times ten times ten …
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let before = n - 1;
        let row = vec![format!("*a{before}"); 10].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{row}]\n"));
    }
    problem(&bomb);
    let text = "y".repeat(100_000);
    let row = vec!["*a"; 5_000].join(", ");
    problem(&format!("a: &a {text}\nb: [{row}]\n"));
}

#[test]
fn a_few_aliases_are_fine() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: &m {name: a}\ncopy: *m\n";
    assert_eq!(names(text), ["Pod a"]);
}
