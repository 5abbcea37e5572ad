//! The policy of a deployment for metadata documents.

use super::copies::is_published;
use types::ClientId;

/// The documents that a deployment reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentPolicy {
    /// None: a URL as `client_id` is a registered client or unknown.
    Off,
    /// Listed documents: those of well-known clients if `published`, and those at these URLs. A URL that ends in `/*` lists the
    /// documents of a host.
    Listed {
        /// True for the documents of well-known clients.
        published: bool,
        /// URLs.
        urls: Vec<String>,
    },
    /// Every document.
    Any,
}

impl DocumentPolicy {
    /// The word for the documents of well-known clients.
    pub const PUBLISHED: &str = "known";

    /// Parses the words of the setting. Errors: the word that is wrong.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let (mut published, mut urls) = (false, Vec::new());
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["off"] => return Ok(Self::Off),
            ["any"] => return Ok(Self::Any),
            _ => {}
        }
        for word in words {
            match word {
                Self::PUBLISHED => published = true,
                url if is_entry(url) => urls.push(url.to_owned()),
                other => return Err(other),
            }
        }
        Ok(Self::Listed { published, urls })
    }

    /// True if the deployment reads the document at this URL.
    pub fn admits(&self, client_id: &ClientId) -> bool {
        let url = client_id.as_str();
        match self {
            Self::Off => false,
            Self::Any => true,
            Self::Listed { published, urls } => {
                (*published && is_published(url)) || urls.iter().any(|entry| covers(entry, url))
            }
        }
    }
}

/// True if the text is a URL, or `https://host/*`.
fn is_entry(text: &str) -> bool {
    let url = text.strip_suffix('*').unwrap_or(text);
    url::Url::parse(url).is_ok_and(|parsed| {
        matches!(parsed.scheme(), "https" | "http")
            && parsed.as_str() == url
            && !url.contains('*')
            && (url == text || parsed.path() == "/")
    })
}

fn covers(entry: &str, url: &str) -> bool {
    match entry.strip_suffix('*') {
        Some(origin) => url.starts_with(origin),
        None => entry == url,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn admits(policy: &str, url: &str) -> bool {
        DocumentPolicy::parse(policy).unwrap().admits(&ClientId::parse(url).unwrap())
    }

    #[test]
    fn a_policy_lists_documents_and_hosts() {
        let claude = "https://claude.ai/oauth/mcp-oauth-client-metadata";
        for (policy, url, expected) in [
            ("off", claude, false),
            ("any", claude, true),
            ("known", claude, true),
            ("known", "https://claude.ai/other", false),
            ("known", "https://evil.example/oauth/mcp-oauth-client-metadata", false),
            ("https://a.example/client.json", "https://a.example/client.json", true),
            ("https://a.example/client.json", "https://a.example/client.json?x", false),
            ("https://a.example/client.json", "https://a.example/other.json", false),
            ("https://a.example/*", "https://a.example/any/client.json", true),
            ("https://a.example/*", "https://a.example.evil.example/client.json", false),
            ("https://a.example/*", "https://a.example:8443/client.json", false),
            ("known https://a.example/*", claude, true),
        ] {
            assert_eq!(admits(policy, url), expected, "{policy} {url}");
        }
    }

    #[test]
    fn other_words_are_wrong() {
        for wrong in
            ["all", "off any", "a.example", "https://*.example/", "https://a.example/x/*", "https://a.example*"]
        {
            assert!(DocumentPolicy::parse(wrong).is_err(), "{wrong}");
        }
    }
}
