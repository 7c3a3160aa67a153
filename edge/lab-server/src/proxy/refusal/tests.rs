//! Proves that a kubelet's plain words reach the caller as a `Status`.

use super::{check, error};
use crate::body::text;
use http::StatusCode;
use k8s::status::GroupResource;

async fn checked(code: StatusCode, words: &str) -> String {
    let pods = GroupResource {
        group: "",
        resource: "pods",
    };
    match check(text(code, words.to_owned())).await {
        Ok(answer) => answer.status().to_string(),
        Err(refusal) => {
            let error = error(pods, "web", refusal);
            format!("{} {}: {}", error.code, error.reason, error.message)
        }
    }
}

#[tokio::test]
async fn a_kubelets_words_become_the_apis() {
    for (code, words, expected) in [
        (StatusCode::OK, "a log", "200 OK"),
        (
            StatusCode::BAD_REQUEST,
            "previous terminated container \"app\" in pod \"web\" not found",
            "400 BadRequest: previous terminated container \"app\" in pod \"web\" not found",
        ),
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            "no such file",
            "500 InternalError: Internal error occurred: no such file",
        ),
        (
            StatusCode::NOT_FOUND,
            "pod does not exist",
            "404 NotFound: the server could not find the requested resource ( pods web)",
        ),
        (
            StatusCode::BAD_GATEWAY,
            "",
            "502 : the server responded with the status code 502 but did not return more information ( pods web)",
        ),
    ] {
        assert_eq!(checked(code, words).await, expected);
    }
}
