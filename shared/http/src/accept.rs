//! The header fields Accept and Accept-Encoding (RFC 9110 §12.5.1, §12.5.3).

/// Returns the weight that a field gives to a media type, in thousandths: that of the most specific range which holds it. An
/// empty field gives every type the same weight.
pub(crate) fn weight(accept: &str, media_type: &str) -> u16 {
    let of_type = media_type.split('/').next().unwrap_or_default();
    let mut best = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let specificity = if name.eq_ignore_ascii_case(media_type) {
            3
        } else if name.strip_suffix("/*").is_some_and(|kind| kind.eq_ignore_ascii_case(of_type)) {
            2
        } else if name == "*/*" {
            1
        } else {
            continue;
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, per_mille);
        if specificity > best.0 {
            best = (specificity, weight);
        }
    }
    best.1
}

/// True if a field Accept-Encoding allows a content coding: by its name or, if it does not name the coding, by `*`.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn allows_coding(accept_encoding: &str, coding: &str) -> bool {
    let weight = |wanted: &str| {
        accept_encoding.split(',').find_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            parts.next().filter(|name| name.eq_ignore_ascii_case(wanted))?;
            Some(parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, per_mille))
        })
    };
    weight(coding).or_else(|| weight("*")).is_some_and(|weight| weight > 0)
}

/// Returns a weight (RFC 9110 §12.4.2) in thousandths; 0 if it is malformed.
fn per_mille(weight: &str) -> u16 {
    match weight.split_once('.').unwrap_or((weight, "")) {
        ("1", digits) if digits.bytes().all(|digit| digit == b'0') => 1000,
        ("0", digits) if digits.len() <= 3 => format!("{digits:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_allowed_by_its_name_or_by_a_star() {
        for (field, allowed) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip, deflate, br, zstd", true),
            ("*", true),
            ("identity;q=0, *;q=0.1", true),
            ("", false),
            ("br", false),
            ("xgzip", false),
            ("identity", false),
            ("gzip;q=0", false),
            ("gzip; q=0.000, *", false),
            ("gzip;q=x", false),
            ("*;q=0", false),
        ] {
            assert_eq!(allows_coding(field, "gzip"), allowed, "{field}");
        }
    }

    #[test]
    fn the_most_specific_range_decides() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!((weight(browser, "text/html"), weight(browser, "application/json")), (1000, 800));
        let program = "application/json, text/plain, */*";
        assert_eq!((weight(program, "text/html"), weight(program, "application/json")), (1000, 1000));
        for (accept, html, json) in [
            ("", 0, 0),
            ("*/*", 1000, 1000),
            ("text/*;q=0.5, application/json;q=0.25", 500, 250),
            ("*/*, text/html;q=0", 0, 1000),
            ("TEXT/HTML;level=1; q=0.7", 700, 0),
            ("text/html;q=1.000", 1000, 0),
            ("text/html;q=2", 0, 0),
            ("text/html;q=0.1234", 0, 0),
            ("text/html;q=-", 0, 0),
        ] {
            assert_eq!((weight(accept, "text/html"), weight(accept, "application/json")), (html, json), "{accept}");
        }
    }
}
