//! The contract through the AWS SDK, on DynamoDB in this process; and what the SDK does when answers fail to come.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "native, and a test fails by panicking"
)]

use dynoxide::Database;
use dynoxide::server::serve_with_shutdown;
use latchkey_storage_dynamodb::{Connection, DynamoRecords, table};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use storage::{Advance, Created, Key, Kind, Owner, Partition, Record, Records, contract};
use types::Timestamp;

/// DynamoDB on a thread of its own, until the process ends; its port.
fn dynamodb() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            serve_with_shutdown(listener, Database::memory().unwrap(), std::future::pending()).await.unwrap();
        });
    });
    port
}

async fn records(port: u16) -> DynamoRecords {
    let connection = Connection::to_emulator(&format!("http://127.0.0.1:{port}"), "latchkey");
    table::create(&connection.client().unwrap(), &connection.table).await.unwrap();
    connection.records().unwrap()
}

fn record(id: &str) -> Record {
    Record {
        key: Key::new(Kind::Grant, Partition::of(id), id),
        owner: Some(Owner::new("somebody")),
        body: "{}".to_owned(),
        state: "0".to_owned(),
        generation: 0,
        expires_at: Some(Timestamp::from_millis(4_102_444_800_123)),
    }
}

#[tokio::test]
async fn dynamodb_keeps_the_contract() {
    let records = Arc::new(records(dynamodb()).await);
    for run in ["first", "second"] {
        let started = Instant::now();
        if let Err(wrong) = contract::run(records.clone(), run).await {
            panic!("{}", wrong.join("\n"));
        }
        println!("{run} run of the contract: {:?}", started.elapsed());
    }
}

/// RFC 9110 §6.6.1: each answer has a date, also that of a failure. The own clock here is at the epoch.
#[tokio::test]
async fn answers_say_the_time_of_the_store() {
    let port = dynamodb();
    let sound = records(port).await;
    assert_eq!(sound.clock(), None, "without a clock of its own");
    let connection = |table: &str| Connection::to_emulator(&format!("http://127.0.0.1:{port}"), table);
    let own = || Timestamp::from_millis(7);
    for table in ["latchkey", "none"] {
        let records = connection(table).records_with_clock(own).unwrap();
        assert_eq!(records.clock(), None, "no answer yet");
        assert_eq!(records.get(&record("one").key).await.is_ok(), table == "latchkey");
        let reading = records.clock().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap());
        assert_eq!(reading.own, own());
        assert!(now.since(reading.store) < Duration::from_secs(10) && reading.store <= now, "{reading:?}");
        assert!(reading.difference() > Duration::from_secs(86_400));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_clients_one_advances() {
    let port = dynamodb();
    records(port).await.create(&record("shared")).await.unwrap();
    let tasks: Vec<_> = (0..16)
        .map(|caller| {
            tokio::spawn(async move {
                let records = records(port).await;
                records.advance(&record("shared").key, 0, &caller.to_string(), None).await.unwrap()
            })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += i32::from(matches!(task.await.unwrap(), Advance::Advanced(_)));
    }
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn a_table_is_made_once() {
    let port = dynamodb();
    records(port).await;
    let records = records(port).await;
    assert_eq!(records.create(&record("one")).await, Ok(Created::Created));
}

#[tokio::test]
async fn without_a_table_the_store_is_unavailable() {
    let connection = Connection::to_emulator(&format!("http://127.0.0.1:{}", dynamodb()), "none");
    let unavailable = connection.records().unwrap().get(&record("one").key).await.unwrap_err();
    assert!(unavailable.reason.starts_with("GetItem: ResourceNotFoundException: "), "{unavailable}");
}

/// A proxy between the SDK and DynamoDB, for one connection at a time.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Open,
    /// The request arrives; the answer does not.
    AnswerLost,
    /// The connection is closed at once.
    Closed,
    /// Nothing ever comes back.
    Silent,
}

/// A way to `port` that behaves like this for the first connections in turn, and then is open. Each connection
/// carries one request.
fn way_to(port: u16, ways: &'static [Way]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let entrance = listener.local_addr().unwrap().port();
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let nth = count.fetch_add(1, Ordering::SeqCst);
            let way = ways.get(nth).copied().unwrap_or(Way::Open);
            let connection = connection.unwrap();
            thread::spawn(move || carry(connection, port, way));
        }
    });
    (entrance, requests)
}

