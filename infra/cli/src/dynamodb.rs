//! `latchkey dynamodb`: the DynamoDB API on this machine, on SQLite, for the Lambda emulator.

use crate::failure::Failure;
use dynoxide::Database;
use dynoxide::server::serve_with_shutdown;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::oneshot;

/// The file in the data directory.
const FILE: &str = "records.sqlite";

/// Time between two removals of expired records.
const SWEEP: Duration = Duration::from_secs(600);

/// A running store. It stops when this is dropped: answers what it was asked, and closes its file.
pub(crate) struct Embedded {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

/// Serves the DynamoDB API on the loopback address, at `port` or any free one: from a file in `data`, or from memory.
/// It has a thread and a runtime of its own, so that its work does not hold up the caller's.
pub(crate) async fn serve(data: Option<&Path>, port: Option<u16>) -> Result<Embedded, Failure> {
    let database = open(data)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
    let listener = TcpListener::bind(address).map_err(|error| cannot(format!("listen on {address}"), error))?;
    let address = listener.local_addr().map_err(|error| cannot("listen", error))?;
    listener.set_nonblocking(true).map_err(|error| cannot("listen", error))?;

    let (stop, stopped) = oneshot::channel();
    let thread = thread::Builder::new()
        .name("dynamodb".to_owned())
        .spawn(move || run(listener, database, stopped))
        .map_err(|error| cannot("start", error))?;
    Ok(Embedded { address, stop: Some(stop), thread: Some(thread) })
}

impl Embedded {
    /// The URL of the API.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops it, and waits until its file is closed.
    pub(crate) async fn shutdown(mut self) -> Result<(), Failure> {
        let thread = self.stop();
        let joined = tokio::task::spawn_blocking(move || thread.map(JoinHandle::join)).await;
        match joined {
            Ok(None | Some(Ok(Ok(())))) => Ok(()),
            Ok(Some(Ok(Err(error)))) => Err(cannot("go on", error)),
            Ok(Some(Err(_))) | Err(_) => Err(cannot("go on", "it broke off")),
        }
    }

    fn stop(&mut self) -> Option<JoinHandle<Result<(), String>>> {
        // Whether it is still there to hear it does not matter.
        let _: Option<Result<(), ()>> = self.stop.take().map(|stop| stop.send(()));
        self.thread.take()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(thread) = self.stop() {
            let _: Result<_, _> = thread.join();
        }
    }
}

fn open(data: Option<&Path>) -> Result<Database, Failure> {
    let Some(directory) = data else {
        return Database::memory().map_err(|error| cannot("start", error));
    };
    std::fs::create_dir_all(directory).map_err(|error| cannot(format!("make {}", directory.display()), error))?;
    let file = directory.join(FILE);
    let path = file.to_str().ok_or_else(|| cannot(format!("open {}", file.display()), "the path is not Unicode"))?;
    Database::new(path).map_err(|error| {
        cannot(format!("open {path}"), error)
            .remedy(format!("Give another directory with --data, or remove {} to start anew.", directory.display()))
    })
}

fn run(listener: TcpListener, database: Database, stopped: oneshot::Receiver<()>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
        let sweeper = tokio::spawn(sweep(database.clone()));
        let served = serve_with_shutdown(listener, database, async {
            // A sender that is gone asks for the same.
            let _: Result<(), _> = stopped.await;
        })
        .await;
        sweeper.abort();
        served
    })
}

/// Removes what has expired, now and then, as DynamoDB does.
async fn sweep(database: Database) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let database = database.clone();
        // What could not be removed now is removed the next time.
        let _: Result<_, _> = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
    }
}

fn cannot(what: impl std::fmt::Display, why: impl std::fmt::Display) -> Failure {
    Failure::new(format!("the store cannot {what}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::{Created, Key, Kind, Partition, Record, Records, contract};
    use storage_dynamodb::{Connection, DynamoRecords, table};
    use types::Timestamp;

    /// Returns the records of the table, which is created if it does not exist.
    async fn records(embedded: &Embedded) -> DynamoRecords {
        let client = Connection::to_emulator(&embedded.endpoint(), "latchkey").client().unwrap();
        table::create(&client, "latchkey").await.unwrap();
        DynamoRecords::new(client, "latchkey")
    }

    fn scratch(name: &str) -> std::path::PathBuf {
        let directory = std::env::temp_dir().join(format!("latchkey-{name}-{}", std::process::id()));
        let _: std::io::Result<()> = std::fs::remove_dir_all(&directory);
        directory
    }

    #[tokio::test]
    async fn a_file_keeps_the_contract() {
        let data = scratch("contract");
        let embedded = serve(Some(&data), None).await.unwrap();
        let table = records(&embedded).await;
        if let Err(wrong) = contract::run(std::sync::Arc::new(table), "run").await {
            panic!("{}", wrong.join("\n"));
        }
        embedded.shutdown().await.unwrap();
        std::fs::remove_dir_all(&data).unwrap();
    }

    #[tokio::test]
    async fn records_outlive_the_store_when_it_has_a_file() {
        let data = scratch("file");
        let record = Record {
            key: Key::new(Kind::User, Partition::of("ada"), "ada"),
            owner: None,
            body: "{}".to_owned(),
            state: "{}".to_owned(),
            generation: 0,
            expires_at: Some(Timestamp::from_millis(4_102_444_800_123)),
        };
        let embedded = serve(Some(&data), None).await.unwrap();
        let table = records(&embedded).await;
        assert_eq!(table.create(&record).await, Ok(Created::Created));
        embedded.shutdown().await.unwrap();
        assert!(table.get(&record.key).await.is_err(), "nobody answers any more");

        let embedded = serve(Some(&data), None).await.unwrap();
        let table = records(&embedded).await;
        assert_eq!(table.get(&record.key).await, Ok(Some(record.clone())));
        drop(embedded);
        std::fs::remove_dir_all(&data).unwrap();

        let embedded = serve(None, None).await.unwrap();
        let table = records(&embedded).await;
        assert_eq!(table.get(&record.key).await, Ok(None));
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_an_error() {
        let taken = serve(None, None).await.unwrap();
        let failure = serve(None, Some(taken.address.port())).await.err().unwrap();
        assert!(failure.to_string().contains("cannot listen on 127.0.0.1:"), "{failure}");
    }
}
