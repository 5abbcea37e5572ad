//! Sealed tokens: codes, refresh tokens, session cookies and the other kinds.

use keys::{Purpose, Secret, Secrets};
use protocol::{
    AuthorizationCode, CodeBinding, DeviceCode, InitialAccessToken, KnownBrowser, RefreshToken,
    RegistrationAccessToken, RequestUri, SealedToken, SessionToken, SignOutLink,
};
use std::sync::LazyLock;
use types::{ClientId, Timestamp};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
static CLIENT: LazyLock<ClientId> = LazyLock::new(|| ClientId::parse("binding").expect("a client_id"));

fn binding() -> CodeBinding<'static> {
    CodeBinding { client_id: &CLIENT, redirect_uri: Some(""), code_challenge: "", dpop_jkt: None }
}

/// Opens a text as one kind of token and seals its content again; `None` if it does not open.
type Reseal = fn(&Secrets, &str) -> Option<SealedToken>;

/// Each kind of token, with its prefix.
const KINDS: [(&str, Reseal); 9] = [
    ("lkc_", |keys, text| {
        AuthorizationCode::open(keys, text, binding(), NOW).ok().map(|code| code.seal(keys, binding()))
    }),
    ("lkr_", |keys, text| RefreshToken::open(keys, text, &CLIENT, NOW).ok().map(|token| token.seal(keys, &CLIENT))),
    ("lks_", |keys, text| SessionToken::open(keys, text, NOW).ok().map(|token| token.seal(keys))),
    ("lkd_", |keys, text| DeviceCode::open(keys, text, &CLIENT).ok().map(|code| code.seal(keys, &CLIENT))),
    ("lki_", |keys, text| InitialAccessToken::open(keys, text, NOW).ok().map(|token| token.seal(keys))),
    ("lkg_", |keys, text| RegistrationAccessToken::open(keys, text, &CLIENT).map(|token| token.seal(keys, &CLIENT))),
    ("lkb_", |keys, text| KnownBrowser::open(keys, text, "binding", NOW).map(|known| known.seal(keys, "binding"))),
    ("lkl_", |keys, text| {
        SignOutLink::open(keys, text, Some("binding"), NOW).ok().map(|link| link.seal(keys, Some("binding")))
    }),
    ("lkp_", |keys, text| RequestUri::open(keys, text, &CLIENT, NOW).ok().map(|uri| uri.seal(keys, &CLIENT))),
];

/// No bytes open as a token unless this server sealed exactly that token, of exactly that kind.
pub(crate) fn sealed_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let secrets = Secrets::new(Secret::parse(&"A".repeat(43)).expect("a secret"), None);
    for (prefix, reseal) in KINDS {
        let named = format!("{prefix}{text}");
        for token in [text, &named] {
            if let Some(sealed) = reseal(&secrets, token) {
                assert_eq!(sealed.expose(), token, "two spellings");
                assert!(token.starts_with(prefix), "a token of another kind");
            }
        }
    }
    assert!(secrets.open(Purpose::Token, text).is_none(), "sealed with a random nonce: no seed can hold one");
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{
        DecisionId, GrantId, GrantSnapshot, InitialAccessTokenId, PushedRequestId, RefreshSender, RegistrationId,
        SessionId,
    };
    use types::{Confirmation, Thumbprint};

    /// The seeds hold one token of each kind that opens, so that mutations start from real ones.
    #[test]
    fn the_seeds_open() {
        let secrets = Secrets::new(Secret::parse(&"A".repeat(43)).unwrap(), None);
        let (issued_at, expires_at) = (NOW, NOW.after(std::time::Duration::from_secs(60)));
        let grant = GrantId::new([1, 2], [3; 16]);
        let snapshot = GrantSnapshot {
            grant,
            generation: 3,
            previous: 2,
            started_at: NOW,
            rotated_at: NOW,
            refresh_expires_at: expires_at,
            must_read_first: true,
        };
        let session = SessionToken { session: SessionId::new([1, 2], [3; 16]), issued_at, expires_at };
        let device_code = DeviceCode { decision: DecisionId::new([1, 2], [3; 16]), issued_at, expires_at };
        let request_uri = RequestUri { request: PushedRequestId::new([1, 2], [3; 16]), issued_at, expires_at };
        let initial = InitialAccessToken { id: InitialAccessTokenId::new([1, 2], [3; 16]), max_uses: 3, expires_at };
        let registration =
            RegistrationAccessToken { registration: RegistrationId::new([1, 2], [3; 16]), generation: 3 };
        let key = Thumbprint::from_digest([3; 32]);
        let link = SignOutLink { request: "sealed".to_owned(), expires_at };
        let tokens = [
            ("lkc", AuthorizationCode { grant, issued_at, expires_at }.seal(&secrets, binding())),
            ("lkr", RefreshToken { snapshot, sender: RefreshSender::Client }.seal(&secrets, &CLIENT)),
            (
                "lkr-bound",
                RefreshToken { snapshot, sender: RefreshSender::Holder(Confirmation::Dpop(key)) }
                    .seal(&secrets, &CLIENT),
            ),
            ("lkr-proven", RefreshToken { snapshot, sender: RefreshSender::ProvenClient }.seal(&secrets, &CLIENT)),
            ("lks", session.seal(&secrets)),
            ("lkd", device_code.seal(&secrets, &CLIENT)),
            ("lki", initial.seal(&secrets)),
            ("lkg", registration.seal(&secrets, &CLIENT)),
            ("lkp", request_uri.seal(&secrets, &CLIENT)),
            ("lkl", link.seal(&secrets, Some("binding"))),
            ("lkb", KnownBrowser { id: [3; 16], expires_at }.seal(&secrets, "binding")),
        ];
        for (name, token) in tokens {
            let path = format!("{}/seeds/sealed_token/{name}", env!("CARGO_MANIFEST_DIR"));
            let seed = std::fs::read_to_string(path).unwrap();
            assert_eq!(seed.trim_end(), token.expose(), "{name}");
        }
    }
}
