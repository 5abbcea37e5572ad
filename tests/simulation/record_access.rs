//! A function uses only the records that its row in the manifest names.

use http::{HeaderMap, Method};
use latchkey_http::{Forwarded, Request, RequestLog, Response};
use provider::{Function, shell};
use simulation::{Instance, T0};
use std::sync::{Arc, Mutex};
use storage::memory::Memory;
use storage::{Key, Kind, Partition};

/// A consent function that reads the verifier of a password, which only the sign-in function may read.
const CURIOUS: Function = Function::page("consent", |_, context| {
    Box::pin(async {
        context.records.get(&Key::new(Kind::Credential, Partition::of("id"), "id")).await?;
        Ok(Response::new(http::StatusCode::OK))
    })
});

#[tokio::test]
async fn access_beyond_the_row_is_rejected_and_logged() {
    let mut instance = Instance::start(Arc::new(Memory::new()), &[]);
    let log = Arc::new(Mutex::new(Vec::new()));
    let written = Arc::clone(&log);
    instance.context_mut().log = Arc::new(move |line| written.lock().unwrap().push(line.to_owned()));
    let request = Request {
        method: Method::GET,
        path: "/consent".to_owned(),
        query: String::new(),
        headers: HeaderMap::new(),
        body: Vec::new().into(),
        address: None,
        place: None,
        certificate: None,
        forwarded: Forwarded::default(),
        received_at: T0,
        id: "test".to_owned().into(),
        log: RequestLog::default(),
    };
    let response = shell::respond(&CURIOUS, request, &instance.context().guarded(CURIOUS.row)).await;
    assert_eq!(response.status, http::StatusCode::SERVICE_UNAVAILABLE);
    let log = log.lock().unwrap().join("\n");
    assert!(
        log.contains(r#""function":"consent","reason":"forbidden record access: consent may not get credential"#),
        "{log}"
    );
}
