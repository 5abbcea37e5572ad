//! The server: dynoxide, in memory or on a file.

use anyhow::{Result, anyhow};
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

/// A running server. Dropping it waits for open requests and closes the file.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

impl Server {
    /// Serves the DynamoDB API on the loopback address, at `port` or any free one: from a file in `data`, or from memory.
    /// The server has a thread and an executor of its own.
    pub(crate) fn start(data: Option<&Path>, port: Option<u16>) -> Result<Self> {
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
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the URL of the API.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends the server, and waits until the file is closed.
    pub(crate) async fn shutdown(mut self) -> Result<()> {
        let thread = self.stop();
        let joined = tokio::task::spawn_blocking(move || thread.map(JoinHandle::join)).await;
        match joined {
            Ok(None | Some(Ok(Ok(())))) => Ok(()),
            Ok(Some(Ok(Err(error)))) => Err(cannot("continue", error)),
            Ok(Some(Err(_))) | Err(_) => Err(cannot("continue", "its thread panicked")),
        }
    }

    fn stop(&mut self) -> Option<JoinHandle<Result<(), String>>> {
        // The thread may have ended already.
        let _: Option<Result<(), ()>> = self.stop.take().map(|stop| stop.send(()));
        self.thread.take()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(thread) = self.stop() {
            let _: Result<_, _> = thread.join();
        }
    }
}

fn open(data: Option<&Path>) -> Result<Database> {
    let Some(directory) = data else {
        return Database::memory().map_err(|error| cannot("start", error));
    };
    std::fs::create_dir_all(directory).map_err(|error| cannot(format!("make {}", directory.display()), error))?;
    let file = directory.join(FILE);
    let path = file.to_str().ok_or_else(|| cannot(format!("open {}", file.display()), "the path is not Unicode"))?;
    Database::new(path).map_err(|error| cannot(format!("open {path}"), error))
}

fn run(listener: TcpListener, database: Database, stopped: oneshot::Receiver<()>) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| error.to_string())?;
        let sweeper = tokio::spawn(sweep(database.clone()));
        let served = serve_with_shutdown(listener, database, async {
            // A dropped sender ends the server too.
            let _: Result<(), _> = stopped.await;
        })
        .await;
        sweeper.abort();
        served
    })
}

/// Removes expired records from time to time, as DynamoDB does.
async fn sweep(database: Database) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let database = database.clone();
        // Records that cannot be removed now are removed the next time.
        let _: Result<_, _> = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
    }
}

fn cannot(what: impl std::fmt::Display, why: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("the store cannot {what}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use storage::{Created, Key, Kind, Partition, Record, Records, contract};
    use storage_dynamodb::{Connection, DynamoRecords, table};
    use types::Timestamp;

    /// Returns the records of the table, which is created if it does not exist.
    async fn records(server: &Server) -> DynamoRecords {
        let client = Connection::to_emulator(&server.endpoint(), "latchkey").client().unwrap();
        table::create(&client, "latchkey").await.unwrap();
        DynamoRecords::new(client, "latchkey")
    }

    fn scratch(name: &str) -> std::path::PathBuf {
        let directory = std::env::temp_dir().join(format!("latchkey-{name}-{}", std::process::id()));
        let _: std::io::Result<()> = std::fs::remove_dir_all(&directory);
        directory
    }

    #[tokio::test]
    async fn a_store_on_a_file_satisfies_the_contract() {
        let data = scratch("contract");
        let server = Server::start(Some(&data), None).unwrap();
        let table = records(&server).await;
        if let Err(wrong) = contract::run(std::sync::Arc::new(table), "run").await {
            panic!("{}", wrong.join("\n"));
        }
        server.shutdown().await.unwrap();
        std::fs::remove_dir_all(&data).unwrap();
    }

    #[tokio::test]
    async fn a_file_keeps_records_when_the_server_ends() {
        let data = scratch("file");
        let record = Record {
            key: Key::new(Kind::User, Partition::of("ada"), "ada"),
            owner: None,
            body: "{}".to_owned(),
            state: "{}".to_owned(),
            generation: 0,
            expires_at: Some(Timestamp::from_millis(4_102_444_800_123)),
        };
        let server = Server::start(Some(&data), None).unwrap();
        let table = records(&server).await;
        assert_eq!(table.create(&record).await, Ok(Created::Created));
        server.shutdown().await.unwrap();
        assert!(table.get(&record.key).await.is_err(), "the server has ended");

        let server = Server::start(Some(&data), None).unwrap();
        let table = records(&server).await;
        assert_eq!(table.get(&record.key).await, Ok(Some(record.clone())));
        drop(server);
        std::fs::remove_dir_all(&data).unwrap();

        let server = Server::start(None, None).unwrap();
        let table = records(&server).await;
        assert_eq!(table.get(&record.key).await, Ok(None));
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_an_error() {
        let taken = Server::start(None, None).unwrap();
        let failure = Server::start(None, Some(taken.address.port())).err().unwrap();
        assert!(failure.to_string().contains("cannot listen on 127.0.0.1:"), "{failure}");
    }
}
