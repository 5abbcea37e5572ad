//! Tokens that prove themselves: nothing but the very token, for the very purpose, in its time.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use latchkey_protocol::{
    AuthorizationCode, CodeBinding, DeviceCode, GrantId, GrantSnapshot, InitialAccessToken, InitialAccessTokenId,
    KnownBrowser, Mac, RefreshSender, RefreshToken, RegistrationAccessToken, RegistrationId, RequestUri, SessionId,
    SessionToken, SignOutLink, TokenError,
};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::time::Duration;
use types::{ClientId, Confirmation, Thumbprint, Timestamp};

fn id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

pub(crate) struct Keys(pub(crate) u8);

impl Mac for Keys {
    fn epoch(&self) -> u16 {
        0
    }

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

/// The same keys in a later epoch.
struct InEpoch(u16);

impl Mac for InEpoch {
    fn epoch(&self) -> u16 {
        self.0
    }

    fn key_id(&self) -> [u8; 4] {
        Keys(1).key_id()
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        Keys(1).tag(parts)
    }

    fn tag_with(&self, key_id: [u8; 4], parts: &[&[u8]]) -> Option<[u8; 32]> {
        Keys(1).tag_with(key_id, parts)
    }
}

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn code_for(client_id: &ClientId) -> CodeBinding<'_> {
    CodeBinding { client_id, redirect_uri: Some("https://a.example/cb"), code_challenge: "challenge", dpop_jkt: None }
}

fn content() -> AuthorizationCode {
    AuthorizationCode {
        grant: GrantId::new([1, 2], [3; 16]),
        issued_at: T0,
        expires_at: T0.after(Duration::from_secs(60)),
    }
}

fn code() -> String {
    content().seal(&Keys(1), code_for(&id("client"))).into_exposed()
}

fn open(
    code: &str,
    client: &str,
    redirect_uri: &str,
    challenge: &str,
    now: Timestamp,
) -> Result<AuthorizationCode, TokenError> {
    let binding = CodeBinding {
        client_id: &id(client),
        redirect_uri: Some(redirect_uri),
        code_challenge: challenge,
        dpop_jkt: None,
    };
    AuthorizationCode::open(&Keys(1), code, binding, now)
}

fn snapshot(random: u8) -> GrantSnapshot {
    GrantSnapshot {
        grant: GrantId::new([7, 7], [random; 16]),
        generation: 1,
        previous: 0,
        started_at: T0,
        rotated_at: T0,
        refresh_expires_at: T0.after(Duration::from_secs(60)),
        must_read_first: false,
    }
}

/// OpenID Connect Core §8.1, §17.3: the tokens that two clients hold of one user's grants have nothing in common. The
/// partition, which is the user's, is veiled.
#[test]
fn tokens_do_not_show_whose_they_are() {
    let shown = |random: u8| {
        let snapshot = snapshot(random);
        let token = RefreshToken { snapshot, sender: RefreshSender::Client }.seal(&Keys(1), &id("client"));
        let token = URL_SAFE_NO_PAD.decode(&token.expose()[4..]).unwrap();
        let claim = URL_SAFE_NO_PAD.decode(snapshot.to_claim(&Keys(1))).unwrap();
        assert_eq!(GrantSnapshot::from_claim(&Keys(1), &snapshot.to_claim(&Keys(1))), Ok(snapshot));
        assert_eq!(token[7..25], claim[6..24], "one grant, one name");
        [token[7], token[8]]
    };
    let all: BTreeSet<[u8; 2]> = (0..64).map(shown).collect();
    assert!(all.len() > 60, "{all:?}");
    assert_ne!(shown(1), {
        let claim = URL_SAFE_NO_PAD.decode(snapshot(1).to_claim(&Keys(2))).unwrap();
        [claim[6], claim[7]]
    });
}

#[test]
fn a_code_is_good_for_its_client_redirect_uri_and_verifier_alone() {
    let code = code();
    assert_eq!(open(&code, "client", "https://a.example/cb", "challenge", T0), Ok(content()));
    assert_eq!(open(&code, "other", "https://a.example/cb", "challenge", T0), Err(TokenError::Invalid));
    assert_eq!(open(&code, "client", "https://a.example/cb2", "challenge", T0), Err(TokenError::Invalid));
    assert_eq!(open(&code, "client", "https://a.example/cb", "other", T0), Err(TokenError::Invalid));
    assert_eq!(
        open(&code, "client", "https://a.example/cb", "", T0),
        Err(TokenError::Invalid),
        "no verifier for a code with a challenge"
    );
    assert_eq!(
        open(&code, "clienth", "ttps://a.example/cb", "challenge", T0),
        Err(TokenError::Invalid),
        "the parts do not run together"
    );
}

