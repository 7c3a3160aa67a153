//! Files change under a running server.

use super::*;

#[test]
fn a_new_pair_is_taken_and_a_broken_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let names = || vec!["localhost".to_owned()];
    Identity::load_or_create(dir.path(), "a", names()).unwrap();
    Identity::load_or_create(dir.path(), "b", names()).unwrap();
    let at = |name: &str| dir.path().join(name);
    let rotating = Rotating::new(at("a.crt"), at("a.key")).unwrap();
    assert!(!rotating.refresh().unwrap());

    std::fs::copy(at("b.crt"), at("a.crt")).unwrap();
    assert!(rotating.refresh().is_err(), "the key is still the old one");
    std::fs::copy(at("b.key"), at("a.key")).unwrap();
    assert!(rotating.refresh().unwrap());

    std::fs::write(at("a.crt"), "").unwrap();
    assert!(rotating.refresh().is_err());
    let served = rotating.current.read().unwrap().cert.clone();
    assert_eq!(served, crate::certs::read_chain(&at("b.crt")).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_server_takes_a_new_pair_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let names = || vec!["localhost".to_owned()];
    Identity::load_or_create(dir.path(), "a", names()).unwrap();
    Identity::load_or_create(dir.path(), "b", names()).unwrap();
    let at = |name: &str| dir.path().join(name);
    let rotating = Arc::new(Rotating::new(at("a.crt"), at("a.key")).unwrap());
    let stop = CancellationToken::new();
    let (kept, stopped) = (Arc::clone(&rotating), stop.clone());
    let keeping = tokio::spawn(async move { kept.keep(stopped).await });
    for extension in ["crt", "key"] {
        let (new, old) = (format!("b.{extension}"), format!("a.{extension}"));
        std::fs::rename(at(&new), at(&old)).unwrap();
    }
    let wanted = crate::certs::read_chain(&at("a.crt")).unwrap();
    let mut minutes = 0;
    while rotating.current.read().unwrap().cert != wanted {
        minutes += 1;
        assert!(minutes < 10, "the old pair stays");
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    stop.cancel();
    keeping.await.unwrap();
}
