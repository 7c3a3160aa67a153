//! The connections that are open: how many, which of them idle, and who has to leave for others.
//!
//! Whoever only opens connections may not keep probes and clients out. So handshakes that are under way are counted
//! apart from connections that came through one, and where there are too many of a kind the oldest of those that
//! nothing is asked of makes room.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How many there may be of each kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) handshakes: usize,
    pub(super) connections: usize,
}

#[derive(Debug)]
pub(super) struct Places {
    room: Room,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// In the order in which they came.
    seats: BTreeMap<u64, Seat>,
}

#[derive(Debug)]
struct Seat {
    established: bool,
    /// Under way.
    requests: usize,
    /// When it came, or when its last request ended.
    since: Instant,
    leave: CancellationToken,
}

/// One connection's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Guest {
    places: Arc<Places>,
    id: u64,
    /// Cancelled when it has to make room.
    pub(super) leave: CancellationToken,
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct Busy(Arc<Guest>);

impl Places {
    pub(super) fn new(room: Room) -> Self {
        Self {
            room,
            open: Mutex::default(),
        }
    }

    /// A place for a connection that came `now`; none where all others are at work.
    pub(super) fn enter(self: &Arc<Self>, now: Instant) -> Option<Guest> {
        let mut open = self.open();
        if open.count(false) >= self.room.handshakes {
            open.evict(false);
        }
        if open.count(true) >= self.room.connections && !open.evict(true) {
            return None;
        }
        let (id, leave) = (open.next, CancellationToken::new());
        open.next += 1;
        let seat = Seat {
            established: false,
            requests: 0,
            since: now,
            leave: leave.clone(),
        };
        open.seats.insert(id, seat);
        Some(Guest {
            places: Arc::clone(self),
            id,
            leave,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn count(&self, established: bool) -> usize {
        let seats = self.seats.values();
        seats.filter(|seat| seat.established == established).count()
    }

    /// Sends away the one that has been idle longest.
    fn evict(&mut self, established: bool) -> bool {
        let idle = self
            .seats
            .iter()
            .filter(|(_, seat)| seat.established == established && seat.requests == 0);
        let oldest = idle.min_by_key(|(_, seat)| seat.since).map(|(id, _)| *id);
        let Some(seat) = oldest.and_then(|id| self.seats.remove(&id)) else {
            return false;
        };
        seat.leave.cancel();
        true
    }
}

impl Guest {
    fn with(&self, change: impl FnOnce(&mut Seat)) {
        // One that was sent away has no seat any more.
        if let Some(seat) = self.places.open().seats.get_mut(&self.id) {
            change(seat);
        }
    }

    /// It came through its handshake.
    pub(super) fn established(&self, now: Instant) {
        self.with(|seat| (seat.established, seat.since) = (true, now));
    }

    /// A request begins; it ends when this is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.with(|seat| seat.requests += 1);
        Busy(Arc::clone(self))
    }

    /// Since when nothing is asked of it; none while something is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let open = self.places.open();
        let seat = open.seats.get(&self.id)?;
        (seat.requests == 0).then_some(seat.since)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.places.open().seats.remove(&self.id);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let now = Instant::now();
        self.0.with(|seat| {
            seat.requests = seat.requests.saturating_sub(1);
            seat.since = now;
        });
    }
}

#[cfg(test)]
mod tests;
