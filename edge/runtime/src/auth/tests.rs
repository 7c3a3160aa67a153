//! Who is believed, and what they may do, against a small Kubernetes API in memory.

use super::*;
use crate::certs;
use http::{HeaderValue, Request, Response};
use kube::client::Body;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use rustls::pki_types::CertificateDer;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Ca {
    certificate: CertificateDer<'static>,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn ca() -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Ca {
        certificate: certificate.der().clone(),
        pem: certificate.pem(),
        issuer: Issuer::new(params, key),
    }
}

impl Ca {
    fn peer(&self, name: &str, organizations: &[&str]) -> Peer {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        for organization in organizations {
            params
                .distinguished_name
                .push(DnType::OrganizationName, *organization);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        Peer {
            address: ([127, 0, 0, 1], 1).into(),
            certificates: Arc::from([leaf.der().clone()]),
        }
    }
}

/// A Kubernetes API that accepts the token `good`, lets `ada` list, and publishes `front`'s CA.
fn api(front: &Ca, asked: Arc<AtomicUsize>) -> Client {
    let config_map = serde_json::json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"},
        "data": {
            "requestheader-client-ca-file": front.pem,
            "requestheader-allowed-names": "[\"front-proxy-client\"]",
            "requestheader-username-headers": "[\"X-Remote-User\"]",
        },
    });
    let service = tower::service_fn(move |request: Request<Body>| {
        asked.fetch_add(1, Ordering::SeqCst);
        let config_map = config_map.clone();
        async move {
            let path = request.uri().path().to_owned();
            let body = request
                .into_body()
                .collect_bytes()
                .await
                .unwrap_or_default();
            let text = String::from_utf8_lossy(&body).into_owned();
            let answer = if path.ends_with("tokenreviews") {
                let good = text.contains("\"good\"");
                serde_json::json!({
                    "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": {},
                    "spec": {}, "status": {"authenticated": good, "user": {"username": "ada"}},
                })
            } else if path.ends_with("subjectaccessreviews") {
                let allowed = text.contains("\"verb\":\"list\"");
                serde_json::json!({
                    "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                    "metadata": {}, "spec": {}, "status": {"allowed": allowed},
                })
            } else {
                config_map
            };
            Ok::<_, std::convert::Infallible>(Response::new(Body::from(
                serde_json::to_vec(&answer).unwrap(),
            )))
        }
    });
    Client::new(service, "default")
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_str(v).unwrap()))
        .collect()
}

fn now() -> jiff::Timestamp {
    crate::clock::now()
}

#[tokio::test]
async fn the_front_proxy_is_believed_only_with_its_certificate() {
    let (front, other) = (ca(), ca());
    let delegated = Delegated::new(api(&front, Arc::default()), Options::default());
    assert!(!delegated.knows_front_proxy());
    delegated.read_authorities().await.unwrap();
    let remote = headers(&[
        ("x-remote-user", "ada"),
        ("x-remote-group", "dev"),
        ("x-remote-extra-a%2fb", "c"),
    ]);
    let user = |peer: Peer| {
        let (delegated, remote) = (&delegated, &remote);
        async move {
            delegated
                .authenticate(remote, Some(&peer), now())
                .await
                .unwrap()
        }
    };
    let believed = user(front.peer("front-proxy-client", &[])).await;
    assert_eq!(believed.name, "ada");
    assert_eq!(believed.groups, ["dev", "system:authenticated"]);
    assert_eq!(believed.extra["a/b"], ["c"]);
    assert_eq!(user(front.peer("somebody", &[])).await, User::anonymous());
    assert_eq!(
        user(other.peer("front-proxy-client", &[])).await,
        User::anonymous()
    );
}

#[tokio::test]
async fn a_client_certificate_names_its_user_and_groups() {
    let authority = ca();
    let options = Options {
        authorities: Authorities::default()
            .with_client_ca(std::slice::from_ref(&authority.certificate))
            .unwrap(),
        ..Options::default()
    };
    let delegated = Delegated::new(api(&ca(), Arc::default()), options);
    let peer = authority.peer("node-1", &["system:nodes"]);
    let user = delegated
        .authenticate(&HeaderMap::new(), Some(&peer), now())
        .await
        .unwrap();
    assert_eq!(user.name, "node-1");
    assert_eq!(user.groups, ["system:nodes", "system:authenticated"]);
}

