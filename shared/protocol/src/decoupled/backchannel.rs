//! Client-initiated backchannel authentication (OpenID Connect CIBA Core 1.0): the request, and the hint that names its user.

use crate::authorization::unmet;
use crate::client::is_bidi_control;
use crate::jwt::{self, NotNow};
use crate::limits::FAPI_REQUEST_OBJECT_LIFETIME;
use crate::resource::{RequestedAccess, Targets};
use crate::{AuthorizationDetails, BackchannelDelivery, CLOCK_SKEW, Client, GrantType, Parameters};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;
use types::json::numeric_date;
use types::{ClientId, Error, ErrorCode, Issuer, Scope, Timestamp};

/// The longest `binding_message`, in characters. A user compares it with what the other device shows.
const MAX_BINDING_MESSAGE: usize = 140;

/// The longest `client_notification_token`, in characters (CIBA Core §7.1).
const MAX_NOTIFICATION_TOKEN: usize = 1024;

/// A backchannel authentication request whose checks have passed (CIBA Core §7.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackchannelRequest {
    /// `client_id`.
    pub client_id: ClientId,
    /// `scope`, without the scopes that the client may not request.
    pub scope: Scope,
    /// `resource` (RFC 8707).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// `authorization_details` (RFC 9396).
    #[serde(default, skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// `acr_values` that a sign-in here can reach. One of them is necessary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// `binding_message`: text that both devices show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding_message: Option<String>,
}

impl BackchannelRequest {
    /// The lifetime of a request that names none, in seconds.
    pub const LIFETIME: Duration = Duration::from_secs(120);
    /// The range of `requested_expiry`, in seconds. A value beyond it is replaced by its bound.
    pub const REQUESTED_EXPIRY: std::ops::RangeInclusive<u64> = 10..=600;
    /// The fewest characters of a user code.
    pub const SHORTEST_USER_CODE: usize = 6;
    /// The most requests of all clients that wait for one user.
    pub const MOST_OPEN: usize = 3;
    /// The most requests of one client for one user within [`Self::UNAPPROVED_WINDOW`], since the user approved one. Each may disturb the user.
    pub const MOST_UNAPPROVED: usize = 10;
    /// The time in which requests without an approval are counted.
    pub const UNAPPROVED_WINDOW: Duration = Duration::from_secs(15 * 60);
    /// The time in which a client may not ask a user who did not expect its request.
    pub const MUTED: Duration = Duration::from_secs(60 * 60);

    /// Checks a request (CIBA Core §7.1, §7.2). Errors: `unauthorized_client`, `invalid_scope`, `invalid_target`,
    /// `invalid_authorization_details`, `invalid_binding_message`, `unmet_authentication_requirements`.
    pub fn check(parameters: &Parameters, client: &Client, targets: Targets<'_>) -> Result<Self, Error> {
        if !client.may_use(GrantType::Ciba) {
            let description = format!("the client may not use the {} grant", GrantType::Ciba.as_str());
            return Err(Error::new(ErrorCode::UnauthorizedClient, description));
        }
        let RequestedAccess { scope, resources, authorization_details } = targets.of_request(parameters, client)?;
        if !scope.contains("openid") {
            let description = "scope must contain openid (CIBA Core section 7.1)";
            return Err(Error::new(ErrorCode::InvalidScope, description));
        }
        Ok(Self {
            client_id: client.client_id.clone(),
            scope,
            resources,
            authorization_details,
            acr_values: acr_values(parameters, targets)?,
            binding_message: binding_message(parameters, client)?,
        })
    }

    /// Returns the request without its authorization details. They stay in the store while the user signs in.
    #[must_use]
    pub fn without_details(self) -> Self {
        Self { authorization_details: AuthorizationDetails::default(), ..self }
    }

