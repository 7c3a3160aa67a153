//! Answers to those who may ask.

use super::*;
use expect_test::expect;
use http::Request;
use http_body_util::BodyExt;

async fn get(admin: &Admin, path: &str) -> (u16, String) {
    let (head, ()) = Request::get(path).body(()).unwrap().into_parts();
    let reply = admin.route(&head, Timestamp::from_seconds(0));
    let code = reply.status().as_u16();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    (code, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn probes_say_which_part_is_dead() {
    let (monitor, stop) = (Arc::new(Monitor::default()), CancellationToken::new());
    let admin = Admin::new(&monitor, None, stop.clone());
    assert_eq!(get(&admin, "/livez").await, (200, "ok".to_owned()));
    let _work = monitor.work();
    let key = (
        crate::kinds::Kind::Autoscaling,
        "eks-work".to_owned(),
        "web".to_owned(),
    );
    monitor.knows(&key);
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    let (code, body) = get(&admin, "/livez").await;
    assert_eq!(code, 500);
    expect![[r#"
        [+]ping ok
        [+]leaderElection ok
        [-]horizontal-pod-autoscaler-controller failed: reason withheld
        livez check failed
    "#]]
    .assert_eq(&body);
    monitor.forget(&key);
    assert_eq!(get(&admin, "/readyz").await.0, 200);
    stop.cancel();
    assert_eq!(get(&admin, "/readyz").await.0, 500);
    assert_eq!(get(&admin, "/healthz/ping").await, (200, "ok".to_owned()));
}

#[tokio::test]
async fn other_paths_are_not_there_and_nothing_can_be_written() {
    let admin = Admin::new(&Arc::default(), None, CancellationToken::new());
    assert_eq!(get(&admin, "/debug").await.0, 404);
    let (head, ()) = Request::post("/metrics").body(()).unwrap().into_parts();
    let reply = admin.route(&head, Timestamp::from_seconds(0));
    assert_eq!(reply.status().as_u16(), 405);
}
