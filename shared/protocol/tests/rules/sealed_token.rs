//! Tokens that prove themselves: nothing but the very token, for the very purpose, in its time.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use latchkey_protocol::{GrantId, Mac, Standing, TokenContent, TokenKind, sealed_token};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;
use types::Timestamp;

pub(crate) struct Keys(pub(crate) u8);

impl Mac for Keys {
    fn key_id(&self) -> [u8; 4] {
        [self.0; 4]
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&[self.0]).unwrap();
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn tag_with(&self, key_id: [u8; 4], parts: &[&[u8]]) -> Option<[u8; 32]> {
        (key_id == self.key_id()).then(|| self.tag(parts))
    }
}

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn content() -> TokenContent {
    TokenContent {
        standing: Standing::issued(GrantId::new([1, 2], [3; 16]), T0),
        expires_at: T0.after(Duration::from_secs(60)),
    }
}

fn code() -> String {
    let binding = sealed_token::code_binding("client", "https://a.example/cb", "challenge");
    sealed_token::seal(&Keys(1), TokenKind::Code, &content(), &binding).expose().to_owned()
}

fn open(code: &str, client: &str, redirect_uri: &str, challenge: &str, now: Timestamp) -> Option<TokenContent> {
    sealed_token::open(
        &Keys(1),
        TokenKind::Code,
        code,
        &sealed_token::code_binding(client, redirect_uri, challenge),
        now,
    )
}

/// OpenID Connect Core §8.1, §17.3: what clients hold of one person's grants has nothing in common. The partition, which is
/// the person's, goes out veiled.
#[test]
fn tokens_do_not_show_whose_they_are() {
    let shown = |random: u8| {
        let standing = Standing::issued(GrantId::new([7, 7], [random; 16]), T0);
        let token = sealed_token::seal(
            &Keys(1),
            TokenKind::RefreshToken,
            &TokenContent { standing, expires_at: T0.after(Duration::from_secs(60)) },
            &sealed_token::refresh_binding("client"),
        );
        let token = URL_SAFE_NO_PAD.decode(&token.expose()[4..]).unwrap();
        let claim = URL_SAFE_NO_PAD.decode(standing.to_claim(&Keys(1))).unwrap();
        assert_eq!(Standing::from_claim(&Keys(1), &standing.to_claim(&Keys(1))), Some(standing));
        assert_eq!(token[5..23], claim[4..22], "one grant, one name");
        [token[5], token[6]]
    };
    let all: BTreeSet<[u8; 2]> = (0..64).map(shown).collect();
    assert!(all.len() > 60, "{all:?}");
    assert_ne!(shown(1), {
        let standing = Standing::issued(GrantId::new([7, 7], [1; 16]), T0);
        let claim = URL_SAFE_NO_PAD.decode(standing.to_claim(&Keys(2))).unwrap();
        [claim[4], claim[5]]
    });
}

#[test]
fn a_code_is_good_for_its_client_redirect_uri_and_verifier_alone() {
    let code = code();
    assert_eq!(open(&code, "client", "https://a.example/cb", "challenge", T0), Some(content()));
    assert_eq!(open(&code, "other", "https://a.example/cb", "challenge", T0), None);
    assert_eq!(open(&code, "client", "https://a.example/cb2", "challenge", T0), None);
    assert_eq!(open(&code, "client", "https://a.example/cb", "other", T0), None);
    assert_eq!(open(&code, "client", "https://a.example/cb", "", T0), None, "no verifier for a code with a challenge");
    assert_eq!(open(&code, "clienth", "ttps://a.example/cb", "challenge", T0), None, "the parts do not run together");
}

#[test]
fn a_code_is_dead_from_its_expiry_on() {
    let code = code();
    let expiry = content().expires_at;
    assert!(
        open(&code, "client", "https://a.example/cb", "challenge", expiry.before(Duration::from_millis(1))).is_some()
    );
    assert_eq!(open(&code, "client", "https://a.example/cb", "challenge", expiry), None);
}

#[test]
fn a_token_of_one_kind_is_none_of_another() {
    let binding: [&[u8]; 0] = [];
    let session = sealed_token::seal(&Keys(1), TokenKind::Session, &content(), &binding).expose().to_owned();
    assert!(sealed_token::open(&Keys(1), TokenKind::Session, &session, &binding, T0).is_some());
    let renamed = session.replace("lks_", "lkr_");
    assert_eq!(sealed_token::open(&Keys(1), TokenKind::RefreshToken, &renamed, &binding, T0), None);
}

#[test]
fn another_deployments_token_is_nothing() {
    let binding = sealed_token::code_binding("client", "https://a.example/cb", "challenge");
    assert_eq!(sealed_token::open(&Keys(2), TokenKind::Code, &code(), &binding, T0), None);
}

proptest! {
    #[test]
    fn no_other_string_opens(position in 0usize..200, replacement in proptest::char::range('0', 'z')) {
        let code = code();
        let position = position % code.len();
        let mut other: Vec<char> = code.chars().collect();
        prop_assume!(other[position] != replacement);
        other[position] = replacement;
        let other: String = other.into_iter().collect();
        prop_assert_eq!(open(&other, "client", "https://a.example/cb", "challenge", T0), None);
    }

    #[test]
    fn opening_never_panics(text in ".{0,300}") {
        prop_assert_eq!(open(&text, "client", "u", "c", T0), None);
        prop_assert_eq!(open(&format!("lkc_{text}"), "client", "u", "c", T0), None);
    }
}
