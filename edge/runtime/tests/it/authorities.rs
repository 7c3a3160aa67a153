//! The authorities that the API server publishes are followed, and outlive its absence.

use crate::wire::Wire;
use http::HeaderMap;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use runtime::auth::{Delegated, Options};
use runtime::serve::Peer;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A client CA and a certificate of one user that it signed.
struct Ca {
    pem: String,
    peer: Peer,
}

fn ca(user: &str) -> Ca {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, user);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let leaf = params
        .signed_by(&KeyPair::generate().unwrap(), &issuer)
        .unwrap();
    let peer = Peer {
        address: ([127, 0, 0, 1], 1).into(),
        certificates: Arc::from([leaf.der().clone()]),
    };
    Ca { pem, peer }
}

/// A server that delegates, beside the API server it asks.
struct Scene {
    admin: Client,
    wire: Wire,
    delegated: Arc<Delegated>,
    stop: CancellationToken,
}

impl Scene {
    /// With the rights that metrics-server's manifests give.
    async fn start() -> Self {
        Self::start_with("extension-apiserver-authentication-reader").await
    }

    async fn start_with(role: &str) -> Self {
        let lab = testkit::lab().await.unwrap();
        let admin = lab.client.clone();
        let binding = json!({
            "metadata": {"name": "reader"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                "name": role,
            },
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader"}],
        });
        let only_get = json!({
            "metadata": {"name": "only-get"},
            "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}],
        });
        Api::<Role>::namespaced(admin.clone(), "kube-system")
            .create(
                &PostParams::default(),
                &serde_json::from_value(only_get).unwrap(),
            )
            .await
            .unwrap();
        Api::<RoleBinding>::namespaced(admin.clone(), "kube-system")
            .create(
                &PostParams::default(),
                &serde_json::from_value(binding).unwrap(),
            )
            .await
            .unwrap();
        let (wire, client) =
            Wire::to(lab.client_for(lab_server::User::new("reader", &["system:authenticated"])));
        let delegated = Arc::new(Delegated::new(client, Options::default()));
        Self {
            admin,
            wire,
            delegated,
            stop: CancellationToken::new(),
        }
    }

    fn keep(&self) -> tokio::task::JoinHandle<()> {
        let (delegated, stop) = (Arc::clone(&self.delegated), self.stop.clone());
        tokio::spawn(async move { delegated.keep_authorities(stop).await })
    }

    /// A new client CA.
    async fn publish(&self, pem: &str) {
        self.change(json!({"client-ca-file": pem})).await;
    }

    /// Whether there is a front proxy: unlike a stranger's certificate, to look for it has nothing read again.
    async fn publish_front(&self, pem: Option<&str>) {
        self.change(json!({"requestheader-client-ca-file": pem}))
            .await;
    }

    async fn change(&self, data: serde_json::Value) {
        let patch = json!({"data": data});
        Api::<ConfigMap>::namespaced(self.admin.clone(), "kube-system")
            .patch(
                "extension-apiserver-authentication",
                &PatchParams::default(),
                &Patch::Merge(patch),
            )
            .await
            .unwrap();
    }

    /// Who a certificate's bearer is. Asked only where the answer is yes: a no is a doubt, and reads again.
    async fn user(&self, ca: &Ca) -> String {
        let now = runtime::clock::now();
        self.delegated
            .authenticate(&HeaderMap::new(), Some(&ca.peer), now)
            .await
            .unwrap()
            .name
    }

    /// Waits in the test's own time.
    async fn until_user(&self, ca: &Ca, name: &str) {
        let mut tries = 0;
        while self.user(ca).await != name {
            tries += 1;
            assert!(tries < 600, "{name} is never known");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn until_front(&self, known: bool) {
        let mut tries = 0;
        while self.delegated.knows_front_proxy() != known {
            tries += 1;
            assert!(tries < 600, "the front proxy stays as it was");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_authority_is_known_as_soon_as_it_is_published() {
    let scene = Scene::start().await;
    let authority = ca("ada");
    scene.publish(&authority.pem).await;
    scene.publish_front(None).await;
    let keeping = scene.keep();
    scene.until_user(&authority, "ada").await;
    // The watch is there before the changes, or it would be its first list that shows them.
    for front in [Some(authority.pem.as_str()), None] {
        tokio::time::sleep(Duration::from_secs(100)).await;
        scene.publish_front(front).await;
        scene.until_front(front.is_some()).await;
    }
    scene.stop.cancel();
    keeping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_known_holds_while_the_api_is_away_and_is_renewed_when_it_is_back() {
    let scene = Scene::start().await;
    let (first, second) = (ca("ada"), ca("grace"));
    scene.publish(&first.pem).await;
    scene.publish_front(None).await;
    let keeping = scene.keep();
    scene.until_user(&first, "ada").await;
    scene.wire.cut();
    scene.publish(&second.pem).await;
    scene.publish_front(Some(&second.pem)).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(!scene.delegated.knows_front_proxy());
    assert_eq!(scene.user(&first).await, "ada");
    scene.wire.mend();
    scene.until_front(true).await;
    assert_eq!(scene.user(&second).await, "grace");
    scene.stop.cancel();
    keeping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_before_the_api_reads_it_when_it_comes() {
    let scene = Scene::start().await;
    let authority = ca("ada");
    scene.publish(&authority.pem).await;
    scene.wire.cut();
    let keeping = scene.keep();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(!scene.delegated.knows_front_proxy());
    scene.wire.mend();
    scene.until_front(true).await;
    scene.until_user(&authority, "ada").await;
    scene.stop.cancel();
    keeping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_broken_or_missing_map_changes_nothing() {
    let scene = Scene::start().await;
    let authority = ca("ada");
    scene.publish(&authority.pem).await;
    let keeping = scene.keep();
    scene.until_user(&authority, "ada").await;
    scene.publish("no certificate").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(scene.user(&authority).await, "ada");
    let maps = Api::<ConfigMap>::namespaced(scene.admin.clone(), "kube-system");
    maps.delete(
        "extension-apiserver-authentication",
        &DeleteParams::default(),
    )
    .await
    .unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(scene.user(&authority).await, "ada");
    scene.stop.cancel();
    keeping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn where_watching_is_forbidden_a_doubted_certificate_has_the_map_read_again() {
    let scene = Scene::start_with("only-get").await;
    let (first, second) = (ca("ada"), ca("grace"));
    scene.publish(&first.pem).await;
    let keeping = scene.keep();
    scene.until_user(&first, "ada").await;
    scene.publish(&second.pem).await;
    scene.until_user(&second, "grace").await;
    scene.stop.cancel();
    keeping.await.unwrap();
}
