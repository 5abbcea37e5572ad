//! The events, and the members of each.

use protocol::AuthenticationMethod;
use serde::Serialize;
use types::{ClientId, Subject};

/// A security-relevant act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditEvent<'a> {
    /// A user signed in.
    SignInSucceeded {
        /// The user.
        subject: &'a Subject,
        /// The client whose request the user signed in for; none for a page of the user's own account.
        client: Option<&'a ClientId>,
        /// The last method that the user passed.
        method: AuthenticationMethod,
    },
    /// A sign-in failed. The typed name is not recorded: it may be a password.
    SignInFailed {
        /// The client whose request the user signed in for; none for a page of the user's own account.
        client: Option<&'a ClientId>,
        /// The method that failed.
        method: AuthenticationMethod,
    },
    /// A sign-in was rejected because of a rate limit.
    SignInThrottled {
        /// The client whose request the user signed in for; none for a page of the user's own account.
        client: Option<&'a ClientId>,
    },
    /// A user allowed a client's request.
    ConsentGiven {
        /// The user.
        subject: &'a Subject,
        /// The client.
        client: &'a ClientId,
    },
    /// A user denied a client's request.
    ConsentRefused {
        /// The user.
        subject: &'a Subject,
        /// The client.
        client: &'a ClientId,
    },
    /// A user did not expect a client's backchannel request, and denied it.
    RequestUnexpected {
        /// The user.
        subject: &'a Subject,
        /// The client.
        client: &'a ClientId,
    },
    /// A consent was withdrawn, and the grants of its client ended.
    ConsentWithdrawn {
        /// The user.
        subject: &'a Subject,
        /// The client.
        client: &'a ClientId,
        /// The party that withdrew it.
        actor: Actor,
    },
    /// An authorization code was issued.
    CodeIssued {
        /// The user.
        subject: &'a Subject,
        /// The client.
        client: &'a ClientId,
    },
    /// An authorization code or device code was redeemed a second time; its grant is revoked.
    CodeReplayed {
        /// The client.
        client: &'a ClientId,
    },
    /// Tokens were issued for a new grant, or to the client itself.
    TokenIssued {
        /// The user; none if the client acts for itself.
        subject: Option<&'a Subject>,
        /// The client.
        client: &'a ClientId,
        /// `grant_type` of the request.
        grant_type: &'static str,
    },
    /// A refresh token was rotated.
    TokenRefreshed {
        /// The user.
        subject: Option<&'a Subject>,
        /// The client.
        client: &'a ClientId,
    },
    /// A refresh token was used a second time.
    RefreshTokenReplayed {
        /// The client.
        client: &'a ClientId,
        /// True if the grant is revoked.
        revoked: bool,
    },
    /// A token was exchanged for another one.
    TokenExchanged {
        /// The user.
        subject: Option<&'a Subject>,
        /// The client.
        client: &'a ClientId,
    },
    /// A token was exchanged for an ID-JAG: the client may act for the user at another authorization server.
    IdJagIssued {
        /// The user.
        subject: &'a Subject,
        /// The client.
        client: &'a ClientId,
        /// The issuer identifier of that authorization server.
        audience: &'a str,
    },
    /// A client revoked a token.
    TokenRevoked {
        /// The client.
        client: &'a ClientId,
    },
    /// A client failed to authenticate. The name is that of the request: it may not exist.
    ClientAuthenticationFailed {
        /// The client that the request names.
        client: &'a ClientId,
    },
    /// A client was registered.
    ClientRegistered {
        /// The client.
        client: &'a ClientId,
        /// The party that registered it.
        actor: Actor,
    },
    /// The settings or the secret of a client changed.
    ClientChanged {
        /// The client.
        client: &'a ClientId,
        /// The party that changed it.
        actor: Actor,
    },
    /// A client was deleted.
    ClientDeleted {
        /// The client.
        client: &'a ClientId,
        /// The party that deleted it.
        actor: Actor,
    },
    /// An administrator created a user.
    UserCreated {
        /// The user.
        subject: &'a Subject,
    },
    /// An administrator changed a user.
    UserChanged {
        /// The user.
        subject: &'a Subject,
    },
    /// A user was deleted, with all sessions and grants.
    UserDeleted {
        /// The user.
        subject: &'a Subject,
        /// The party that deleted the user.
        actor: Actor,
    },
    /// A user downloaded what is stored about the own account.
    DataDownloaded {
        /// The user.
        subject: &'a Subject,
        /// The party that downloaded it.
        actor: Actor,
    },
    /// A user changed the own password; every other session and all grants ended.
    PasswordChanged {
        /// The user.
        subject: &'a Subject,
    },
    /// A user added a way to sign in to the own account.
    SignInMethodAdded {
        /// The user.
        subject: &'a Subject,
        /// The method.
        method: AuthenticationMethod,
    },
    /// A user removed a way to sign in from the own account.
    SignInMethodRemoved {
        /// The user.
        subject: &'a Subject,
        /// The method.
        method: AuthenticationMethod,
        /// The party that removed it.
        actor: Actor,
    },
    /// A request to the administration API had no valid token, or its admin key lacks the scope.
    AdministrationRejected,
    /// An admin key was created.
    AdminKeyCreated {
        /// `kid` of the new key.
        key: &'a str,
    },
    /// An admin key was revoked.
    AdminKeyRevoked {
        /// `kid` of the key.
        key: &'a str,
    },
    /// An administrator applied a configuration.
    ConfigurationApplied {
        /// The new version, and the sections that changed.
        reason: &'a str,
    },
    /// An administrator issued an initial access token (RFC 7591).
    InitialAccessTokenIssued,
    /// A session ended: the user signed out of one browser.
    SignedOut {
        /// The user.
        subject: &'a Subject,
    },
    /// Every session and grant of a user ended.
    SignedOutEverywhere {
        /// The user.
        subject: &'a Subject,
        /// The party that ended them.
        actor: Actor,
    },
    /// A client did not accept a logout token within a day: it may still have the session.
    LogoutNotificationGivenUp {
        /// The user whose session ended.
        subject: &'a Subject,
        /// The client.
        client: &'a ClientId,
    },
    /// A mail could not be sent before it was of no use.
    MailGivenUp {
        /// The kind of mail.
        kind: &'static str,
    },
    /// A user chose a new password by the link of a mail.
    PasswordReset {
        /// The user.
        subject: &'a Subject,
    },
    /// A user proved an e-mail address, or changed it.
    EmailAddressVerified {
        /// The user.
        subject: &'a Subject,
    },
    /// A user restored the e-mail address from before a change.
    EmailAddressRestored {
        /// The user.
        subject: &'a Subject,
    },
    /// A user reported an act in a security notice as that of an attacker.
    ActDisowned {
        /// The user.
        subject: &'a Subject,
    },
    /// The grants of a user for a client were more than the limit: those unused longest ended.
    ExcessGrantsEnded {
        /// The user.
        subject: &'a Subject,
        /// The client.
        client: &'a ClientId,
    },
    /// Signing keys got successors, or were retired.
    KeysRotated {
        /// The party that rotated them.
        actor: Actor,
    },
    /// Signing keys were replaced at once: tokens that they signed are rejected.
    KeysReplaced,
    /// The clock of this instance and that of the store differ by more than a minute: the instance issues nothing.
    ClockDiffers {
        /// The difference, for the log.
        reason: &'a str,
    },
    /// An administrator began or continued a restore, or a change of the number of shards.
    RecordsMaintained {
        /// The maintenance, and its state.
        reason: &'a str,
    },
    /// A stored record cannot be read: it is left out of a listing.
    RecordUnreadable {
        /// The key of the record, and the reason.
        reason: &'a str,
    },
}

