//! Kubelets' answers: no text makes reading or storing it panic, and what is served is never absurd.
#![no_main]

use libfuzzer_sys::fuzz_target;
use units::Duration;
use usage::{Store, scrape};

/// Between the texts of successive scrapes.
const NEXT: char = '\u{1e}';
/// When the first is asked for.
const BEGUN_MILLIS: i64 = 1_767_268_800_000;
const RESOLUTION: Duration = Duration::from_seconds(15);

fuzz_target!(|text: &str| {
    let mut stores = [
        Store::new(RESOLUTION),
        Store::keeping(RESOLUTION, 2).whole_pods(),
    ];
    let mut named = Vec::new();
    for (index, text) in text.split(NEXT).enumerate().take(8) {
        let millis = BEGUN_MILLIS + i64::try_from(index).unwrap_or(0) * 15_000;
        let read = match scrape::read(text, millis) {
            Ok(read) => Some(read),
            Err(error) => {
                assert!(error.line >= 1 && error.line <= text.split('\n').count());
                None
            }
        };
        for store in &mut stores {
            store.begin();
            if let Some(read) = &read {
                store.take("node", read);
            }
            store.end();
        }
        named.extend(read.into_iter().flat_map(|read| read.pods).map(|pod| {
            let containers = pod.containers.len();
            (pod.namespace, pod.name, containers)
        }));
        for store in &stores {
            is_sane(store, &named);
        }
    }
});

fn is_sane(store: &Store, named: &[(&str, &str, usize)]) {
    let counts = store.counts();
    assert_eq!(store.ready(), counts.nodes > 0 && counts.containers > 0);
    for (namespace, name, _) in named {
        let Some(pod) = store.pod(namespace, name) else {
            continue;
        };
        assert!(pod.containers.is_empty() || pod.window > 0, "{pod:?}");
        let most = named.iter().filter(|(ns, n, _)| (ns, n) == (namespace, name));
        let most = most.map(|(.., containers)| *containers).max();
        assert!(Some(pod.containers.len()) <= most, "{pod:?}");
    }
}
