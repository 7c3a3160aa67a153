//! The store on disk: one redb file, many writes a transaction.
//!
//! A write is decided, written and synced before it becomes visible or is acknowledged, so nobody
//! ever saw what a crash could take back.

use crate::backend::{Payload, Refused, State, Write, Written, read, write_lock};
use crate::stored::Draft;
use anyhow::Context;
use objects::{Batch, Entry, Limits, Store};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, RwLock};
use tokio::sync::{mpsc, oneshot};

/// `collection NUL key` → the object's JSON.
const OBJECTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("objects");
/// `revision` → the number of the last change; the name of a collection → that of its last change.
const COUNTERS: TableDefinition<'_, &str, u64> = TableDefinition::new("counters");
/// No collection is called so: each has a slash.
const REVISION: &str = "revision";
/// Writes that wait for the disk; more wait in their callers.
const QUEUE: usize = 4096;
/// The most writes of one transaction.
const GROUP: usize = 1024;
/// Pages that redb keeps in memory: the store itself is in memory, so few are read twice.
const CACHE: usize = 4 << 20;

type Waiting = (Write, oneshot::Sender<Result<Written, Refused>>);

/// The way to the writer's thread.
#[derive(Debug)]
pub(crate) struct Journal {
    queue: mpsc::Sender<Message>,
}

#[derive(Debug)]
enum Message {
    Write(Waiting),
    /// Write what came before, close the file, and say so.
    Close(oneshot::Sender<()>),
}

/// Opens or creates the file and loads what it has.
pub(crate) fn open(directory: &Path, limits: Limits) -> anyhow::Result<(Database, Store<Payload>)> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("creating the data directory {}", directory.display()))?;
    let file = directory.join("objects.redb");
    let database = Database::builder()
        .set_cache_size(CACHE)
        .create(&file)
        .with_context(|| format!("opening the store {}", file.display()))?;
    let begin = database.begin_write()?;
    begin.open_table(OBJECTS)?;
    begin.open_table(COUNTERS)?;
    begin.commit()?;
    let store =
        load(&database, limits).with_context(|| format!("reading the store {}", file.display()))?;
    Ok((database, store))
}

fn load(database: &Database, limits: Limits) -> anyhow::Result<Store<Payload>> {
    let transaction = database.begin_read()?;
    let counters = transaction.open_table(COUNTERS)?;
    let revision = counters.get(REVISION)?.map_or(0, |value| value.value());
    let mut store = Store::new(limits, revision);
    let mut collection: Arc<str> = "".into();
    for row in transaction.open_table(OBJECTS)?.iter()? {
        let (key, value) = row?;
        let (name, key) = key
            .value()
            .split_once('\0')
            .context("a key without its collection")?;
        if *collection != *name {
            collection = name.into();
        }
        let object: Value = serde_json::from_slice(value.value())
            .with_context(|| format!("object {key} of {name}"))?;
        let version = object["metadata"]["resourceVersion"].as_str().unwrap_or("");
        let revision = version
            .parse()
            .with_context(|| format!("version of {key} of {name}"))?;
        let payload = Arc::new(Draft::new(&object).seal(revision));
        store.load(&collection, key.into(), Entry { revision, payload });
    }
    for row in counters.iter()? {
        let (name, changed) = row?;
        if name.value() != REVISION {
            store.load_changed(&name.value().into(), changed.value());
        }
    }
    Ok(store)
}

impl Journal {
    /// Starts the writer's thread; it ends when the last handle is dropped.
    pub(crate) fn start(database: Database, state: Arc<RwLock<State>>) -> anyhow::Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || run(database, &state, waiting))
            .context("starting the journal's thread")?;
        Ok(Self { queue })
    }

    /// Hands a write over, and returns when it is synced and visible.
    pub(crate) async fn write(&self, write: Write) -> Result<Written, Refused> {
        let (done, answer) = oneshot::channel();
        let stopped = || Refused::Journal("the journal has stopped".to_owned());
        let message = Message::Write((write, done));
        self.queue.send(message).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Closes the file; later writes are refused.
    pub(crate) async fn close(&self) {
        let (done, answer) = oneshot::channel();
        if self.queue.send(Message::Close(done)).await.is_ok() {
            // An error means that the thread is gone already.
            let _ = answer.await;
        }
    }
}

fn run(database: Database, state: &RwLock<State>, mut waiting: mpsc::Receiver<Message>) {
    let mut messages = Vec::new();
    while waiting.blocking_recv_many(&mut messages, GROUP) > 0 {
        let mut group = Vec::with_capacity(messages.len());
        let mut closing = None;
        for message in messages.drain(..) {
            match message {
                Message::Write(write) if closing.is_none() => group.push(write),
                // Dropping the sender says that the journal has stopped.
                Message::Write(_) => {}
                Message::Close(done) => closing = Some(done),
            }
        }
        write_group(&database, state, group);
        if let Some(done) = closing {
            drop(database);
            let _ = done.send(());
            return;
        }
    }
}

fn write_group(database: &Database, state: &RwLock<State>, group: Vec<Waiting>) {
    let mut answers = Vec::with_capacity(group.len());
    let batch = {
        let state = read(state);
        let mut batch = state.store.batch();
        for (write, done) in group {
            let written = state.stage(&mut batch, &write).map_err(Refused::Mismatch);
            answers.push((done, written));
        }
        batch
    };
    let kept = if batch.is_empty() {
        Ok(())
    } else {
        persist(database, &batch)
    };
    match &kept {
        // Nothing else commits, so the batch is still on top of the store.
        Ok(()) => {
            write_lock(state).commit(batch);
        }
        Err(error) => tracing::error!(%error, "the data directory cannot be written"),
    }
    for (done, written) in answers {
        let answer = match (&kept, written) {
            (Err(error), Ok(_)) => Err(Refused::Journal(format!("{error:#}"))),
            (_, written) => written,
        };
        // Nobody waits for the answer when the request was dropped.
        let _ = done.send(answer);
    }
}

fn persist(database: &Database, batch: &Batch<Payload>) -> anyhow::Result<()> {
    let transaction = database.begin_write()?;
    {
        let mut objects = transaction.open_table(OBJECTS)?;
        for change in batch.changes() {
            let key = format!("{}\0{}", change.collection, change.key);
            match &change.payload {
                Some(stored) => objects.insert(key.as_str(), &**stored.bytes())?,
                None => objects.remove(key.as_str())?,
            };
        }
        let mut counters = transaction.open_table(COUNTERS)?;
        counters.insert(REVISION, batch.revision())?;
        let changes = batch.changes().iter();
        let latest: BTreeMap<&str, u64> = changes
            .map(|change| (&*change.collection, change.revision))
            .collect();
        for (collection, revision) in latest {
            counters.insert(collection, revision)?;
        }
    }
    transaction.commit()?;
    Ok(())
}
