//! Bodies, read within bounds: no kubelet, nor all of them together, may fill the memory.

use super::Trouble;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A node with a thousand containers answers 500 kB.
const ANSWER_MAX: usize = 8 << 20;
/// All bodies that are read at a time.
const ALL_MAX: usize = 64 << 20;
/// Room is given out in pieces of this size.
const PIECE: usize = 64 << 10;

/// The memory for bodies. Those that are longer than was thought may wait for each other; their time limit ends that.
#[derive(Debug)]
pub(crate) struct Room(Arc<Semaphore>);

/// A body's share of it, given back when dropped.
#[derive(Debug, Default)]
pub(crate) struct Held(Option<OwnedSemaphorePermit>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ALL_MAX / PIECE)))
    }
}

impl Room {
    /// Reads a body to its end, which probably is about as long as `usual`. Where there is no room it waits; the caller's
    /// time limit ends that.
    pub(super) async fn read(
        &self,
        mut body: Incoming,
        usual: usize,
    ) -> Result<(Bytes, Held), Trouble> {
        let mut held = Held::default();
        // What is announced is believed as far as most answers go. Kubelets announce nothing.
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        let expected = usual.min(ANSWER_MAX).max(announced.min(PIECE));
        let mut read = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Trouble::Body(error.into()))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let size = read.len() + data.len();
            if size > ANSWER_MAX {
                let problem = format!("it is larger than {} MiB", ANSWER_MAX >> 20);
                return Err(Trouble::Body(problem.into()));
            }
            // Not before something comes: who keeps silent takes no room.
            let wanted = size.max(expected);
            held.grow(wanted, &self.0).await;
            read.reserve(wanted - read.len());
            read.extend_from_slice(&data);
        }
        Ok((read.freeze(), held))
    }
}

impl Held {
    async fn grow(&mut self, size: usize, room: &Arc<Semaphore>) {
        let has = self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needs = size.div_ceil(PIECE).saturating_sub(has);
        let needs = u32::try_from(needs).unwrap_or(u32::MAX);
        if needs == 0 {
            return;
        }
        // The semaphore is never closed.
        if let Ok(more) = Arc::clone(room).acquire_many_owned(needs).await {
            match &mut self.0 {
                Some(own) => own.merge(more),
                none => *none = Some(more),
            }
        }
    }
}
