//! Requests of `latchkey doctor`. No redirect is followed, and no answer is longer than a megabyte.

use super::report::Report;
use crate::args::DoctorArgs;
use crate::deployment::{agent, certificates};
use crate::failure::Failure;
use serde_json::Value;
use std::time::{Duration, Instant};
use ureq::http::{HeaderMap, Method, Request, Response, Uri, header};
use ureq::tls::RootCerts;
use ureq::{AsSendBody, Body};

/// Maximum length of an answer, in bytes.
const LIMIT: u64 = 1 << 20;

/// An HTTP client with the patience of an MCP client.
pub(super) struct Web {
    public: ureq::Agent,
    local: ureq::Agent,
    slow: Duration,
    timeout: Duration,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    took: Duration,
}

impl Web {
    pub(super) fn new(args: &DoctorArgs) -> Result<Self, Failure> {
        let roots = match args.ca.as_deref().filter(|file| !file.as_os_str().is_empty()) {
            Some(file) => certificates(file)?,
            None => RootCerts::WebPki,
        };
        Ok(Self {
            public: agent(false, roots.clone()),
            local: agent(true, roots),
            slow: args.slow,
            timeout: args.timeout,
        })
    }

    /// Sends a request. Errors: the reason for which no answer arrived.
    pub(super) fn send(&self, method: Method, url: &str, body: Option<&Value>, accept: &str) -> Result<Answer, String> {
        let uri: Uri = url.parse().map_err(|_| "is not a URL".to_owned())?;
        let agent = if is_this_machine(&uri) { &self.local } else { &self.public };
        let request = Request::builder().method(method).uri(&uri).header(header::ACCEPT, accept);
        let started = Instant::now();
        let failed = |error: ureq::Error| match error {
            ureq::Error::Timeout(_) => format!("did not answer within {} s", self.timeout.as_secs_f64()),
            error => format!("did not answer: {error}"),
        };
        let sent = match body {
            Some(body) => {
                let request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
                self.run(agent, request.map_err(|error| error.to_string())?)
            }
            None => self.run(agent, request.body(()).map_err(|error| error.to_string())?),
        };
        let mut response = sent.map_err(failed)?;
        // An event stream of a server without protection never ends: its head says enough.
        let is_stream = content_type(response.headers()).starts_with("text/event-stream");
        let body = if is_stream {
            String::new()
        } else {
            response.body_mut().with_config().limit(LIMIT).lossy_utf8(true).read_to_string().map_err(failed)?
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body, took: started.elapsed() })
    }

    fn run(&self, agent: &ureq::Agent, request: Request<impl AsSendBody>) -> Result<Response<Body>, ureq::Error> {
        agent.run(agent.configure_request(request).timeout_global(Some(self.timeout)).build())
    }

    /// Fetches and reads a JSON object. Records each reason for which a client would fail to read it.
    pub(super) fn document(&self, check: &'static str, url: &str, report: &mut Report) -> Option<Value> {
        let answer = match self.send(Method::GET, url, None, "application/json") {
            Ok(answer) => answer,
            Err(reason) => {
                report.fail(check, format!("{url} {reason}"), "Check that the server runs and is reachable from here.");
                return None;
            }
        };
        self.read(check, url, &answer, report)
    }

    /// Reads the JSON object of an answer. Records each reason for which a client would fail to read it.
    pub(super) fn read(&self, check: &'static str, url: &str, answer: &Answer, report: &mut Report) -> Option<Value> {
        self.judge_time(check, url, answer, report);
        answer.object(check, url, report)
    }

    /// Records an answer that took long.
    pub(super) fn judge_time(&self, check: &'static str, url: &str, answer: &Answer, report: &mut Report) {
        if answer.took > self.slow {
            report.warn(
                check,
                format!("{url} took {:.1} s", answer.took.as_secs_f64()),
                format!("Answer faster: hosted clients give up after {} s.", self.timeout.as_secs_f64()),
            );
        }
    }
}

impl Answer {
    /// Returns the target of a redirect.
    pub(super) fn location(&self) -> Option<&str> {
        let location = self.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        location.filter(|_| (300..400).contains(&self.status))
    }

    /// True if the answer is an HTML page.
    pub(super) fn is_html(&self) -> bool {
        content_type(&self.headers).starts_with("text/html") || self.body.trim_start().starts_with("<!")
    }

    /// Returns the JSON object of the answer, or records why there is none.
    fn object(&self, check: &'static str, url: &str, report: &mut Report) -> Option<Value> {
        if let Some(location) = self.location() {
            let remedy = "Serve the document at this URL itself: clients need not follow redirects.";
            report.fail(check, format!("{url} redirects to {location}"), remedy);
            return None;
        }
        if self.status != 200 || self.is_html() {
            let kind = if self.is_html() { "an HTML page" } else { "no document" };
            let remedy =
                "Serve the JSON document here, without sign-in, and let no firewall page or proxy answer in its place.";
            report.fail(check, format!("{url} answers {} with {kind}", self.status), remedy);
            return None;
        }
        let value: Option<Value> = serde_json::from_str(&self.body).ok().filter(Value::is_object);
        if value.is_none() {
            report.fail(check, format!("{url} is not a JSON object"), "Serve a JSON object.");
        } else if !content_type(&self.headers).starts_with("application/json") {
            let detail = format!("{url} has the content type {:?}", content_type(&self.headers));
            report.warn(check, detail, "Serve it as application/json.");
        }
        value
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// True if a URL names this machine.
pub(super) fn is_this_machine(uri: &Uri) -> bool {
    matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// True if clients accept a URL: https, or http on this machine.
pub(super) fn is_secure(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|uri| uri.scheme_str() == Some("https") || is_this_machine(&uri))
}
