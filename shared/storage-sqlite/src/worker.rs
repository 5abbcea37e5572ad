//! A thread that owns a connection and runs what it is sent, in order.

use futures::channel::oneshot;
use rusqlite::Connection;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};
use storage::Unavailable;

/// Jobs that one transaction holds at most.
const MAX_BATCH: usize = 256;

/// Tells the caller of a job the answer, once it is known whether the transaction was committed.
type Deliver = Box<dyn FnOnce(Result<(), &rusqlite::Error>) + Send>;

/// A statement to run on the connection.
type Job = Box<dyn FnOnce(&Connection) -> Deliver + Send>;

/// A thread with a connection. It ends, and closes the connection, when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread. With `in_transactions`, jobs that wait at the same time share a transaction.
    pub(crate) fn start(name: &str, connection: Connection, in_transactions: bool) -> std::io::Result<Self> {
        let (jobs, receiver) = channel();
        let run = move || if in_transactions { write(&connection, &receiver) } else { read(&connection, &receiver) };
        let thread = Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs a job on the thread and returns its result after the commit.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = job(connection).map_err(|error| failed(&error));
            Box::new(move |committed| {
                let result = committed.map_err(failed).and(result);
                // A caller that is gone needs no answer.
                let _ = answer.send(result);
            })
        });
        let ended = || Unavailable { reason: "the embedded store has ended".to_owned() };
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(ended)?;
        answered.await.map_err(|_| ended())?
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn failed(error: &rusqlite::Error) -> Unavailable {
    Unavailable { reason: format!("SQLite: {error}") }
}

fn read(connection: &Connection, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        job(connection)(Ok(()));
    }
}

fn write(connection: &Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let waiting = std::iter::once(first).chain(jobs.try_iter()).take(MAX_BATCH);
        let begun = connection.execute_batch("BEGIN IMMEDIATE");
        let delivers: Vec<Deliver> = waiting.map(|job| job(connection)).collect();
        let committed = begun.and_then(|()| connection.execute_batch("COMMIT"));
        if committed.is_err() && !connection.is_autocommit() {
            // The next transaction cannot begin inside this one. If this fails too, so does every later write.
            let _ = connection.execute_batch("ROLLBACK");
        }
        for deliver in delivers {
            deliver(committed.as_ref().map(|_| ()));
        }
    }
}
