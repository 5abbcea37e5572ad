//! Compression of responses where the platform does not compress: on AWS Lambda and on the local machine. Before a Worker, the
//! edge of Cloudflare compresses. `infra/decisions/compression.md` has the rule.

use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use latchkey_http::Response;
use std::io::Write;

/// The shortest body that is compressed, in bytes: a shorter one fits into one packet with its header.
const SHORTEST: usize = 1024;

/// Compresses an open body that is text, if the client reads gzip.
pub(crate) fn compress(mut response: Response, allows_gzip: bool) -> Response {
    let is_worth_it = response.is_open
        && allows_gzip
        && response.body.len() >= SHORTEST
        && response.status != StatusCode::NOT_MODIFIED
        && !response.headers.contains_key(CONTENT_ENCODING)
        && response.headers.get(CONTENT_TYPE).is_some_and(|kind| is_text(kind.as_bytes()));
    if let Some(compressed) = is_worth_it.then(|| gzip(&response.body)).flatten() {
        response.body = compressed;
        response.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn is_text(media_type: &[u8]) -> bool {
    let essence = media_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    essence.starts_with(b"text/") || essence.ends_with(b"json") || essence.ends_with(b"+xml")
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len().div_euclid(2)), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use std::io::Read;

    fn page(length: usize) -> Response {
        Response::new(StatusCode::OK).with(CONTENT_TYPE, "text/html; charset=utf-8").with_body("a".repeat(length))
    }

    #[test]
    fn an_open_body_is_compressed_and_stays_the_same() {
        let compressed = compress(page(5000).open(), true);
        assert_eq!(compressed.headers.get(CONTENT_ENCODING).unwrap(), "gzip");
        let mut read = String::new();
        flate2::read::GzDecoder::new(&compressed.body[..]).read_to_string(&mut read).unwrap();
        assert_eq!(read, "a".repeat(5000));
    }

    #[test]
    fn every_other_body_stays_as_it_is() {
        let picture = Response::new(StatusCode::OK).with(CONTENT_TYPE, "image/png").with_body("a".repeat(5000)).open();
        let encoded = page(5000).with(CONTENT_ENCODING, "br").open();
        for (response, allows_gzip) in [
            (page(5000), true),
            (page(5000).open(), false),
            (page(SHORTEST - 1).open(), true),
            (Response::new(StatusCode::NO_CONTENT).open(), true),
            (picture, true),
            (encoded, true),
        ] {
            let after = compress(response.clone(), allows_gzip);
            assert_eq!((&after.body, &after.headers), (&response.body, &response.headers));
        }
    }
}