#[tokio::test]
async fn tokens_are_reviewed_once_while_the_answer_holds() {
    let asked = Arc::new(AtomicUsize::new(0));
    let delegated = Delegated::new(api(&ca(), Arc::clone(&asked)), Options::default());
    let good = headers(&[("authorization", "Bearer good")]);
    let bad = headers(&[("authorization", "Bearer bad")]);
    for _ in 0..3 {
        let user = delegated.authenticate(&good, None, now()).await.unwrap();
        assert_eq!(user.name, "ada");
        let refused = delegated.authenticate(&bad, None, now()).await.unwrap_err();
        assert_eq!(refused.code, 401);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn without_credentials_one_is_anonymous_or_refused() {
    let anonymous = Delegated::new(api(&ca(), Arc::default()), Options::default());
    let user = anonymous
        .authenticate(&HeaderMap::new(), None, now())
        .await
        .unwrap();
    assert_eq!(user, User::anonymous());
    // Credentials of another kind are none.
    for other in ["Basic YWRhOnNlY3JldA==", "Bearer", "Bearer "] {
        let headers = headers(&[("authorization", other)]);
        let user = anonymous.authenticate(&headers, None, now()).await.unwrap();
        assert_eq!(user, User::anonymous(), "{other}");
    }
    let options = Options {
        anonymous: false,
        ..Options::default()
    };
    let strict = Delegated::new(api(&ca(), Arc::default()), options);
    assert_eq!(
        strict
            .authenticate(&HeaderMap::new(), None, now())
            .await
            .unwrap_err()
            .code,
        401
    );
}

#[tokio::test]
async fn access_is_reviewed_and_refused_in_upstreams_words() {
    let delegated = Delegated::new(api(&ca(), Arc::default()), Options::default());
    let user = User {
        name: "ada".to_owned(),
        ..User::default()
    };
    let mut attributes = Attributes {
        verb: "list",
        group: "metrics.k8s.io",
        resource: "pods",
        namespace: "eks-work",
        ..Attributes::default()
    };
    assert!(delegated.authorize(&user, &attributes).await.is_ok());
    attributes.verb = "get";
    let refused = delegated.authorize(&user, &attributes).await.unwrap_err();
    assert_eq!(
        refused.message,
        "pods.metrics.k8s.io is forbidden: User \"ada\" cannot get resource \"pods\" in API group \
         \"metrics.k8s.io\" in the namespace \"eks-work\""
    );
    let path = |path| Attributes {
        verb: "get",
        path,
        ..Attributes::default()
    };
    assert!(delegated.authorize(&user, &path("/readyz")).await.is_ok());
    let refused = delegated
        .authorize(&user, &path("/metrics"))
        .await
        .unwrap_err();
    assert_eq!(
        refused.message,
        "forbidden: User \"ada\" cannot get path \"/metrics\""
    );
}

#[test]
fn a_certificate_that_is_no_authority_is_no_root() {
    assert!(certs::roots(&[CertificateDer::from(vec![1, 2, 3])]).is_err());
}

#[derive(Debug, clap::Parser)]
struct Program {
    #[command(flatten)]
    auth: AuthArgs,
}

#[tokio::test]
async fn authorities_are_read_again_as_their_files_change() {
    let (old, new, unpublished) = (ca(), ca(), ca());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &old.pem).unwrap();
    let flag = format!("--client-ca-file={}", file.path().display());
    let args = <Program as clap::Parser>::try_parse_from(["x".to_owned(), flag]).unwrap();
    let api = api(&unpublished, Arc::default());
    let delegated = args.auth.delegated(&api, None).await.unwrap();
    let name_of = async |ca: &Ca| {
        let peer = ca.peer("ada", &[]);
        let headers = HeaderMap::new();
        let user = delegated.authenticate(&headers, Some(&peer), now());
        user.await.unwrap().name
    };
    assert_eq!(name_of(&old).await, "ada");
    std::fs::write(file.path(), &new.pem).unwrap();
    assert_eq!(name_of(&new).await, "system:anonymous");
    delegated.refresh_files().unwrap();
    assert_eq!(name_of(&new).await, "ada");
    assert_eq!(name_of(&old).await, "system:anonymous");
    // What is no certificate is not taken.
    std::fs::write(file.path(), "nothing").unwrap();
    assert!(delegated.refresh_files().is_err());
    assert_eq!(name_of(&new).await, "ada");
}

#[test]
fn a_token_or_a_certificate_says_who_sends_a_request_and_nothing_else_does() {
    let headers = |text: &str| {
        let value = HeaderValue::from_str(text).unwrap();
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    };
    assert!(!has_credentials(&HeaderMap::new(), None));
    assert!(!has_credentials(&headers("Basic eA=="), None));
    assert!(has_credentials(&headers("Bearer wrong"), None));
    let mut peer = ca().peer("ada", &[]);
    assert!(has_credentials(&HeaderMap::new(), Some(&peer)));
    peer.certificates = Arc::from([]);
    assert!(!has_credentials(&HeaderMap::new(), Some(&peer)));
}