#[test]
fn a_code_is_dead_from_its_expiry_on() {
    let code = code();
    let expiry = content().expires_at;
    assert!(
        open(&code, "client", "https://a.example/cb", "challenge", expiry.before(Duration::from_millis(1))).is_ok()
    );
    assert_eq!(open(&code, "client", "https://a.example/cb", "challenge", expiry), Err(TokenError::Invalid));
}

/// RFC 9449 §10, §5: a code with `dpop_jkt` needs that key, and a refresh token names its sender.
#[test]
fn codes_and_refresh_tokens_name_a_key() {
    let (client, expires_at) = (id("client"), T0.after(Duration::from_secs(60)));
    let [key, other] = [[1; 32], [2; 32]].map(Thumbprint::from_digest);
    let binding = |dpop_jkt| CodeBinding { dpop_jkt, ..code_for(&client) };
    let code = AuthorizationCode { grant: GrantId::new([7, 7], [3; 16]), issued_at: T0, expires_at };
    let seal = |key| code.seal(&Keys(1), binding(key)).into_exposed();
    let opens = |text: &str, key| AuthorizationCode::open(&Keys(1), text, binding(key), T0).is_ok();
    let (bound, free) = (seal(Some(&key)), seal(None));
    assert!(opens(&bound, Some(&key)) && !opens(&bound, Some(&other)) && !opens(&bound, None));
    assert!(opens(&free, Some(&key)) && opens(&free, None));

    let [dpop, certificate] = [Confirmation::Dpop(key), Confirmation::Certificate(key)];
    for sender in [
        RefreshSender::Client,
        RefreshSender::ProvenClient,
        RefreshSender::Holder(dpop),
        RefreshSender::Holder(certificate),
    ] {
        let token = RefreshToken { snapshot: snapshot(3), sender };
        let text = token.seal(&Keys(1), &client).into_exposed();
        assert_eq!(RefreshToken::open(&Keys(1), &text, &client, T0), Ok(token));
    }
}

