//! The price of a million first sign-ins with three refreshes each, from counted requests, calls, rows and log lines.
//!
//! Not counted: egress, a firewall, free allowances, and what the platform takes per month whatever happens.

use crate::common::{PASSWORD, deployment};
use async_trait::async_trait;
use simulation::{Flow, T0, Tokens, subject, username};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use storage::memory::Memory;
use storage::{Advance, Created, Cursor, Key, Kind, Owner, Page, Record, Records, Unavailable, users};
use types::Timestamp;

/// The budget, in dollars per million.
const BUDGET: f64 = 30.0;

/// Public prices, in dollars per million unless the name says otherwise (AWS: us-east-1, arm64; November 2026).
mod price {
    pub(super) const HTTP_API_REQUEST: f64 = 1.00;
    pub(super) const LAMBDA_REQUEST: f64 = 0.20;
    pub(super) const LAMBDA_GB_SECOND: f64 = 13.3334;
    pub(super) const DYNAMODB_WRITE: f64 = 0.625;
    pub(super) const DYNAMODB_READ: f64 = 0.125;
    pub(super) const CLOUDWATCH_GIGABYTE: f64 = 0.50;
    pub(super) const WORKER_REQUEST: f64 = 0.30;
    pub(super) const WORKER_CPU_MILLISECOND: f64 = 0.02;
    pub(super) const OBJECT_REQUEST: f64 = 0.15;
    pub(super) const OBJECT_GB_SECOND: f64 = 12.50;
    pub(super) const ROW_WRITTEN: f64 = 1.00;
    pub(super) const ROW_READ: f64 = 0.001;
    pub(super) const WORKERS_LOGS_GIGABYTE: f64 = 0.25;
}

/// Compute of one request, measured by `cargo xtask budgets` and rounded up: seconds billed by Lambda (calls of the store
/// included), and milliseconds of CPU of a Worker.
mod compute {
    pub(super) const REQUEST_SECONDS: f64 = 0.015;
    pub(super) const REQUEST_GB: f64 = 0.5;
    pub(super) const PASSWORD_SECONDS: f64 = 0.080;
    pub(super) const PASSWORD_GB: f64 = 1.728;
    pub(super) const REQUEST_CPU_MILLISECONDS: f64 = 1.5;
    pub(super) const PASSWORD_CPU_MILLISECONDS: f64 = 60.0;
    /// Time for which one call keeps an object in memory, at 128 MB.
    pub(super) const OBJECT_CALL_SECONDS: f64 = 0.002;
}

/// Bytes that the platform adds for each request: the access log of API Gateway, and the envelope of Workers Logs.
const AWS_LOG_BYTES: f64 = 400.0;
const CLOUDFLARE_LOG_BYTES: f64 = 700.0;

/// Rows that an object reads for a record on each day until it is deleted: two for each sweep, twice a day.
const ROWS_SWEPT_A_DAY: f64 = 4.0;

/// Days for which a grant that is refreshed is kept.
const GRANT_DAYS: f64 = 90.0;

/// The counted use of the stores.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    calls: f64,
    write_units: f64,
    read_units: f64,
    rows_written: f64,
    rows_read: f64,
}

/// A store that counts what DynamoDB and Durable Objects bill.
struct Metered {
    records: Arc<Memory>,
    used: Arc<Mutex<Use>>,
}

fn kilobytes(record: &Record) -> f64 {
    let owner = record.owner.as_ref().map_or(0, |owner| owner.as_str().len());
    let bytes = record.key.as_str().len() + owner + record.body.len() + record.state.len() + 100;
    (bytes as f64 / 1024.0).ceil()
}

/// Days until a record is deleted; 0 if it does not expire.
fn days(record: &Record) -> f64 {
    match record.expires_at {
        None => 0.0,
        Some(_) if record.key.is(Kind::Grant) => GRANT_DAYS,
        Some(expires_at) => (expires_at.since(T0).as_secs_f64() / 86_400.0).ceil(),
    }
}