    /// Returns the lifetime of a request: `requested_expiry`, within its range. Errors: `invalid_request`.
    pub fn lifetime(parameters: &Parameters) -> Result<Duration, Error> {
        let Some(asked) = parameters.value("requested_expiry") else { return Ok(Self::LIFETIME) };
        let seconds: u64 =
            asked.parse().ok().filter(|seconds| *seconds > 0).ok_or_else(|| {
                Error::invalid_request("requested_expiry must be a whole number of seconds, more than 0")
            })?;
        let (least, most) = (*Self::REQUESTED_EXPIRY.start(), *Self::REQUESTED_EXPIRY.end());
        Ok(Duration::from_secs(seconds.clamp(least, most)))
    }

    /// Returns `client_notification_token`, which a client in ping mode must send (CIBA Core §7.1); `None` in poll mode. Errors:
    /// `invalid_request`.
    pub fn notification_token<'a>(parameters: &'a Parameters, client: &Client) -> Result<Option<&'a str>, Error> {
        if client.backchannel_token_delivery_mode != Some(BackchannelDelivery::Ping) {
            return Ok(None);
        }
        let token = parameters.required("client_notification_token")?;
        // RFC 6750 §2.1: b64token.
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if token.len() > MAX_NOTIFICATION_TOKEN || !token.bytes().all(is_part) {
            return Err(Error::invalid_request(format!(
                "client_notification_token must be at most {MAX_NOTIFICATION_TOKEN} characters of a bearer token (RFC 6750 section 2.1)"
            )));
        }
        Ok(Some(token))
    }
}

/// Keeps the classes that a sign-in of this server reaches. Errors: `unmet_authentication_requirements` if that is none.
fn acr_values(parameters: &Parameters, targets: Targets<'_>) -> Result<Vec<String>, Error> {
    let asked = parameters.value("acr_values").unwrap_or_default();
    let is_reached = |acr: &&str| targets.classes.names().any(|class| class == *acr);
    let reached: Vec<String> = asked.split_ascii_whitespace().filter(is_reached).map(str::to_owned).collect();
    match reached.is_empty() && !asked.trim().is_empty() {
        true => Err(unmet("acr_values has no class that a sign-in of this server reaches")),
        false => Ok(reached),
    }
}

/// Returns the message that both devices show (CIBA Core §7.1). A client with a security profile must send one: the user has nothing else
/// that connects the request with what happens (FAPI-CIBA §5.2.2). Errors: `invalid_binding_message`.
fn binding_message(parameters: &Parameters, client: &Client) -> Result<Option<String>, Error> {
    let refuse = |description: String| Error::new(ErrorCode::InvalidBindingMessage, description);
    let Some(message) = parameters.value("binding_message") else {
        return match client.profile {
            Some(_) => Err(refuse("binding_message is missing: the profile of the client demands it".to_owned())),
            None => Ok(None),
        };
    };
    let is_shown = |c: char| !c.is_control() && !is_bidi_control(c);
    if message.trim().is_empty() || message.chars().count() > MAX_BINDING_MESSAGE || !message.chars().all(is_shown) {
        return Err(refuse(format!(
            "binding_message must be 1 to {MAX_BINDING_MESSAGE} characters without control characters: the user compares it on two devices"
        )));
    }
    Ok(Some(message.to_owned()))
}

