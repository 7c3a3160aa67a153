//! Whose turn it is among endpoints.

use super::*;

fn target(endpoints: &[&str], affinity: Option<Duration>) -> Target {
    Target {
        service: "ns/app".to_owned(),
        endpoints: endpoints.iter().map(|e| e.parse().unwrap()).collect(),
        affinity,
    }
}

const A: &str = "127.32.128.2:80";
const B: &str = "127.32.128.3:80";
const C: &str = "127.32.128.4:80";

fn first(backends: &Backends, client: &str, now: Instant) -> String {
    let chosen = backends.choose(client.parse().unwrap(), now);
    chosen.first().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn endpoints_take_turns_and_the_next_one_is_the_second_try() {
    let (backends, now) = (Backends::new(target(&[A, B, C], None)), Instant::now());
    let client = "127.0.0.1".parse().unwrap();
    let mut chosen = Vec::new();
    for _ in 0..4 {
        let tries = backends.choose(client, now);
        chosen.push(tries.iter().map(ToString::to_string).collect::<Vec<_>>());
    }
    assert_eq!(chosen, [[A, B], [B, C], [C, A], [A, B]]);
}

#[test]
fn with_one_endpoint_there_is_one_try_and_without_any_there_is_none() {
    let (backends, now) = (Backends::new(target(&[A], None)), Instant::now());
    let client = "127.0.0.1".parse().unwrap();
    assert_eq!(backends.choose(client, now).len(), 1);
    backends.set(target(&[], None));
    assert_eq!(backends.choose(client, now).len(), 0);
}

#[test]
fn a_client_stays_with_its_endpoint_while_it_is_there_and_the_time_holds() {
    let minute = Duration::from_secs(60);
    let (backends, now) = (Backends::new(target(&[A, B], Some(minute))), Instant::now());
    let client = "127.0.0.1".parse().unwrap();
    backends.connected(client, B.parse().unwrap(), now);
    for _ in 0..3 {
        assert_eq!(first(&backends, "127.0.0.1", now), B);
    }
    assert_eq!(first(&backends, "127.0.0.2", now), A, "others take turns");
    assert_eq!(
        backends
            .choose(client, now)
            .last()
            .map(ToString::to_string)
            .as_deref(),
        Some(A)
    );
    backends.set(target(&[A, C], Some(minute)));
    assert_ne!(first(&backends, "127.0.0.1", now), B, "it has gone");
    backends.set(target(&[A, B], Some(minute)));
    let later = now + minute;
    let firsts = [
        first(&backends, "127.0.0.1", later),
        first(&backends, "127.0.0.1", later),
    ];
    assert_ne!(firsts[0], firsts[1], "forgotten after its time");
}

#[test]
fn no_more_clients_are_remembered_than_there_is_room_for() {
    let minute = Duration::from_secs(60);
    let (backends, now) = (Backends::new(target(&[A], Some(minute))), Instant::now());
    for number in 0..u32::try_from(CLIENTS + 10).unwrap() {
        let client = std::net::Ipv4Addr::from(number).into();
        backends.connected(client, A.parse().unwrap(), now);
    }
    assert_eq!(lock(&backends.0).clients.len(), CLIENTS);
    backends.connected("::1".parse().unwrap(), A.parse().unwrap(), now + minute);
    assert_eq!(lock(&backends.0).clients.len(), 1);
}