/// Rows of a record: itself, and the entry of its owner.
fn rows(record: &Record) -> f64 {
    if record.owner.is_some() { 2.0 } else { 1.0 }
}

impl Metered {
    fn add(&self, more: Use) {
        let mut used = self.used.lock().unwrap();
        used.calls += 1.0;
        used.write_units += more.write_units;
        used.read_units += more.read_units;
        used.rows_written += more.rows_written;
        used.rows_read += more.rows_read + 1.0;
    }
}

#[async_trait]
impl Records for Metered {
    async fn create(&self, record: &Record) -> Result<Created, Unavailable> {
        let created = self.records.create(record).await?;
        let is_new = created == Created::Created;
        // A record that expires is deleted later: by DynamoDB for nothing, by an object row for row.
        let deletions = if record.expires_at.is_some() { 2.0 } else { 1.0 };
        self.add(Use {
            write_units: kilobytes(record) + if is_new && record.owner.is_some() { 1.0 } else { 0.0 },
            rows_written: if is_new { rows(record) * deletions } else { 0.0 },
            rows_read: days(record) * ROWS_SWEPT_A_DAY,
            ..Use::default()
        });
        Ok(created)
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, Unavailable> {
        let found = self.records.get(key).await?;
        let kilobytes = found.as_ref().map_or(1.0, kilobytes);
        self.add(Use { read_units: (kilobytes / 4.0).ceil(), ..Use::default() });
        Ok(found)
    }

    async fn advance(
        &self,
        key: &Key,
        from: u64,
        state: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<Advance, Unavailable> {
        let advanced = self.records.advance(key, from, state, expires_at).await?;
        let (write_units, rows_written) = match &advanced {
            Advance::Advanced(record) => (kilobytes(record), 1.0),
            Advance::Stale(_) | Advance::Missing => (1.0, 0.0),
        };
        self.add(Use { write_units, rows_written, ..Use::default() });
        Ok(advanced)
    }

    async fn delete(&self, key: &Key) -> Result<(), Unavailable> {
        // The rows of the deletion were counted at the creation.
        self.add(Use { write_units: 2.0, ..Use::default() });
        self.records.delete(key).await
    }

    async fn list(&self, owner: &Owner, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        let page = self.records.list(owner, cursor, limit).await?;
        let records = page.records.len() as f64;
        self.add(Use { read_units: 1.0 + records, rows_read: records, ..Use::default() });
        Ok(page)
    }

    async fn count(&self, key: &Key, by: i64, expires_at: Timestamp) -> Result<i64, Unavailable> {
        let total = self.records.count(key, by, expires_at).await?;
        // A counter is written first, and deleted in the end.
        let is_new = total == by;
        self.add(Use { write_units: 1.0, rows_written: if is_new { 2.0 } else { 1.0 }, ..Use::default() });
        Ok(total)
    }
}

/// The counted use of one first sign-in with three refreshes, on a warm instance.
struct Counted {
    requests: f64,
    log_bytes: f64,
    used: Use,
}

/// Registers a user who was never here.
async fn enter_bob(records: &dyn Records) {
    let alice = users::find(records, &subject("alice-subject")).await.unwrap().unwrap();
    let credential = users::find_credential(records, &username("alice")).await.unwrap().unwrap();
    let subject = subject("bob-subject");
    let credential = users::Credential { subject: subject.clone(), ..credential };
    users::save_credential(records, &username("bob"), &credential).await.unwrap();
    users::save(records, &users::User { subject, username: "bob".to_owned(), ..alice }, simulation::T0).await.unwrap();
}

async fn first_sign_in() -> Counted {
    let used: Arc<Mutex<Use>> = Arc::default();
    let lines: Arc<Mutex<Vec<usize>>> = Arc::default();
    let memory = Arc::new(Memory::new());
    let metered = Arc::new(Metered { records: Arc::clone(&memory), used: Arc::clone(&used) });
    let mut instance = deployment(metered).await;
    enter_bob(memory.as_ref()).await;
    // Warms the caches of clients and keys, from another address.
    instance.address = [198, 51, 100, 1].into();
    Tokens::of(&Flow::redeem(&instance, &Flow::default().code(&instance, PASSWORD, "openid").await).await);
    let logged = Arc::clone(&lines);
    instance.context_mut().log = Arc::new(move |line| logged.lock().unwrap().push(line.len()));
    instance.address = [192, 0, 2, 7].into();
    instance.wait(Duration::from_secs(20));
    *used.lock().unwrap() = Use::default();

    let code = Flow::of("bob").code(&instance, PASSWORD, "openid profile offline_access").await;
    let mut tokens = Tokens::of(&Flow::redeem(&instance, &code).await);
    for _ in 0..3 {
        // Within the minute for which an instance keeps clients and keys: a busy deployment has them.
        instance.wait(Duration::from_secs(5));
        tokens = Tokens::of(&Flow::refresh(&instance, &tokens.refresh).await);
    }
    let used = *used.lock().unwrap();
    let lines = lines.lock().unwrap();
    Counted { requests: lines.len() as f64, log_bytes: lines.iter().sum::<usize>() as f64, used }
}

/// Returns the dollars for a million, by item.
fn aws(counted: &Counted) -> Vec<(&'static str, f64)> {
    let Counted { requests, log_bytes, used } = counted;
    let seconds = (requests - 1.0) * compute::REQUEST_SECONDS * compute::REQUEST_GB
        + compute::PASSWORD_SECONDS * compute::PASSWORD_GB;
    let kilobytes = (log_bytes + requests * AWS_LOG_BYTES) / 1000.0;
    vec![
        ("HTTP API", requests * price::HTTP_API_REQUEST),
        ("Lambda requests", requests * price::LAMBDA_REQUEST),
        ("Lambda compute", seconds * price::LAMBDA_GB_SECOND),
        ("DynamoDB writes", used.write_units * price::DYNAMODB_WRITE),
        ("DynamoDB reads", used.read_units * price::DYNAMODB_READ),
        ("CloudWatch Logs", kilobytes * price::CLOUDWATCH_GIGABYTE),
    ]
}

fn cloudflare(counted: &Counted) -> Vec<(&'static str, f64)> {
    let Counted { requests, log_bytes, used } = counted;
    let cpu = (requests - 1.0) * compute::REQUEST_CPU_MILLISECONDS + compute::PASSWORD_CPU_MILLISECONDS;
    let kilobytes = (log_bytes + requests * CLOUDFLARE_LOG_BYTES) / 1000.0;
    vec![
        ("Worker requests", requests * price::WORKER_REQUEST),
        ("Worker CPU", cpu * price::WORKER_CPU_MILLISECOND),
        ("object requests", used.calls * price::OBJECT_REQUEST),
        ("object time", used.calls * compute::OBJECT_CALL_SECONDS * 0.128 * price::OBJECT_GB_SECOND),
        ("rows written", used.rows_written * price::ROW_WRITTEN),
        ("rows read", used.rows_read * price::ROW_READ),
        ("Workers Logs", kilobytes * price::WORKERS_LOGS_GIGABYTE),
    ]
}

#[tokio::test]
async fn a_million_first_sign_ins_cost_at_most_thirty_dollars() {
    let counted = first_sign_in().await;
    let mut report = format!("{} requests, {:?}\n", counted.requests, counted.used);
    let mut totals = Vec::new();
    for (platform, items) in [("AWS", aws(&counted)), ("Cloudflare", cloudflare(&counted))] {
        let total: f64 = items.iter().map(|(_, dollars)| dollars).sum();
        report.push_str(&format!("{platform}: ${total:.2} per million\n"));
        items.iter().for_each(|(item, dollars)| report.push_str(&format!("  {item}: ${dollars:.2}\n")));
        totals.push(total);
    }
    println!("{report}");
    assert!(counted.requests >= 10.0 && counted.used.calls >= 12.0, "too little was counted: {report}");
    assert!(totals.iter().all(|total| *total <= BUDGET), "{report}");
}
