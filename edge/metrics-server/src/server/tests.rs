//! When it stops.

use super::*;

#[tokio::test(start_paused = true)]
async fn told_to_stop_it_goes_on_for_the_delay() {
    let shutdown = CancellationToken::new();
    let stop = later(Duration::from_secs(5), shutdown.clone());
    shutdown.cancel();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!stop.is_cancelled());
    tokio::time::timeout(Duration::from_secs(2), stop.cancelled())
        .await
        .expect("it stops in the end");
    let at_once = later(Duration::ZERO, shutdown);
    assert!(at_once.is_cancelled());
}
