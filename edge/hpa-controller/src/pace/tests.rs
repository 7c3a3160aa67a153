//! Beats in paused time.

use super::Pace;
use crate::member::Occasion;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use tokio::time::Instant;
use units::Duration;

const FLAG: Duration = Duration::from_seconds(15);

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
    let mut pace = Pace::new(FLAG, &asking_for(None), 0.2);
    let begun = Instant::now();
    assert_eq!(
        beats(&mut pace, begun, &asking_for(None)).await,
        [3, 18, 33]
    );
}

#[tokio::test(start_paused = true)]
async fn it_follows_an_autoscaler_that_asks_for_another_and_goes_back() {
    let mut pace = Pace::new(FLAG, &asking_for(None), 1.0);
    let begun = Instant::now();
    let quick = asking_for(Some("2s"));
    assert_eq!(beats(&mut pace, begun, &quick).await, [15, 17, 19]);
    let wrong = asking_for(Some("0s"));
    assert_eq!(beats(&mut pace, begun, &wrong).await, [21, 36, 51]);
}

/// What looks are for, and when, where samples come at these seconds; until the last of them.
async fn looks(pace: &mut Pace, samples: &[u64]) -> Vec<(u64, Occasion)> {
    let begun = Instant::now();
    let mut looks = Vec::new();
    for at in samples {
        let sample = begun + std::time::Duration::from_secs(*at);
        while tokio::time::timeout_at(sample, pace.tick()).await.is_ok() {
            looks.push((begun.elapsed().as_secs(), Occasion::Period));
        }
        looks.push((*at, pace.samples()));
    }
    looks
}

/// When looks for the period are.
async fn for_the_period(pace: &mut Pace, samples: &[u64]) -> Vec<u64> {
    let looks = looks(pace, samples).await.into_iter();
    let period = looks.filter(|(_, occasion)| *occasion == Occasion::Period);
    period.map(|(at, _)| at).collect()
}

#[tokio::test(start_paused = true)]
async fn samples_that_come_once_a_period_are_its_only_reason_to_look() {
    use Occasion::{Period, Samples};
    let mut pace = Pace::new(FLAG, &asking_for(None), 0.2);
    assert_eq!(
        looks(&mut pace, &[2, 17, 32, 48, 62]).await,
        [
            (2, Period),
            (17, Period),
            (32, Period),
            (48, Period),
            (62, Period)
        ]
    );
    // Others come to it, a tenth of the period at a time.
    let mut pace = Pace::new(FLAG, &asking_for(None), 0.2);
    assert_eq!(
        looks(&mut pace, &[7, 22, 37, 52, 67]).await,
        [
            (3, Period),
            (7, Samples),
            (19, Period),
            (22, Samples),
            (36, Period),
            (37, Samples),
            (52, Period),
            (67, Period)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn no_period_goes_by_without_its_look() {
    let mut pace = Pace::new(FLAG, &asking_for(None), 1.0);
    // Samples once a minute, and then none.
    let at = for_the_period(&mut pace, &[15, 75, 150]).await;
    assert_eq!(at, [15, 31, 46, 61, 75, 93, 108, 123, 138]);
    // Samples all the time: the period's looks go on at their pace.
    let mut pace = Pace::new(FLAG, &asking_for(None), 1.0);
    let seconds: Vec<u64> = (1..60).collect();
    let at = for_the_period(&mut pace, &seconds).await;
    assert_eq!(at, [14, 29, 44, 59]);
}