/// Every kind of token, with the content that it opens to.
#[test]
fn a_token_of_one_kind_is_none_of_another() {
    let keys = &Keys(1);
    let (issued_at, expires_at) = (T0, T0.after(Duration::from_secs(60)));
    let session = SessionToken { session: SessionId::new([1, 2], [3; 16]), issued_at, expires_at };
    let uri = RequestUri { request: latchkey_protocol::PushedRequestId::new([1, 2], [3; 16]), issued_at, expires_at };
    let device = DeviceCode { decision: latchkey_protocol::DecisionId::new([1, 2], [3; 16]), issued_at, expires_at };
    let initial = InitialAccessToken { id: InitialAccessTokenId::new([1, 2], [3; 16]), max_uses: 7, expires_at };
    let registration = RegistrationAccessToken { registration: RegistrationId::new([1, 2], [3; 16]), generation: 7 };
    let refresh = RefreshToken { snapshot: snapshot(3), sender: RefreshSender::Client };
    let known = KnownBrowser { id: [5; 16], expires_at };
    let link = SignOutLink { request: "sealed".to_owned(), expires_at };
    let sealed = [
        session.seal(keys).into_exposed(),
        uri.seal(keys, &id("client")).into_exposed(),
        device.seal(keys, &id("client")).into_exposed(),
        initial.seal(keys).into_exposed(),
        registration.seal(keys, &id("client")).into_exposed(),
        refresh.seal(keys, &id("client")).into_exposed(),
        code(),
        known.seal(keys, "client").into_exposed(),
        link.seal(keys, Some("client")).into_exposed(),
    ];
    assert_eq!(SignOutLink::open(keys, &sealed[8], Some("client"), T0), Ok(link.clone()));
    for (browser, now) in [(Some("other"), T0), (None, T0), (Some(""), T0), (Some("client"), expires_at)] {
        assert_eq!(SignOutLink::open(keys, &sealed[8], browser, now), Err(TokenError::Invalid), "{browser:?}");
    }
    assert_eq!(KnownBrowser::open(keys, &sealed[7], "client", T0), Some(known));
    assert_eq!(KnownBrowser::open(keys, &sealed[7], "other", T0), None);
    assert_eq!(KnownBrowser::open(keys, &sealed[7], "client", expires_at), None, "expired");
    assert_eq!(SessionToken::open(keys, &sealed[0], T0), Ok(session));
    assert_eq!(RequestUri::open(keys, &sealed[1], &id("client"), T0), Ok(uri));
    assert_eq!(DeviceCode::open(keys, &sealed[2], &id("client")), Ok(device));
    assert_eq!(InitialAccessToken::open(keys, &sealed[3], T0), Ok(initial));
    assert_eq!(RegistrationAccessToken::open(keys, &sealed[4], &id("client")), Some(registration));
    assert_eq!(RefreshToken::open(keys, &sealed[5], &id("client"), T0), Ok(refresh));
    let opens = |text: &str| {
        [
            SessionToken::open(keys, text, T0).is_ok(),
            RequestUri::open(keys, text, &id("client"), T0).is_ok(),
            DeviceCode::open(keys, text, &id("client")).is_ok(),
            InitialAccessToken::open(keys, text, T0).is_ok(),
            RegistrationAccessToken::open(keys, text, &id("client")).is_some(),
            RefreshToken::open(keys, text, &id("client"), T0).is_ok(),
            AuthorizationCode::open(keys, text, code_for(&id("client")), T0).is_ok(),
            KnownBrowser::open(keys, text, "client", T0).is_some(),
            SignOutLink::open(keys, text, Some("client"), T0).is_ok(),
        ]
    };
    for (index, token) in sealed.iter().enumerate() {
        for (other, prefix) in
            ["lks_", "lkp_", "lkd_", "lki_", "lkg_", "lkr_", "lkc_", "lkb_", "lkl_"].into_iter().enumerate()
        {
            let renamed = format!("{prefix}{}", &token[4..]);
            let expected: [bool; 9] = std::array::from_fn(|kind| kind == index && other == index);
            assert_eq!(opens(&renamed), expected, "{renamed}");
        }
    }
    assert_eq!(RefreshToken::open(keys, &sealed[5], &id("other"), T0), Err(TokenError::Invalid));
    assert_eq!(RefreshToken::open(keys, &sealed[5], &id("client"), expires_at), Err(TokenError::Invalid), "expired");
    assert_eq!(SessionToken::open(keys, &sealed[0], expires_at), Err(TokenError::Invalid), "expired");
    assert_eq!(RequestUri::open(keys, &sealed[1], &id("client"), expires_at), Err(TokenError::Invalid), "expired");
    assert_eq!(RequestUri::open(keys, &sealed[1], &id("other"), T0), Err(TokenError::Invalid));
    assert_eq!(InitialAccessToken::open(keys, &sealed[3], expires_at), Err(TokenError::Invalid), "expired");
    assert_eq!(DeviceCode::open(keys, &sealed[2], &id("other")), Err(TokenError::Invalid));
    assert_eq!(RegistrationAccessToken::open(keys, &sealed[4], &id("other")), None);
}

#[test]
fn another_deployments_token_is_nothing() {
    assert_eq!(AuthorizationCode::open(&Keys(2), &code(), code_for(&id("client")), T0), Err(TokenError::Invalid));
}