fn carry(mut client: TcpStream, port: u16, way: Way) {
    if way == Way::Closed {
        return;
    }
    let request = read_message(&mut client);
    if way == Way::Silent {
        thread::sleep(Duration::from_secs(30));
        return;
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
    server.write_all(&request).unwrap();
    let answer = read_message(&mut server);
    if way == Way::Open {
        let text = String::from_utf8(answer).unwrap();
        let closing = text.replacen("\r\n", "\r\nconnection: close\r\n", 1);
        client.write_all(closing.as_bytes()).unwrap();
    }
}

/// One HTTP message, with the body that its content-length tells.
fn read_message(stream: &mut TcpStream) -> Vec<u8> {
    let mut message = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        message.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&message).to_lowercase();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text[..end].lines().find_map(|line| line.strip_prefix("content-length: "));
            if message.len() >= end + 4 + length.map_or(0, |digits| digits.parse().unwrap()) {
                return message;
            }
        }
        assert_ne!(read, 0, "a message that ends early");
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_told_what_it_did() {
    let port = dynamodb();
    records(port).await;

    for lost in [[Way::AnswerLost].as_slice(), &[Way::AnswerLost, Way::AnswerLost], &[Way::Closed, Way::AnswerLost]] {
        let lost: &'static [Way] = lost.to_vec().leak();
        let id = format!("lost-{}", lost.len() + usize::from(lost[0] == Way::Closed));
        let created = record(&id);

        let (entrance, requests) = way_to(port, lost);
        let shaky = Connection::to_emulator(&format!("http://127.0.0.1:{entrance}"), "latchkey").records().unwrap();
        assert_eq!(shaky.create(&created).await, Ok(Created::Created));
        assert_eq!(requests.load(Ordering::SeqCst), lost.len() + 1);

        let (entrance, requests) = way_to(port, lost);
        let shaky = Connection::to_emulator(&format!("http://127.0.0.1:{entrance}"), "latchkey").records().unwrap();
        let wanted = Record { state: "mine".to_owned(), generation: 1, ..created.clone() };
        let advanced = shaky.advance(&created.key, 0, "mine", created.expires_at).await;
        assert_eq!(advanced, Ok(Advance::Advanced(wanted.clone())));
        assert_eq!(requests.load(Ordering::SeqCst), lost.len() + 1);

        let other = shaky.advance(&created.key, 0, "yours", created.expires_at).await;
        assert_eq!(other, Ok(Advance::Stale(wanted)), "somebody else is told the truth");
    }
}

#[tokio::test]
async fn a_store_that_is_silent_is_given_up_within_the_deadline() {
    let (entrance, requests) = way_to(0, &[Way::Silent; 9]);
    let silent = Connection::to_emulator(&format!("http://127.0.0.1:{entrance}"), "latchkey").records().unwrap();
    let started = Instant::now();
    let unavailable = silent.get(&record("one").key).await.unwrap_err();
    let waited = started.elapsed();
    assert!((Duration::from_secs(4)..Duration::from_secs(7)).contains(&waited), "gave up after {waited:?}");
    assert!(requests.load(Ordering::SeqCst) <= 3);
    assert!(unavailable.reason.starts_with("GetItem: "), "{unavailable}");
}

#[tokio::test]
async fn a_store_that_is_not_there_is_unavailable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = Connection::to_emulator(&format!("http://127.0.0.1:{port}"), "latchkey").records().unwrap();
    let started = Instant::now();
    let unavailable = nobody.get(&record("one").key).await.unwrap_err();
    assert!(unavailable.reason.contains("refused"), "{unavailable}");
    assert!(started.elapsed() < Duration::from_secs(3));
}