/// The hint that names the user (CIBA Core §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserHint<'a> {
    /// `login_hint`: the sign-in name.
    LoginHint(&'a str),
    /// `id_token_hint`: an ID token of this server, expired or not.
    IdToken(&'a str),
    /// `login_hint_token`: a JWT of a trusted issuer.
    LoginHintToken(&'a str),
}

impl<'a> UserHint<'a> {
    /// Reads the one hint of a request. Errors: `invalid_request` if there is none, or more than one.
    pub fn of(parameters: &'a Parameters) -> Result<Self, Error> {
        let hints = [
            parameters.value("login_hint").map(UserHint::LoginHint),
            parameters.value("id_token_hint").map(UserHint::IdToken),
            parameters.value("login_hint_token").map(UserHint::LoginHintToken),
        ];
        let mut sent = hints.into_iter().flatten();
        match (sent.next(), sent.next()) {
            (Some(hint), None) => Ok(hint),
            _ => Err(Error::invalid_request(
                "send exactly one of login_hint, id_token_hint and login_hint_token (CIBA Core section 7.1)",
            )),
        }
    }
}

/// Returns the parameters of a signed request whose signature is verified (CIBA Core §7.1.1). Errors: `invalid_request`.
pub fn signed_parameters(
    mut claims: Map<String, Value>,
    client: &Client,
    issuer: &Issuer,
    now: Timestamp,
) -> Result<Parameters, Error> {
    let refuse = |description: &'static str| Err(Error::invalid_request(description));
    const REQUIRED: [&str; 6] = ["aud", "iss", "exp", "iat", "nbf", "jti"];
    if REQUIRED.iter().any(|name| !claims.contains_key(*name)) {
        return refuse("a signed request has the claims aud, iss, exp, iat, nbf and jti (CIBA Core section 7.1.1)");
    }
    if claims.get("iss").and_then(Value::as_str) != Some(client.client_id.as_str()) {
        return refuse("iss of the signed request is not the client");
    }
    if !jwt::is_for(&claims, issuer) {
        return refuse("aud of the signed request is not this issuer");
    }
    if claims.get("jti").and_then(Value::as_str).is_none_or(str::is_empty) {
        return refuse("jti of the signed request must be a text");
    }
    if let Err(problem) = jwt::check_time(&claims, now) {
        return refuse(match problem {
            NotNow::Unreadable => "exp and nbf of the signed request are seconds since the epoch",
            NotNow::Expired => "the signed request has expired",
            NotNow::TooEarly => "the signed request is not valid yet (nbf)",
        });
    }
    let date = |name| numeric_date(&claims, name).ok().flatten();
    let (Some(begin), Some(end), Some(issued)) = (date("nbf"), date("exp"), date("iat")) else {
        return refuse("exp, nbf and iat of the signed request are seconds since the epoch");
    };
    let longest = FAPI_REQUEST_OBJECT_LIFETIME;
    if begin.after(longest).after(CLOCK_SKEW).is_past(now)
        || end > begin.after(longest)
        || issued > now.after(CLOCK_SKEW)
    {
        return refuse("nbf of the signed request is at most 60 minutes ago, and exp at most 60 minutes after it");
    }
    for name in REQUIRED {
        claims.remove(name);
    }
    Parameters::from_members(&claims)
}

/// Claims of the notification by which the operator's push service learns of a request. It approves nothing: `uri` leads to the page where
/// the user signs in and decides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RequestNotificationClaims<'a> {
    /// `iss`.
    pub iss: &'a Issuer,
    /// `aud`: the URL of the push service.
    pub aud: &'a str,
    /// `iat`, in seconds.
    pub iat: u64,
    /// `exp`: the end of the request, in seconds.
    pub exp: u64,
    /// `jti`.
    pub jti: &'a str,
    /// `sub`: the user.
    pub sub: &'a str,
    /// The client that asks.
    pub client_id: &'a ClientId,
    /// Its name.
    pub client_name: &'a str,
    /// The message that both devices show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding_message: Option<&'a str>,
    /// The page of the request.
    pub uri: &'a str,
}

/// `typ` of a [`RequestNotificationClaims`].
pub const REQUEST_NOTIFICATION_TYPE: &str = "backchannel-request+jwt";

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn parameters(members: Value) -> Parameters {
        Parameters::from_members(members.as_object().unwrap()).unwrap()
    }

    fn client(members: Value) -> Client {
        let mut all = json!({ "client_id": "app" });
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    #[test]
    fn exactly_one_hint_is_accepted() {
        assert_eq!(UserHint::of(&parameters(json!({ "login_hint": "a" }))), Ok(UserHint::LoginHint("a")));
        assert_eq!(UserHint::of(&parameters(json!({ "id_token_hint": "a" }))), Ok(UserHint::IdToken("a")));
        for wrong in [json!({}), json!({ "login_hint": "a", "id_token_hint": "b" })] {
            assert!(UserHint::of(&parameters(wrong.clone())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_lifetime_is_requested_within_its_range() {
        let lifetime = |asked: Value| {
            BackchannelRequest::lifetime(&parameters(json!({ "requested_expiry": asked })))
                .map(|lifetime| lifetime.as_secs())
        };
        assert_eq!(BackchannelRequest::lifetime(&parameters(json!({}))), Ok(BackchannelRequest::LIFETIME));
        for (asked, seconds) in [(json!(300), 300), (json!("30"), 30), (json!(1), 10), (json!(86_400), 600)] {
            assert_eq!(lifetime(asked.clone()), Ok(seconds), "{asked}");
        }
        for wrong in [json!(0), json!(-5), json!("soon"), json!(1.5)] {
            assert!(lifetime(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_binding_message_is_short_and_plain() {
        let message = |text: &str, settings: Value| {
            binding_message(&parameters(json!({ "binding_message": text })), &client(settings)).is_ok()
        };
        for right in ["1234", "Pay 12 € to Zoë", &"字".repeat(140)] {
            assert!(message(right, json!({})), "{right}");
        }
        for wrong in [" ", "a\nb", "a\u{202e}b", &"x".repeat(141)] {
            assert!(!message(wrong, json!({})), "{wrong}");
        }
        let none = |settings| binding_message(&parameters(json!({})), &client(settings));
        assert_eq!(none(json!({})), Ok(None));
        assert!(none(json!({ "profile": "fapi-ciba" })).is_err());
    }

    #[test]
    fn a_notification_token_is_for_ping() {
        let ping = client(json!({ "backchannel_token_delivery_mode": "ping" }));
        let sent = |text: &str| parameters(json!({ "client_notification_token": text }));
        assert_eq!(BackchannelRequest::notification_token(&sent("a.b~c+d/e="), &ping), Ok(Some("a.b~c+d/e=")));
        assert_eq!(BackchannelRequest::notification_token(&sent("a"), &client(json!({}))), Ok(None));
        for wrong in [String::new(), "a b".to_owned(), "é".to_owned(), "a".repeat(1025)] {
            assert!(BackchannelRequest::notification_token(&sent(&wrong), &ping).is_err(), "{wrong}");
        }
        assert!(BackchannelRequest::notification_token(&parameters(json!({})), &ping).is_err());
    }

    #[test]
    fn a_signed_request_has_all_claims_and_a_short_life() {
        let now = NOW.as_secs();
        let judge = |changes: Value| {
            let mut claims = json!({
                "iss": "app", "aud": "https://as.example", "iat": now, "nbf": now, "exp": now + 60, "jti": "1", "scope": "openid",
                "requested_expiry": 30,
            });
            for (name, value) in changes.as_object().unwrap() {
                match value {
                    Value::Null => claims.as_object_mut().unwrap().remove(name),
                    value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
                };
            }
            let claims = claims.as_object().unwrap().clone();
            signed_parameters(claims, &client(json!({})), &Issuer::new("https://as.example"), NOW)
        };
        let read = judge(json!({})).unwrap();
        assert_eq!((read.value("scope"), read.value("requested_expiry")), (Some("openid"), Some("30")));
        assert_eq!(read.value("iss"), None);
        for wrong in [
            json!({ "aud": null }),
            json!({ "aud": "https://other.example" }),
            json!({ "iss": null }),
            json!({ "iss": "other" }),
            json!({ "exp": null }),
            json!({ "exp": now - 60 }),
            json!({ "exp": now + 70 * 60 }),
            json!({ "iat": null }),
            json!({ "iat": now + 600 }),
            json!({ "nbf": null }),
            json!({ "nbf": now + 600 }),
            json!({ "nbf": now - 70 * 60 }),
            json!({ "jti": null }),
            json!({ "jti": 7 }),
        ] {
            assert!(judge(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
