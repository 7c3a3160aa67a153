//! Who is next: the endpoints behind one address, in turn, or the one that a client has already.

use super::plan::Target;
use crate::host::lock;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

#[cfg(test)]
mod tests;

/// Endpoints that are tried for a connection.
const ATTEMPTS: usize = 2;
/// Clients that are remembered for one address.
const CLIENTS: usize = 10_000;

/// Shared by a listener's connections.
#[derive(Debug)]
pub(super) struct Backends(Mutex<State>);

#[derive(Debug)]
struct State {
    target: Target,
    turn: usize,
    clients: BTreeMap<IpAddr, (SocketAddr, Instant)>,
}

impl Backends {
    pub(super) fn new(target: Target) -> Self {
        Self(Mutex::new(State {
            target,
            turn: 0,
            clients: BTreeMap::new(),
        }))
    }

    /// Changes what is behind the address; connections go on as they are.
    pub(super) fn set(&self, target: Target) {
        let mut state = lock(&self.0);
        if target.affinity.is_none() {
            state.clients.clear();
        }
        state.target = target;
    }

    /// The endpoints to try for a connection of `client`, best first.
    pub(super) fn choose(&self, client: IpAddr, now: Instant) -> Vec<SocketAddr> {
        let mut state = lock(&self.0);
        let known = state.known(client, now);
        let endpoints = &state.target.endpoints;
        let others = endpoints
            .iter()
            .cycle()
            .skip(state.turn)
            .take(endpoints.len());
        let others = others.copied().filter(|other| Some(*other) != known);
        let chosen = known.into_iter().chain(others).take(ATTEMPTS).collect();
        if known.is_none() {
            state.turn = (state.turn + 1).checked_rem(endpoints.len()).unwrap_or(0);
        }
        chosen
    }

    /// Tells that `client` got a connection to `endpoint`.
    pub(super) fn connected(&self, client: IpAddr, endpoint: SocketAddr, now: Instant) {
        let mut state = lock(&self.0);
        let Some(affinity) = state.target.affinity else {
            return;
        };
        if state.clients.len() >= CLIENTS {
            state.forget_old(affinity, now);
        }
        if state.clients.len() < CLIENTS {
            state.clients.insert(client, (endpoint, now));
        }
    }
}

impl State {
    fn known(&self, client: IpAddr, now: Instant) -> Option<SocketAddr> {
        let affinity = self.target.affinity?;
        let (endpoint, last) = self.clients.get(&client)?;
        let holds = now.duration_since(*last) < affinity;
        (holds && self.target.endpoints.contains(endpoint)).then_some(*endpoint)
    }

    fn forget_old(&mut self, affinity: Duration, now: Instant) {
        self.clients
            .retain(|_, (_, last)| now.duration_since(*last) < affinity);
    }
}
