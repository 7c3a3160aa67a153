//! Names that pods find Services under.

use super::*;
use expect_test::expect;

fn service(namespace: &str, name: &str, address: &str) -> ServiceView {
    ServiceView {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        cluster_ip: None,
        load_balancers: vec![],
        ports: vec![],
        addresses: vec![address.parse().unwrap()],
        host_names: vec![],
        affinity: None,
    }
}

#[test]
fn every_service_has_its_four_names() {
    let owner = Owner {
        namespace: "eks-work".to_owned(),
        address: "127.32.128.2".parse().unwrap(),
        hostname: "my-pod".to_owned(),
        aliases: vec![("10.0.0.1".to_owned(), vec!["a".to_owned(), "b".to_owned()])],
    };
    let mut headless = service("default", "db", "127.32.128.3");
    headless.host_names = vec![("db-0".to_owned(), "127.32.128.3".parse().unwrap())];
    let services = [headless, service("eks-work", "app", "127.32.64.2")];
    let text = text(&owner, &services);
    let tail: Vec<&str> = text.lines().skip(7).collect();
    expect![[r#"
        127.32.128.2	my-pod
        10.0.0.1	a b
        127.32.128.3	db.default.svc.cluster.local db.default.svc db.default
        127.32.128.3	db-0.db.default.svc.cluster.local db-0.db.default.svc db-0.db.default
        127.32.64.2	app.eks-work.svc.cluster.local app.eks-work.svc app.eks-work app"#]]
    .assert_eq(&tail.join("\n"));
}

#[test]
fn a_file_is_rewritten_in_place() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("hosts");
    write(&file, "a longer text\n").unwrap();
    let inode = std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&file).unwrap());
    write(&file, "short\n").unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "short\n");
    assert_eq!(
        std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(&file).unwrap()),
        inode
    );
}
