//! `Content-Security-Policy` of a page.

use crate::{Frame, client::split_web};

/// The places to which the forms of a page may lead. Browsers apply `form-action` to the whole chain of redirects that answers
/// a form (CSP Level 3 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FormAction {
    /// The page has no form.
    None,
    /// Forms post to the page's origin. An answer that leaves this server is a page that navigates.
    Own,
    /// The one form posts to a client's redirect URI, which may redirect on to any place.
    Client,
}

/// Content security policy: what a page may do beyond showing text in its own style.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy<'a> {
    pub(crate) frame: &'a Frame,
    /// True if the page has a script.
    pub(crate) script: bool,
    /// True if the script calls the page's origin.
    pub(crate) connect: bool,
    /// True if the page shows a logo, which this server delivers.
    pub(crate) logo: bool,
    /// The places to which forms lead.
    pub(crate) form_action: FormAction,
    /// URIs that the page loads in frames.
    pub(crate) frames: &'a [&'a str],
}

impl<'a> Policy<'a> {
    /// Returns the strictest policy: style only.
    pub(crate) fn new(frame: &'a Frame) -> Self {
        Self { frame, script: false, connect: false, logo: false, form_action: FormAction::None, frames: &[] }
    }

    /// Returns the value of the header.
    pub(crate) fn header(&self) -> String {
        let nonce: String = self.frame.nonce.chars().filter(|c| is_nonce_character(*c)).collect();
        // `data:` is for the icon of the browser's tab.
        let mut header = format!("default-src 'none'; style-src 'nonce-{nonce}'; img-src data:");
        if self.logo {
            header.push_str(" 'self'");
        }
        if self.script {
            header.push_str(&format!("; script-src 'nonce-{nonce}'"));
        }
        if self.connect {
            header.push_str("; connect-src 'self'");
        }
        let mut origins: Vec<String> = self.frames.iter().filter_map(|uri| source(uri)).collect();
        origins.sort_unstable();
        origins.dedup();
        if !origins.is_empty() {
            header.push_str("; frame-src ");
            header.push_str(&origins.join(" "));
        }
        header.push_str(match self.form_action {
            FormAction::None => "; form-action 'none'",
            FormAction::Own => "; form-action 'self'",
            FormAction::Client => "",
        });
        header.push_str("; frame-ancestors 'none'; base-uri 'none'");
        header
    }
}

fn is_nonce_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=')
}

/// Returns the source expression that allows `uri` (CSP Level 3 §2.3.1): its origin. For a private-use scheme, and for a host
/// that the grammar excludes such as an IPv6 address, the expression is the scheme.
fn source(uri: &str) -> Option<String> {
    let (scheme, _) = uri.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let proper = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if !proper || matches!(scheme.as_str(), "javascript" | "data" | "blob" | "vbscript" | "about") {
        return None;
    }
    let Some((_, authority)) = split_web(uri) else { return Some(format!("{scheme}:")) };
    let plain = !authority.is_empty() && authority.chars().all(|c| c.is_ascii_alphanumeric() || "-._:".contains(c));
    Some(if plain { format!("{scheme}://{authority}") } else { format!("{scheme}:") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(nonce: &str) -> Frame {
        Frame { nonce: nonce.to_owned(), language: protocol::Language::English }
    }

    #[test]
    fn the_strictest_policy() {
        assert_eq!(
            Policy::new(&frame("abc")).header(),
            "default-src 'none'; style-src 'nonce-abc'; img-src data:; form-action 'none'; frame-ancestors 'none'; \
             base-uri 'none'"
        );
    }

    #[test]
    fn a_nonce_cannot_end_its_directive() {
        let header = Policy::new(&frame("a'; script-src * \r\nx: y")).header();
        assert!(header.starts_with("default-src 'none'; style-src 'nonce-ascript-srcxy'; "), "{header}");
    }

    #[test]
    fn sources_of_frames() {
        for (uri, expected) in [
            ("https://app.example/callback?x=1#f", Some("https://app.example")),
            ("HTTPS://App.example:8443", Some("https://App.example:8443")),
            ("https://user:pass@app.example/cb", Some("https://app.example")),
            ("http://127.0.0.1:3456/cb", Some("http://127.0.0.1:3456")),
            ("http://[::1]:3456/cb", Some("http:")),
            ("https://b\u{fc}cher.example/", Some("https:")),
            ("https://a.example;script-src/", Some("https:")),
            ("https://a.example *", Some("https:")),
            ("https:///cb", Some("https:")),
            ("com.example.app:/cb", Some("com.example.app:")),
            ("com.example.app://x; script-src *", Some("com.example.app:")),
            ("a b:/x", None),
            ("java\nscript:x", None),
            ("1a:/x", None),
            ("javascript:alert(1)", None),
            ("DATA:text/html,x", None),
            ("no scheme", None),
            ("", None),
        ] {
            assert_eq!(source(uri).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn frames_are_of_their_origins_alone() {
        let frames = ["https://b.example/out?sid=1", "https://a.example/x", "https://a.example/y"];
        let header = Policy { frames: &frames, ..Policy::new(&frame("n")) }.header();
        assert!(header.contains("; frame-src https://a.example https://b.example;"), "{header}");
        assert!(!Policy::new(&frame("n")).header().contains("frame-src"));
    }

    #[test]
    fn a_logo_comes_from_this_server() {
        assert!(Policy { logo: true, ..Policy::new(&frame("n")) }.header().contains("img-src data: 'self';"));
        assert!(Policy::new(&frame("n")).header().contains("img-src data:;"));
    }
}