/// `actor`: the party that acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A user at a browser.
    User,
    /// A client.
    Client,
    /// An administrator.
    Administrator,
    /// The server, on a schedule.
    Schedule,
}

/// `outcome`: the outcome of the act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The act took place.
    Success,
    /// The act was rejected.
    Failure,
}

impl<'a> AuditEvent<'a> {
    /// Returns `event`: the name of the event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SignInSucceeded { .. } => "sign_in_succeeded",
            Self::SignInFailed { .. } => "sign_in_failed",
            Self::SignInThrottled { .. } => "sign_in_throttled",
            Self::ConsentGiven { .. } => "consent_given",
            Self::ConsentRefused { .. } => "consent_refused",
            Self::RequestUnexpected { .. } => "request_unexpected",
            Self::ConsentWithdrawn { .. } => "consent_withdrawn",
            Self::CodeIssued { .. } => "code_issued",
            Self::CodeReplayed { .. } => "code_replayed",
            Self::TokenIssued { .. } => "token_issued",
            Self::TokenRefreshed { .. } => "token_refreshed",
            Self::RefreshTokenReplayed { .. } => "refresh_token_replayed",
            Self::TokenExchanged { .. } => "token_exchanged",
            Self::IdJagIssued { .. } => "id_jag_issued",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::ClientAuthenticationFailed { .. } => "client_authentication_failed",
            Self::ClientRegistered { .. } => "client_registered",
            Self::ClientChanged { .. } => "client_changed",
            Self::ClientDeleted { .. } => "client_deleted",
            Self::UserCreated { .. } => "user_created",
            Self::UserChanged { .. } => "user_changed",
            Self::UserDeleted { .. } => "user_deleted",
            Self::DataDownloaded { .. } => "data_downloaded",
            Self::PasswordChanged { .. } => "password_changed",
            Self::SignInMethodAdded { .. } => "sign_in_method_added",
            Self::SignInMethodRemoved { .. } => "sign_in_method_removed",
            Self::AdministrationRejected => "administration_rejected",
            Self::AdminKeyCreated { .. } => "admin_key_created",
            Self::AdminKeyRevoked { .. } => "admin_key_revoked",
            Self::ConfigurationApplied { .. } => "configuration_applied",
            Self::InitialAccessTokenIssued => "initial_access_token_issued",
            Self::SignedOut { .. } => "signed_out",
            Self::SignedOutEverywhere { .. } => "signed_out_everywhere",
            Self::LogoutNotificationGivenUp { .. } => "logout_notification_given_up",
            Self::MailGivenUp { .. } => "mail_given_up",
            Self::PasswordReset { .. } => "password_reset",
            Self::EmailAddressVerified { .. } => "email_address_verified",
            Self::EmailAddressRestored { .. } => "email_address_restored",
            Self::ActDisowned { .. } => "act_disowned",
            Self::ExcessGrantsEnded { .. } => "excess_grants_ended",
            Self::KeysRotated { .. } => "keys_rotated",
            Self::KeysReplaced => "keys_replaced",
            Self::ClockDiffers { .. } => "clock_differs",
            Self::RecordsMaintained { .. } => "records_maintained",
            Self::RecordUnreadable { .. } => "record_unreadable",
        }
    }

    /// Returns `outcome`.
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::SignInFailed { .. }
            | Self::SignInThrottled { .. }
            | Self::CodeReplayed { .. }
            | Self::RefreshTokenReplayed { .. }
            | Self::ClientAuthenticationFailed { .. }
            | Self::AdministrationRejected
            | Self::LogoutNotificationGivenUp { .. }
            | Self::MailGivenUp { .. }
            | Self::ClockDiffers { .. }
            | Self::RecordUnreadable { .. } => Outcome::Failure,
            Self::SignInSucceeded { .. }
            | Self::ConsentGiven { .. }
            | Self::ConsentRefused { .. }
            | Self::RequestUnexpected { .. }
            | Self::ConsentWithdrawn { .. }
            | Self::CodeIssued { .. }
            | Self::TokenIssued { .. }
            | Self::TokenRefreshed { .. }
            | Self::TokenExchanged { .. }
            | Self::IdJagIssued { .. }
            | Self::TokenRevoked { .. }
            | Self::ClientRegistered { .. }
            | Self::ClientChanged { .. }
            | Self::ClientDeleted { .. }
            | Self::UserCreated { .. }
            | Self::UserChanged { .. }
            | Self::UserDeleted { .. }
            | Self::DataDownloaded { .. }
            | Self::PasswordChanged { .. }
            | Self::SignInMethodAdded { .. }
            | Self::SignInMethodRemoved { .. }
            | Self::PasswordReset { .. }
            | Self::EmailAddressVerified { .. }
            | Self::EmailAddressRestored { .. }
            | Self::ActDisowned { .. }
            | Self::AdminKeyCreated { .. }
            | Self::AdminKeyRevoked { .. }
            | Self::ConfigurationApplied { .. }
            | Self::InitialAccessTokenIssued
            | Self::SignedOut { .. }
            | Self::SignedOutEverywhere { .. }
            | Self::ExcessGrantsEnded { .. }
            | Self::KeysRotated { .. }
            | Self::KeysReplaced
            | Self::RecordsMaintained { .. } => Outcome::Success,
        }
    }

    /// Returns `actor`.
    pub const fn actor(&self) -> Actor {
        match self {
            Self::SignInSucceeded { .. }
            | Self::SignInFailed { .. }
            | Self::SignInThrottled { .. }
            | Self::ConsentGiven { .. }
            | Self::ConsentRefused { .. }
            | Self::RequestUnexpected { .. }
            | Self::CodeIssued { .. }
            | Self::PasswordChanged { .. }
            | Self::SignInMethodAdded { .. }
            | Self::PasswordReset { .. }
            | Self::EmailAddressVerified { .. }
            | Self::EmailAddressRestored { .. }
            | Self::ActDisowned { .. }
            | Self::SignedOut { .. } => Actor::User,
            Self::CodeReplayed { .. }
            | Self::TokenIssued { .. }
            | Self::TokenRefreshed { .. }
            | Self::RefreshTokenReplayed { .. }
            | Self::TokenExchanged { .. }
            | Self::IdJagIssued { .. }
            | Self::TokenRevoked { .. }
            | Self::ClientAuthenticationFailed { .. } => Actor::Client,
            Self::UserCreated { .. }
            | Self::UserChanged { .. }
            | Self::AdministrationRejected
            | Self::AdminKeyCreated { .. }
            | Self::AdminKeyRevoked { .. }
            | Self::ConfigurationApplied { .. }
            | Self::InitialAccessTokenIssued
            | Self::KeysReplaced
            | Self::RecordsMaintained { .. }
            | Self::RecordUnreadable { .. } => Actor::Administrator,
            Self::LogoutNotificationGivenUp { .. }
            | Self::MailGivenUp { .. }
            | Self::ExcessGrantsEnded { .. }
            | Self::ClockDiffers { .. } => Actor::Schedule,
            Self::ClientRegistered { actor, .. }
            | Self::ClientChanged { actor, .. }
            | Self::ClientDeleted { actor, .. }
            | Self::ConsentWithdrawn { actor, .. }
            | Self::UserDeleted { actor, .. }
            | Self::DataDownloaded { actor, .. }
            | Self::SignInMethodRemoved { actor, .. }
            | Self::SignedOutEverywhere { actor, .. }
            | Self::KeysRotated { actor } => *actor,
        }
    }

    /// Returns `subject`: the user that the event is about.
    pub const fn subject(&self) -> Option<&'a Subject> {
        match *self {
            Self::SignInSucceeded { subject, .. }
            | Self::ConsentGiven { subject, .. }
            | Self::ConsentRefused { subject, .. }
            | Self::RequestUnexpected { subject, .. }
            | Self::ConsentWithdrawn { subject, .. }
            | Self::CodeIssued { subject, .. }
            | Self::UserCreated { subject }
            | Self::UserChanged { subject }
            | Self::UserDeleted { subject, .. }
            | Self::DataDownloaded { subject, .. }
            | Self::PasswordChanged { subject }
            | Self::SignInMethodAdded { subject, .. }
            | Self::SignInMethodRemoved { subject, .. }
            | Self::PasswordReset { subject }
            | Self::EmailAddressVerified { subject }
            | Self::EmailAddressRestored { subject }
            | Self::ActDisowned { subject }
            | Self::SignedOut { subject }
            | Self::SignedOutEverywhere { subject, .. }
            | Self::ExcessGrantsEnded { subject, .. }
            | Self::IdJagIssued { subject, .. }
            | Self::LogoutNotificationGivenUp { subject, .. } => Some(subject),
            Self::TokenIssued { subject, .. }
            | Self::TokenRefreshed { subject, .. }
            | Self::TokenExchanged { subject, .. } => subject,
            Self::SignInFailed { .. }
            | Self::SignInThrottled { .. }
            | Self::CodeReplayed { .. }
            | Self::RefreshTokenReplayed { .. }
            | Self::TokenRevoked { .. }
            | Self::ClientAuthenticationFailed { .. }
            | Self::ClientRegistered { .. }
            | Self::ClientChanged { .. }
            | Self::ClientDeleted { .. }
            | Self::AdministrationRejected
            | Self::AdminKeyCreated { .. }
            | Self::AdminKeyRevoked { .. }
            | Self::ConfigurationApplied { .. }
            | Self::InitialAccessTokenIssued
            | Self::KeysRotated { .. }
            | Self::KeysReplaced
            | Self::MailGivenUp { .. }
            | Self::ClockDiffers { .. }
            | Self::RecordsMaintained { .. }
            | Self::RecordUnreadable { .. } => None,
        }
    }

    /// Returns `client`: the client that the event is about.
    pub const fn client(&self) -> Option<&'a ClientId> {
        match *self {
            Self::SignInSucceeded { client, .. }
            | Self::SignInFailed { client, .. }
            | Self::SignInThrottled { client } => client,
            Self::ConsentGiven { client, .. }
            | Self::ConsentRefused { client, .. }
            | Self::RequestUnexpected { client, .. }
            | Self::ConsentWithdrawn { client, .. }
            | Self::CodeIssued { client, .. }
            | Self::CodeReplayed { client }
            | Self::TokenIssued { client, .. }
            | Self::TokenRefreshed { client, .. }
            | Self::RefreshTokenReplayed { client, .. }
            | Self::TokenExchanged { client, .. }
            | Self::IdJagIssued { client, .. }
            | Self::TokenRevoked { client }
            | Self::ClientAuthenticationFailed { client }
            | Self::ClientRegistered { client, .. }
            | Self::ClientChanged { client, .. }
            | Self::ClientDeleted { client, .. }
            | Self::ExcessGrantsEnded { client, .. }
            | Self::LogoutNotificationGivenUp { client, .. } => Some(client),
            Self::UserCreated { .. }
            | Self::UserChanged { .. }
            | Self::UserDeleted { .. }
            | Self::DataDownloaded { .. }
            | Self::PasswordChanged { .. }
            | Self::SignInMethodAdded { .. }
            | Self::SignInMethodRemoved { .. }
            | Self::PasswordReset { .. }
            | Self::EmailAddressVerified { .. }
            | Self::EmailAddressRestored { .. }
            | Self::ActDisowned { .. }
            | Self::AdministrationRejected
            | Self::AdminKeyCreated { .. }
            | Self::AdminKeyRevoked { .. }
            | Self::ConfigurationApplied { .. }
            | Self::InitialAccessTokenIssued
            | Self::SignedOut { .. }
            | Self::SignedOutEverywhere { .. }
            | Self::KeysRotated { .. }
            | Self::KeysReplaced
            | Self::MailGivenUp { .. }
            | Self::ClockDiffers { .. }
            | Self::RecordsMaintained { .. }
            | Self::RecordUnreadable { .. } => None,
        }
    }

    /// Returns `reason`: the detail of the event, if it has one.
    pub const fn reason(&self) -> Option<&'a str> {
        match *self {
            Self::TokenIssued { grant_type, .. } => Some(grant_type),
            Self::RecordsMaintained { reason }
            | Self::RecordUnreadable { reason }
            | Self::ClockDiffers { reason }
            | Self::ConfigurationApplied { reason } => Some(reason),
            Self::MailGivenUp { kind } => Some(kind),
            Self::IdJagIssued { audience, .. } => Some(audience),
            Self::AdminKeyCreated { key } | Self::AdminKeyRevoked { key } => Some(key),
            Self::SignInSucceeded { method, .. }
            | Self::SignInFailed { method, .. }
            | Self::SignInMethodAdded { method, .. }
            | Self::SignInMethodRemoved { method, .. } => Some(method.as_str()),
            Self::SignInThrottled { .. } => Some("too many attempts"),
            Self::LogoutNotificationGivenUp { .. } => Some("the client accepted no logout token within a day"),
            Self::CodeReplayed { .. } => Some("the code was redeemed before; the grant is revoked"),
            Self::RefreshTokenReplayed { revoked: true, .. } => {
                Some("the refresh token was used before; the grant is revoked")
            }
            Self::RefreshTokenReplayed { revoked: false, .. } => {
                Some("the refresh token was used before; the client's setting keeps the grant")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_documented() {
        let client = &ClientId::parse("c").unwrap();
        let (subject, actor) = (&Subject::parse("s").unwrap(), Actor::Client);
        let method = AuthenticationMethod::Password;
        let events = [
            AuditEvent::SignInSucceeded { subject, client: Some(client), method },
            AuditEvent::SignInFailed { client: None, method },
            AuditEvent::SignInThrottled { client: None },
            AuditEvent::ConsentGiven { subject, client },
            AuditEvent::ConsentRefused { subject, client },
            AuditEvent::RequestUnexpected { subject, client },
            AuditEvent::ConsentWithdrawn { subject, client, actor },
            AuditEvent::CodeIssued { subject, client },
            AuditEvent::CodeReplayed { client },
            AuditEvent::TokenIssued { subject: None, client, grant_type: "authorization_code" },
            AuditEvent::TokenRefreshed { subject: None, client },
            AuditEvent::RefreshTokenReplayed { client, revoked: true },
            AuditEvent::TokenExchanged { subject: None, client },
            AuditEvent::IdJagIssued { subject, client, audience: "https://as.example" },
            AuditEvent::TokenRevoked { client },
            AuditEvent::ClientAuthenticationFailed { client },
            AuditEvent::ClientRegistered { client, actor },
            AuditEvent::ClientChanged { client, actor },
            AuditEvent::ClientDeleted { client, actor },
            AuditEvent::UserCreated { subject },
            AuditEvent::UserChanged { subject },
            AuditEvent::UserDeleted { subject, actor },
            AuditEvent::DataDownloaded { subject, actor },
            AuditEvent::PasswordChanged { subject },
            AuditEvent::SignInMethodAdded { subject, method },
            AuditEvent::SignInMethodRemoved { subject, method, actor },
            AuditEvent::AdministrationRejected,
            AuditEvent::AdminKeyCreated { key: "k" },
            AuditEvent::AdminKeyRevoked { key: "k" },
            AuditEvent::ConfigurationApplied { reason: "r" },
            AuditEvent::InitialAccessTokenIssued,
            AuditEvent::SignedOut { subject },
            AuditEvent::SignedOutEverywhere { subject, actor },
            AuditEvent::LogoutNotificationGivenUp { subject, client },
            AuditEvent::MailGivenUp { kind: "password_reset" },
            AuditEvent::PasswordReset { subject },
            AuditEvent::EmailAddressVerified { subject },
            AuditEvent::EmailAddressRestored { subject },
            AuditEvent::ActDisowned { subject },
            AuditEvent::ExcessGrantsEnded { subject, client },
            AuditEvent::KeysRotated { actor },
            AuditEvent::KeysReplaced,
            AuditEvent::ClockDiffers { reason: "r" },
            AuditEvent::RecordsMaintained { reason: "r" },
            AuditEvent::RecordUnreadable { reason: "r" },
        ];
        let page = include_str!("../../../../infra/docs/audit-events.md");
        let rows = page.lines().filter(|line| line.starts_with("| `")).count();
        for event in events {
            assert!(page.contains(&format!("\n| `{}` |", event.name())), "{}", event.name());
        }
        assert_eq!(rows, events.len() + 9, "one row for each event and each member");
    }
}