/// After a restore the store may lack the use of a token. The error for another epoch differs from that for a forgery.
#[test]
fn a_token_is_valid_in_its_epoch_alone() {
    let client = id("client");
    let (issued_at, expires_at) = (T0, T0.after(Duration::from_secs(60)));
    let session = SessionToken { session: SessionId::new([1, 2], [3; 16]), issued_at, expires_at };
    let uri = RequestUri { request: latchkey_protocol::PushedRequestId::new([1, 2], [3; 16]), issued_at, expires_at };
    let device = DeviceCode { decision: latchkey_protocol::DecisionId::new([1, 2], [3; 16]), issued_at, expires_at };
    let initial = InitialAccessToken { id: InitialAccessTokenId::new([1, 2], [3; 16]), max_uses: 7, expires_at };
    let registration = RegistrationAccessToken { registration: RegistrationId::new([1, 2], [3; 16]), generation: 7 };
    let refresh = RefreshToken { snapshot: snapshot(3), sender: RefreshSender::Client };
    let known = KnownBrowser { id: [5; 16], expires_at };
    for sealed_in in [0, 1, 2, 256, u16::MAX] {
        let old = &InEpoch(sealed_in);
        let texts = [
            content().seal(old, code_for(&client)),
            refresh.seal(old, &client),
            session.seal(old),
            device.seal(old, &client),
            uri.seal(old, &client),
            initial.seal(old),
            registration.seal(old, &client),
            known.seal(old, "client"),
        ];
        let texts = texts.map(latchkey_protocol::SealedToken::into_exposed);
        let claim = snapshot(3).to_claim(old);
        for opened_in in [0, 1, 2, 256, u16::MAX] {
            let now = &InEpoch(opened_in);
            let of_epoch = match sealed_in.cmp(&opened_in) {
                std::cmp::Ordering::Less => Err(TokenError::OlderEpoch),
                std::cmp::Ordering::Equal => Ok(()),
                std::cmp::Ordering::Greater => Err(TokenError::NewerEpoch),
            };
            let [code, refreshed, cookie, polled, pushed, invited, managed, browser] = &texts;
            let case = format!("sealed in {sealed_in}, opened in {opened_in}");
            let opened = AuthorizationCode::open(now, code, code_for(&client), T0);
            assert_eq!(opened, of_epoch.map(|()| content()), "{case}");
            assert_eq!(RefreshToken::open(now, refreshed, &client, T0), of_epoch.map(|()| refresh), "{case}");
            assert_eq!(SessionToken::open(now, cookie, T0), of_epoch.map(|()| session), "{case}");
            assert_eq!(DeviceCode::open(now, polled, &client), of_epoch.map(|()| device), "{case}");
            assert_eq!(RequestUri::open(now, pushed, &client, T0), of_epoch.map(|()| uri), "{case}");
            assert_eq!(InitialAccessToken::open(now, invited, T0), of_epoch.map(|()| initial), "{case}");
            assert_eq!(GrantSnapshot::from_claim(now, &claim), of_epoch.map(|()| snapshot(3)), "{case}");
            assert_eq!(RegistrationAccessToken::open(now, managed, &client), Some(registration), "{case}");
            assert_eq!(KnownBrowser::open(now, browser, "client", T0), Some(known), "{case}");
            // A token that is bound to other values is invalid, whatever its epoch.
            assert_eq!(RefreshToken::open(now, refreshed, &id("other"), T0), Err(TokenError::Invalid), "{case}");
        }
    }
}

/// The tag covers the epoch and the version: neither can be changed.
#[test]
fn the_epoch_of_a_token_cannot_be_changed() {
    let refresh = RefreshToken { snapshot: snapshot(3), sender: RefreshSender::Client };
    let open = |epoch, bytes: &[u8]| {
        let text = format!("lkr_{}", URL_SAFE_NO_PAD.encode(bytes));
        RefreshToken::open(&InEpoch(epoch), &text, &id("client"), T0)
    };
    let token = refresh.seal(&InEpoch(1), &id("client"));
    let bytes = URL_SAFE_NO_PAD.decode(&token.expose()[4..]).unwrap();
    assert_eq!((bytes[0], &bytes[5..7]), (1, [0, 1].as_slice()), "version and epoch");
    assert_eq!(open(1, &bytes), Ok(refresh));
    for (position, value, epoch) in [(6, 2, 2), (6, 0, 0), (0, 0, 1), (0, 2, 1)] {
        let mut changed = bytes.clone();
        changed[position] = value;
        assert_eq!(open(epoch, &changed), Err(TokenError::Invalid), "{value} at {position}");
    }
}

/// Lengths in characters: a code is in a URL, a cookie in each request.
#[test]
fn tokens_are_short() {
    let (issued_at, expires_at) = (T0, T0.after(Duration::from_secs(60)));
    let mac = &Keys(1);
    let session = SessionToken { session: SessionId::new([1, 2], [3; 16]), issued_at, expires_at };
    let lengths = [
        content().seal(mac, code_for(&id("client"))).expose().len(),
        session.seal(mac).expose().len(),
        RefreshToken { snapshot: snapshot(3), sender: RefreshSender::Client }.seal(mac, &id("client")).expose().len(),
        snapshot(3).to_claim(mac).len(),
    ];
    assert_eq!(lengths, [123, 102, 124, 76]);
}

#[test]
fn no_identifier_and_no_token_is_shown_by_debug() {
    let code = content();
    let shown = format!("{code:?} {:?}", code.seal(&Keys(1), code_for(&id("client"))));
    assert!(!shown.contains(&code.grant.name()) && shown.contains("redacted"), "{shown}");
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
        prop_assert_eq!(open(&other, "client", "https://a.example/cb", "challenge", T0), Err(TokenError::Invalid));
    }

    #[test]
    fn opening_never_panics(text in ".{0,300}") {
        prop_assert_eq!(open(&text, "client", "u", "c", T0), Err(TokenError::Invalid));
        prop_assert_eq!(open(&format!("lkc_{text}"), "client", "u", "c", T0), Err(TokenError::Invalid));
    }
}
