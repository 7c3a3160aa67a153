//! Beats in paused time.

use super::Pace;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use tokio::time::Instant;
use units::Duration;

fn asking_for(period: Option<&str>) -> HorizontalPodAutoscaler {
    let mut object = HorizontalPodAutoscaler::default();
    let annotation = |p: &str| ("evenkeel.dev/sync-period".to_owned(), p.to_owned());
    object.metadata.annotations = period.map(|p| [annotation(p)].into());
    object
}

/// When the next beats come, in seconds from `begun`.
async fn beats(pace: &mut Pace, begun: Instant, object: &HorizontalPodAutoscaler) -> [u64; 3] {
    let mut at = [0; 3];
    for one in &mut at {
        pace.tick().await;
        *one = begun.elapsed().as_secs();
        pace.follow(object);
    }
    at
}

#[tokio::test(start_paused = true)]
async fn it_keeps_the_flags_period_from_its_own_place_in_it() {
    let mut pace = Pace::new(Duration::from_seconds(15), &asking_for(None), 0.2);
    let begun = Instant::now();
    assert_eq!(
        beats(&mut pace, begun, &asking_for(None)).await,
        [3, 18, 33]
    );
}

#[tokio::test(start_paused = true)]
async fn it_follows_an_autoscaler_that_asks_for_another_and_goes_back() {
    let mut pace = Pace::new(Duration::from_seconds(15), &asking_for(None), 1.0);
    let begun = Instant::now();
    let quick = asking_for(Some("2s"));
    assert_eq!(beats(&mut pace, begun, &quick).await, [15, 17, 19]);
    let wrong = asking_for(Some("0s"));
    assert_eq!(beats(&mut pace, begun, &wrong).await, [21, 36, 51]);
}
