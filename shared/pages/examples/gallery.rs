//! Writes every page with sample data to a directory: `cargo run -p latchkey-pages --example gallery -- DIRECTORY`.
//!
//! The browser tests read these files. The content security policy of a page is in the `.csp` file beside it.
#![allow(clippy::expect_used, reason = "a tool for development: it stops at the first problem")]

use std::{env, fs, path::Path};

use latchkey_pages::{
    AccountApplication, AccountDeletion, AccountEmail, AccountEmailLink, AccountOutcome, AccountOverview,
    AccountPasskey, AccountPassword, AccountSession, Answered, ApplicationLine, AuthenticatorApp, AuthenticatorSetup,
    ClaimLine, ClientProfile, Command, ConsentKind, ConsentView, CurrentUser, DemoClient, DemoUser, DeviceCode,
    DeviceOutcome, DeviceProblem, DeviceProfile, EmailProblem, EndedEverywhere, ErrorPage, FormPost, Frame, GrantLine,
    Landing, Leave, LeaveReason, Logout, Mailbox, NewPasskey, NewRecoveryCodes, Page, PasskeyLine, PasswordProblem,
    Playground, RecoveryAct, RecoveryActKind, RecoveryCodes, RecoveryOutcome, RecoveryPassword, RecoveryProblem,
    RecoveryRequest, Refusal, Refused, RequestLine, RequestOutcome, ReturnOffer, ReturnWay, ScopeLine,
    SecondFactorPage, SentMail, SessionLine, SignIn, SignInMethods, SignInProblem, SignedOut, UserProfile,
    WaitingRequests,
};
use protocol::{DetailLine, DetailWords, Language};

const ISSUER: &str = "http://localhost:8787";
const DANA: UserProfile<'static> = UserProfile { name: "Dana Demo", username: Some("dana") };

fn main() {
    let directory = env::args().nth(1).expect("an argument: the directory to write to");
    fs::create_dir_all(&directory).expect("directory can be made");
    let frame = Frame { nonce: "c2FtcGxlLW5vbmNlLXNhbXBsZQ".to_owned(), language: Language::English };
    for (name, page) in all(&frame) {
        let file = Path::new(&directory).join(name);
        fs::write(file.with_extension("html"), page.html).expect("page can be written");
        fs::write(file.with_extension("csp"), page.csp).expect("policy can be written");
    }
}

pub(crate) fn all(frame: &Frame) -> Vec<(&'static str, Page)> {
    let mut pages = sign_in(frame);
    pages.extend(account(frame));
    pages.extend(passkeys(frame));
    pages.extend(recovery(frame));
    pages.extend(consent(frame));
    pages.extend(development(frame));
    pages.push((
        "error",
        latchkey_pages::error(&ErrorPage {
            frame,
            status: 400,
            title: "This sign-in link is not valid",
            message: "The application that sent you here made a mistake. Go back to it and try again.",
            hint: Some("the redirect_uri is not registered for this client; it must match to the character"),
            received: &[("client_id", "notes-web"), ("redirect_uri", "https://notes.example/callback/")],
            client: Some(("Orchard Notes", Some("https://notes.example/sign-in"))),
            request_id: "01JD6Z8K3V5T9QH2",
        }),
    ));
    for (name, reason, status) in [
        ("unknown_path", Refusal::UnknownPath, 404),
        ("refused_method", Refusal::Method, 405),
        ("refused_body", Refusal::BodyTooLong, 413),
        ("refused_query", Refusal::QueryTooLong, 414),
    ] {
        let hint = "the query is longer than 7 KiB: send it as a form, with POST";
        let refused = Refused { frame, reason, status, hint, request_id: "01JD6Z8K3V5T9QH2" };
        pages.push((name, latchkey_pages::refused(&refused)));
    }
    pages.push((
        "error_unavailable",
        latchkey_pages::error(&ErrorPage {
            frame,
            status: 503,
            title: "We cannot answer just now",
            message: "Something on our side is busy or broken. Nothing you did is lost: wait a moment, then reload this page.",
            hint: None,
            received: &[],
            client: None,
            request_id: "01JD6Z8K3V5T9QH2",
        }),
    ));
    pages.push((
        "form_post",
        latchkey_pages::form_post(&FormPost {
            frame,
            action: "https://app.example/callback",
            fields: &[("code", "abc"), ("state", "xyz"), ("iss", ISSUER)],
        }),
    ));
    let web = Leave { frame, uri: "https://notes.example/callback?code=abc&state=xyz", reason: LeaveReason::Answered };
    pages.push(("leave", latchkey_pages::leave(&web)));
    pages.push(("leave_app", latchkey_pages::leave(&Leave { uri: "com.example.orchard:/callback?code=abc", ..web })));
    let out = Leave { uri: "https://notes.example/bye", reason: LeaveReason::SignedOut, ..web };
    pages.push(("leave_signed_out", latchkey_pages::leave(&out)));
    pages.push((
        "answered",
        latchkey_pages::answered(&Answered {
            frame,
            user: DANA,
            client: ("Orchard Notes", Some("https://notes.example/")),
        }),
    ));
    let no_way_back = Answered { frame, user: DANA, client: ("Orchard Notes", None) };
    pages.push(("answered_no_way_back", latchkey_pages::answered(&no_way_back)));
    let offer = ReturnOffer {
        frame,
        redirect_uri: "https://app.example/callback",
        way: ReturnWay::Link("https://app.example/callback?error=invalid_request&state=xyz"),
        hint: "invalid_request: the parameter 'code_challenge' is missing",
        request_id: "01JD6Z8K3V5T9QH2",
    };
    pages.push(("return_offer", latchkey_pages::return_offer(&offer)));
    let fields = [("error", "invalid_request"), ("state", "xyz")];
    let form = ReturnOffer { way: ReturnWay::Form(&fields), ..offer };
    pages.push(("return_offer_form", latchkey_pages::return_offer(&form)));
    pages.push(("home", latchkey_pages::home(frame, "id.example")));
    pages.extend(device(frame));
    pages.extend(requests(frame));
    let ask =
        Logout { frame, client_name: Some("Orchard Notes"), user: Some(DANA), interaction: "sealed", csrf: "token" };
    pages.push(("logout", latchkey_pages::logout(&ask)));
    pages.push(("logout_unknown", latchkey_pages::logout(&Logout { client_name: None, user: None, ..ask })));
    pages.push(("logout_everywhere", latchkey_pages::logout_everywhere(&ask)));
    let nobody = Logout { client_name: None, user: None, ..ask };
    pages.push(("logout_everywhere_unknown", latchkey_pages::logout_everywhere(&nobody)));
    let done = SignedOut {
        frame,
        client_name: Some("Orchard Notes"),
        return_uri: Some("https://notes.example/"),
        start_uri: None,
        stayed: false,
        ended: None,
        frames: &[],
    };
    pages.push(("signed_out", latchkey_pages::signed_out(&done)));
    let frames = ["https://notes.example/out?sid=1".to_owned(), "https://films.example/out".to_owned()];
    pages.push(("signed_out_frames", latchkey_pages::signed_out(&SignedOut { frames: &frames, ..done })));
    pages.push((
        "signed_out_frames_end",
        latchkey_pages::signed_out(&SignedOut { frames: &frames, return_uri: None, ..done }),
    ));
    let bare = SignedOut { client_name: None, return_uri: None, ..done };
    pages.push(("signed_out_bare", latchkey_pages::signed_out(&bare)));
    let one = EndedEverywhere { sessions: 1, applications: &[], unfinished: false };
    pages.push(("signed_out_everywhere_one", latchkey_pages::signed_out(&SignedOut { ended: Some(one), ..bare })));
    let again = SignedOut { return_uri: None, start_uri: Some("https://notes.example/"), ..done };
    pages.push(("signed_out_again", latchkey_pages::signed_out(&again)));
    let applications = ["Orchard Notes".to_owned(), "Orchard TV".to_owned()];
    let ended = EndedEverywhere { sessions: 3, applications: &applications, unfinished: true };
    pages.push(("signed_out_everywhere", latchkey_pages::signed_out(&SignedOut { ended: Some(ended), ..done })));
    pages.push((
        "still_signed_in",
        latchkey_pages::signed_out(&SignedOut { stayed: true, frames: &[], return_uri: None, ..done }),
    ));
    pages.push(("still_signed_in_back", latchkey_pages::signed_out(&SignedOut { stayed: true, ..again })));
    pages
}

fn client() -> ClientProfile<'static> {
    ClientProfile {
        name: "Orchard Notes",
        logo: None,
        client_uri: Some("https://notes.example/"),
        policy_uri: Some("https://notes.example/privacy"),
        tos_uri: Some("https://notes.example/terms"),
        identity: None,
        unreviewed_at: None,
    }
}

fn unreviewed() -> ClientProfile<'static> {
    ClientProfile { unreviewed_at: Some("id.example"), ..client() }
}

fn with_logo() -> ClientProfile<'static> {
    ClientProfile { logo: Some("sample"), ..client() }
}

fn television() -> DeviceProfile<'static> {
    DeviceProfile { kind: Some("Apple TV"), place: Some("Lyon, FR"), minutes: 2 }
}

fn sign_in(frame: &Frame) -> Vec<(&'static str, Page)> {
    let first = SignIn {
        frame,
        client: Some(client()),
        redirect_uri: Some("https://notes.example/callback"),
        device: None,
        username: "",
        problem: None,
        interaction: "sealed",
        csrf: "token",
        current: None,
        passkey_options: Some(PASSKEY_OPTIONS),
        has_recovery: true,
    };
    let wait = SignInProblem::TooManyAttempts { retry_after_secs: 30 };
    let second = SecondFactorPage {
        frame,
        client: Some(client()),
        redirect_uri: Some("https://notes.example/callback"),
        device: None,
        problem: None,
        passed: "sealed",
        interaction: "sealed",
        csrf: "token",
        passkey_options: Some(PASSKEY_OPTIONS),
    };
    let long = ClientProfile { name: "The-Application-Whose-Name-Has-No-Space-And-Does-Not-End-Soon", ..client() };
    let with =
        |current, username| latchkey_pages::sign_in(&SignIn { current: Some(current), username, ..first.clone() });
    vec![
        ("sign_in", latchkey_pages::sign_in(&first)),
        (
            "sign_in_wrong",
            latchkey_pages::sign_in(&SignIn { username: "dana", problem: Some(SignInProblem::Wrong), ..first.clone() }),
        ),
        ("sign_in_wait", latchkey_pages::sign_in(&SignIn { username: "dana", problem: Some(wait), ..first.clone() })),
        (
            "sign_in_expired",
            latchkey_pages::sign_in(&SignIn { problem: Some(SignInProblem::SessionExpired), ..first.clone() }),
        ),
        (
            "sign_in_unknown_passkey",
            latchkey_pages::sign_in(&SignIn { problem: Some(SignInProblem::UnknownPasskey), ..first.clone() }),
        ),
        ("second_factor", latchkey_pages::second_factor(&second)),
        (
            "second_factor_wrong",
            latchkey_pages::second_factor(&SecondFactorPage {
                problem: Some(SignInProblem::WrongCode),
                ..second.clone()
            }),
        ),
        (
            "second_factor_wait",
            latchkey_pages::second_factor(&SecondFactorPage {
                client: None,
                redirect_uri: None,
                problem: Some(wait),
                passkey_options: None,
                ..second.clone()
            }),
        ),
        ("sign_in_without_passkeys", latchkey_pages::sign_in(&SignIn { passkey_options: None, ..first.clone() })),
        ("sign_in_account", with(CurrentUser::MayContinue(DANA), "")),
        ("sign_in_account_hint", with(CurrentUser::MayContinue(DANA), "somebody@example.com")),
        ("sign_in_confirm", with(CurrentUser::MustConfirm(DANA), "")),
        ("sign_in_other", with(CurrentUser::IsOther(DANA), "")),
        (
            "sign_in_confirm_wait",
            latchkey_pages::sign_in(&SignIn {
                current: Some(CurrentUser::MustConfirm(DANA)),
                problem: Some(wait),
                ..first.clone()
            }),
        ),
        (
            "sign_in_account_wrong",
            latchkey_pages::sign_in(&SignIn {
                current: Some(CurrentUser::MayContinue(DANA)),
                username: "somebody",
                problem: Some(SignInProblem::Wrong),
                ..first.clone()
            }),
        ),
        ("sign_in_unreviewed", latchkey_pages::sign_in(&SignIn { client: Some(unreviewed()), ..first.clone() })),
        ("sign_in_own_account", latchkey_pages::sign_in(&SignIn { client: None, redirect_uri: None, ..first.clone() })),
        ("sign_in_logo", latchkey_pages::sign_in(&SignIn { client: Some(with_logo()), ..first.clone() })),
        (
            "sign_in_device",
            latchkey_pages::sign_in(&SignIn { redirect_uri: None, device: Some(television()), ..first.clone() }),
        ),
        (
            "sign_in_long",
            latchkey_pages::sign_in(&SignIn {
                client: Some(long),
                redirect_uri: Some("http://127.0.0.1:49152/callback"),
                ..first.clone()
            }),
        ),
    ]
}

/// The options of a page that asks for a passkey.
const PASSKEY_OPTIONS: &str = r#"{"rpId":"id.example","challenge":"AAAA","allowCredentials":[]}"#;

fn passkeys(frame: &Frame) -> Vec<(&'static str, Page)> {
    const NOW: u64 = 1_796_000_000;
    let line = |name, used_on| PasskeyLine { name, href: "/account/passkey?passkey=x".into(), since: NOW, used_on };
    let lines =
        [line("iCloud Keychain", Some(NOW)), line("The-Passkey-Whose-Name-Has-No-Space-And-Does-Not-End-Soon", None)];
    let methods = SignInMethods {
        frame,
        user: DANA,
        passkeys: Some(&lines),
        recovery_codes_left: Some(9),
        may_add_passkey: true,
    };
    let offer = NewPasskey {
        frame,
        user: DANA,
        handle: "handle",
        options: r#"{"challenge":"AAAA"}"#,
        csrf: "token",
        interaction: Some("sealed"),
        back: "/authorize?interaction=sealed",
        has_failed: false,
    };
    let setup = AuthenticatorSetup {
        frame,
        user: DANA,
        picture: r##"<svg width="200" height="200" viewBox="0 0 29 29"><rect width="29" height="29" fill="#fff"/></svg>"##,
        uri: "otpauth://totp/Latchkey:dana?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Latchkey",
        secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        sealed: "sealed",
        csrf: "token",
        has_failed: false,
    };
    let codes: Vec<String> = (0..10).map(|number| format!("7K2M-Q4TX-9RWV{number}")).collect();
    let one = AccountPasskey {
        frame,
        name: "iCloud Keychain",
        since: NOW,
        used_on: Some(NOW),
        is_synchronised: true,
        passkey: "x",
        csrf: "token",
    };
    vec![
        ("account_sign_in", latchkey_pages::sign_in_methods(&methods)),
        (
            "account_sign_in_bare",
            latchkey_pages::sign_in_methods(&SignInMethods {
                passkeys: Some(&[]),
                recovery_codes_left: None,
                ..methods
            }),
        ),
        ("account_passkey_offer", latchkey_pages::new_passkey(&offer)),
        (
            "account_passkey_new",
            latchkey_pages::new_passkey(&NewPasskey { interaction: None, has_failed: true, ..offer }),
        ),
        ("account_authenticator_setup", latchkey_pages::authenticator_setup(&setup)),
        (
            "account_authenticator_wrong",
            latchkey_pages::authenticator_setup(&AuthenticatorSetup { has_failed: true, ..setup }),
        ),
        (
            "account_authenticator",
            latchkey_pages::authenticator_app(&AuthenticatorApp { frame, since: NOW, codes_left: 9, csrf: "token" }),
        ),
        (
            "account_recovery_codes",
            latchkey_pages::recovery_codes(&RecoveryCodes { frame, codes: &codes, is_setup: true }),
        ),
        (
            "account_recovery_codes_renewed",
            latchkey_pages::recovery_codes(&RecoveryCodes { frame, codes: &codes, is_setup: false }),
        ),
        (
            "account_recovery_codes_new",
            latchkey_pages::new_recovery_codes(&NewRecoveryCodes { frame, left: 3, csrf: "token" }),
        ),
        ("account_passkey", latchkey_pages::account_passkey(&one)),
        (
            "account_passkey_unused",
            latchkey_pages::account_passkey(&AccountPasskey { used_on: None, is_synchronised: false, ..one }),
        ),
    ]
}

fn account(frame: &Frame) -> Vec<(&'static str, Page)> {
    const DAY: u64 = 86_400;
    const NOW: u64 = 1_796_000_000;
    let application =
        |name, used_at| ApplicationLine { name, href: "/account/application?client_id=x".into(), used_at };
    let applications = [
        application("Orchard Notes", Some(NOW)),
        application("The-Application-Whose-Name-Has-No-Space-And-Does-Not-End-Soon", Some(NOW - 90 * DAY)),
        application("Orchard TV", None),
    ];
    let session = |browser, since, href: Option<&str>| SessionLine { browser, since, href: href.map(str::to_owned) };
    let sessions = [
        session(Some("Firefox on Linux"), NOW, None),
        session(Some("Safari on iPhone"), NOW - 3 * DAY, Some("/account/session?session=sealed")),
        session(None, NOW - 20 * DAY, Some("/account/session?session=sealed")),
    ];
    let overview = AccountOverview {
        frame,
        user: DANA,
        may_change_email: true,
        may_delete: true,
        applications: &applications,
        sessions: &sessions,
    };
    let (alone, _) = sessions.split_at(1);
    let scopes: Vec<_> = ["profile", "email", "offline_access", "notes:write"]
        .into_iter()
        .map(|name| ScopeLine { name, meaning: latchkey_pages::scope_meaning(name).unwrap_or_default(), is_new: false })
        .collect();
    let resources = ["https://api.notes.example/".to_owned()];
    let grants = [
        GrantLine {
            since: NOW - 40 * DAY,
            used: NOW,
            outlives_session: true,
            resources: &resources,
            details: Vec::new(),
        },
        GrantLine {
            since: NOW - 2 * DAY,
            used: NOW - DAY,
            outlives_session: false,
            resources: &[],
            details: vec![payment()],
        },
    ];
    let allowed = AccountApplication {
        frame,
        client: client(),
        client_id: "notes-web",
        user: DANA,
        scopes: &scopes,
        claims: &["birthdate"],
        grants: &grants,
        csrf: "token",
    };
    let bare = AccountApplication {
        client: ClientProfile { name: "client-7f2a", ..ClientProfile::default() },
        scopes: &[],
        claims: &[],
        grants: &[],
        ..allowed
    };
    let end = AccountSession {
        frame,
        user: DANA,
        browser: Some("Safari on iPhone"),
        since: NOW - 3 * DAY,
        session: "sealed",
        csrf: "token",
    };
    let password = AccountPassword { frame, user: DANA, minimum: 15, problem: None, csrf: "token" };
    let refused = PasswordProblem::Refused("has 9 characters and needs 15: add words until it is long enough");
    let email = AccountEmail {
        frame,
        user: DANA,
        address: Some("dana@example.com"),
        is_verified: true,
        typed: "",
        problem: None,
        csrf: "token",
    };
    let link = AccountEmailLink {
        frame,
        user: DANA,
        address: "dana@new.example",
        old: Some("dana@example.com"),
        link: "sealed",
        csrf: "token",
    };
    let outcome = |outcome| latchkey_pages::account_outcome(frame, outcome);
    let removed = |unfinished| outcome(AccountOutcome::Removed { application: "Orchard Notes", unfinished });
    vec![
        ("account", latchkey_pages::account_overview(&overview)),
        (
            "account_bare",
            latchkey_pages::account_overview(&AccountOverview {
                may_change_email: false,
                may_delete: false,
                applications: &[],
                sessions: alone,
                ..overview
            }),
        ),
        ("account_application", latchkey_pages::account_application(&allowed)),
        ("account_application_bare", latchkey_pages::account_application(&bare)),
        ("account_session", latchkey_pages::account_session(&end)),
        ("account_password", latchkey_pages::account_password(&password)),
        (
            "account_password_refused",
            latchkey_pages::account_password(&AccountPassword { problem: Some(refused), ..password }),
        ),
        (
            "account_password_differs",
            latchkey_pages::account_password(&AccountPassword { problem: Some(PasswordProblem::Differs), ..password }),
        ),
        ("account_password_changed", outcome(AccountOutcome::PasswordChanged { unfinished: false })),
        ("account_password_changed_unfinished", outcome(AccountOutcome::PasswordChanged { unfinished: true })),
        ("account_deletion", latchkey_pages::account_deletion(&AccountDeletion { frame, user: DANA, csrf: "token" })),
        ("account_email", latchkey_pages::account_email(&email)),
        (
            "account_email_new",
            latchkey_pages::account_email(&AccountEmail { is_verified: false, typed: "dana@example.com", ..email }),
        ),
        (
            "account_email_none",
            latchkey_pages::account_email(&AccountEmail { address: None, is_verified: false, ..email }),
        ),
        (
            "account_email_unreadable",
            latchkey_pages::account_email(&AccountEmail {
                typed: "dana",
                problem: Some(EmailProblem::Unreadable),
                ..email
            }),
        ),
        (
            "account_email_too_many",
            latchkey_pages::account_email(&AccountEmail {
                problem: Some(EmailProblem::TooMany { retry_after_secs: 1800 }),
                ..email
            }),
        ),
        ("account_email_link", latchkey_pages::account_email_link(&link)),
        ("account_email_requested", outcome(AccountOutcome::EmailRequested)),
        ("account_email_verified", outcome(AccountOutcome::EmailVerified)),
        ("account_link_over", outcome(AccountOutcome::LinkOver)),
        ("account_deleted", outcome(AccountOutcome::Deleted)),
        ("account_passkey_added", outcome(AccountOutcome::PasskeyAdded)),
        ("account_passkey_removed", outcome(AccountOutcome::PasskeyRemoved { unknown: r#"{"rpId":"localhost"}"# })),
        ("account_authenticator_removed", outcome(AccountOutcome::AuthenticatorRemoved)),
        ("account_authenticator_not_set_up", outcome(AccountOutcome::NoPassword)),
        ("account_passkey_stays", outcome(AccountOutcome::LastWayIn)),
        ("account_removed", removed(false)),
        ("account_removed_unfinished", removed(true)),
        ("account_ended", outcome(AccountOutcome::Ended)),
        ("account_not_there", outcome(AccountOutcome::NotThere)),
        ("account_not_accepted", outcome(AccountOutcome::NotAccepted)),
        ("account_not_signed_in", outcome(AccountOutcome::NotSignedIn)),
    ]
}

fn consent(frame: &Frame) -> Vec<(&'static str, Page)> {
    let scopes: Vec<_> = ["profile", "email", "offline_access", "notes:write"]
        .into_iter()
        .map(|name| ScopeLine { name, meaning: latchkey_pages::scope_meaning(name).unwrap_or_default(), is_new: false })
        .collect();
    let ask = ConsentView {
        frame,
        client: client(),
        user: DANA,
        scopes: &scopes,
        claims: &[],
        resources: &[],
        details: &[],
        interaction: "sealed",
        csrf: "token",
        kind: ConsentKind::Authorization { redirect_uri: "https://notes.example/callback" },
    };
    let app = ConsentView {
        client: ClientProfile { name: "Orchard", unreviewed_at: Some("id.example"), ..ClientProfile::default() },
        kind: ConsentKind::Authorization { redirect_uri: "com.example.orchard:/callback" },
        scopes: scopes.get(..1).unwrap_or_default(),
        ..ask.clone()
    };
    let step_up: Vec<_> = scopes.iter().map(|line| ScopeLine { is_new: line.name == "notes:write", ..*line }).collect();
    // Words of the deployment for a scope of its own.
    let words = |line: &ScopeLine<'static>| match line.name {
        "notes:write" => ScopeLine { meaning: "Read, write and delete your notes", ..*line },
        _ => *line,
    };
    let described: Vec<_> = scopes.iter().map(words).collect();
    let claim = |name, meaning, is_essential, is_checked| ClaimLine {
        name,
        meaning,
        description: None,
        is_essential,
        is_checked,
    };
    let claims = [
        claim("email", "your e-mail address", true, true),
        claim("birthdate", "your birthday", false, false),
        claim("phone_number", "your phone number", false, true),
        ClaimLine { description: Some("The teams that you belong to"), ..claim("groups", "", true, true) },
        ClaimLine { description: Some("Your plan"), ..claim("https://notes.example/claims/plan", "", false, true) },
        claim("https://notes.example/claims/level", "", false, true),
    ];
    let document = ClientProfile { identity: Some("agent.example"), ..unreviewed() };
    let local = ConsentKind::Authorization { redirect_uri: "http://127.0.0.1:49152/callback" };
    vec![
        ("consent", latchkey_pages::consent(&ask)),
        ("consent_app", latchkey_pages::consent(&app)),
        (
            "consent_logo",
            latchkey_pages::consent(&ConsentView { client: with_logo(), scopes: &described, ..ask.clone() }),
        ),
        ("consent_new", latchkey_pages::consent(&ConsentView { scopes: &step_up, ..ask.clone() })),
        ("consent_identity", latchkey_pages::consent(&ConsentView { scopes: &[], ..ask.clone() })),
        ("consent_document", latchkey_pages::consent(&ConsentView { client: document, kind: local, ..ask.clone() })),
        ("consent_claims", latchkey_pages::consent(&ConsentView { scopes: &[], claims: &claims, ..ask.clone() })),
        (
            "consent_details",
            latchkey_pages::consent(&ConsentView {
                scopes: &[],
                details: &[
                    payment(),
                    DetailWords { title: "", name: "documents", lines: vec![line("", "pages.0", &["7"])] },
                ],
                ..ask.clone()
            }),
        ),
        (
            "consent_resources",
            latchkey_pages::consent(&ConsentView {
                resources: &[
                    "https://notes.example/api/".to_owned(),
                    "https://files.notes.example/a/long/path".to_owned(),
                ],
                ..ask.clone()
            }),
        ),
    ]
}

/// A payment with words of the operator, and values without.
fn payment() -> DetailWords<'static> {
    let lines = vec![
        line("Amount", "instructedAmount", &["123.50 EUR"]),
        line("To", "creditorName", &["Merchant A"]),
        line("", "creditorAccount.iban", &["DE02100100109307118603"]),
        line("May", "actions", &["initiate", "status", "cancel"]),
        line("Reference", "remittanceInformationUnstructured", &["a".repeat(140).as_str()]),
    ];
    DetailWords { title: "Pay once from your account", name: "payment_initiation", lines }
}

fn line(label: &'static str, place: &str, values: &[&str]) -> DetailLine<'static> {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    DetailLine { label, place: place.to_owned(), values }
}

fn development(frame: &Frame) -> Vec<(&'static str, Page)> {
    let landing = Landing {
        frame,
        issuer: ISSUER,
        users: &[DemoUser { username: "demo", password: "four-quiet-lanterns" }],
        clients: &[
            DemoClient { client_id: "demo-spa", client_secret: None, purpose: "Public: code with PKCE, refresh" },
            DemoClient {
                client_id: "demo-web",
                client_secret: Some("demo-web-secret-7Kq2Xv9Tb4"),
                purpose: "Confidential: code, refresh",
            },
            DemoClient {
                client_id: "demo-service",
                client_secret: Some("demo-service-secret-7Kq2Xv9Tb4"),
                purpose: "Confidential: client credentials with the scopes read and write",
            },
        ],
        commands: &[Command {
            title: "Client credentials",
            line: "curl -u demo-service:demo-service-secret-7Kq2Xv9Tb4 -d grant_type=client_credentials -d scope=read http://localhost:8787/token",
        }],
    };
    let playground = Playground {
        frame,
        issuer: ISSUER,
        client_id: "demo-spa",
        device_client_id: "demo-device",
        redirect_uri: "http://localhost:8787/playground/callback",
        post_logout_redirect_uri: Some("http://localhost:8787/playground"),
        scope: "openid profile email offline_access",
    };
    let mail = SentMail {
        to: "dana@example.com",
        subject: "Choose a new password for localhost",
        text: "A new password was requested for your account dana at localhost.\n\nChoose a new password:\nhttp://localhost:8787/recovery?link=lkx_sealed\n",
    };
    vec![
        ("landing", latchkey_pages::landing(&landing)),
        ("playground", latchkey_pages::playground(&playground)),
        ("mailbox", latchkey_pages::mailbox(&Mailbox { frame, mails: &[mail] })),
        ("mailbox_empty", latchkey_pages::mailbox(&Mailbox { frame, mails: &[] })),
    ]
}

fn requests(frame: &Frame) -> Vec<(&'static str, Page)> {
    let consent = ConsentView {
        frame,
        client: ClientProfile { name: "Orchard Bank", ..ClientProfile::default() },
        user: DANA,
        scopes: &[ScopeLine { name: "profile", meaning: "See your profile", is_new: false }],
        claims: &[],
        resources: &[],
        details: &[],
        interaction: "sealed",
        csrf: "token",
        kind: ConsentKind::Backchannel { binding_message: Some("Terminal 7, code 1234"), minutes: 1 },
    };
    let bare = ConsentView { kind: ConsentKind::Backchannel { binding_message: None, minutes: 0 }, ..consent.clone() };
    let line =
        |client, binding_message| RequestLine { client, binding_message, minutes: 2, href: "/requests".to_owned() };
    let lines = [line("Orchard Bank", Some("Terminal 7, code 1234")), line("Orchard TV", None)];
    let list = WaitingRequests { frame, user: Some(DANA), requests: &lines };
    let outcome = |outcome| latchkey_pages::request_outcome(frame, outcome);
    vec![
        ("request", latchkey_pages::consent(&consent)),
        ("request_bare", latchkey_pages::consent(&bare)),
        ("requests", latchkey_pages::waiting_requests(&list)),
        ("requests_none", latchkey_pages::waiting_requests(&WaitingRequests { requests: &[], ..list })),
        (
            "requests_signed_out",
            latchkey_pages::waiting_requests(&WaitingRequests { user: None, requests: &[], ..list }),
        ),
        ("request_approved", outcome(RequestOutcome::Approved)),
        ("request_denied", outcome(RequestOutcome::Denied)),
        ("request_unexpected", outcome(RequestOutcome::Unexpected)),
        ("request_over", outcome(RequestOutcome::Over)),
        ("request_not_grantable", outcome(RequestOutcome::NotGrantable)),
    ]
}

fn device(frame: &Frame) -> Vec<(&'static str, Page)> {
    let code = DeviceCode { frame, user_code: "", problem: None, csrf: "token" };
    let again = DeviceCode {
        user_code: "WDJB-MJHT",
        problem: Some(DeviceProblem::TooManyAttempts { retry_after_secs: 8 }),
        ..code
    };
    let consent = ConsentView {
        frame,
        client: ClientProfile {
            name: "Orchard TV",
            policy_uri: Some("https://orchard.example/privacy"),
            ..ClientProfile::default()
        },
        user: DANA,
        scopes: &[
            ScopeLine { name: "profile", meaning: "See your profile", is_new: false },
            ScopeLine { name: "films:play", meaning: "", is_new: false },
        ],
        claims: &[],
        resources: &["https://films.orchard.example".to_owned()],
        details: &[],
        interaction: "sealed",
        csrf: "token",
        kind: ConsentKind::Device { user_code: "WDJB-MJHT", device: Some(television()) },
    };
    let claim =
        |name, meaning, is_essential| ClaimLine { name, meaning, description: None, is_essential, is_checked: true };
    // A device of which nothing is known, and claims alone.
    let unknown = ConsentView {
        client: unreviewed(),
        scopes: &[],
        claims: &[claim("email", "your e-mail address", true), claim("groups", "", false)],
        resources: &[],
        kind: ConsentKind::Device {
            user_code: "WDJB-MJHT",
            device: Some(DeviceProfile { kind: None, place: None, minutes: 1 }),
        },
        ..consent.clone()
    };
    vec![
        ("device_code", latchkey_pages::device_code(&code)),
        ("device_code_again", latchkey_pages::device_code(&again)),
        (
            "device_code_not_a_code",
            latchkey_pages::device_code(&DeviceCode {
                user_code: "123",
                problem: Some(DeviceProblem::NotACode),
                ..code
            }),
        ),
        ("device_consent", latchkey_pages::consent(&consent)),
        ("device_consent_unreviewed", latchkey_pages::consent(&unknown)),
        (
            "device_code_expired",
            latchkey_pages::device_code(&DeviceCode { problem: Some(DeviceProblem::SessionExpired), ..code }),
        ),
        (
            "device_code_unknown",
            latchkey_pages::device_code(&DeviceCode {
                user_code: "WDJB-MJHT",
                problem: Some(DeviceProblem::Unknown),
                ..code
            }),
        ),
        ("device_denied", latchkey_pages::device_outcome(frame, DeviceOutcome::Denied)),
        ("device_approved", latchkey_pages::device_outcome(frame, DeviceOutcome::Approved)),
        ("device_not_grantable", latchkey_pages::device_not_grantable(frame, "/login?interaction=sealed")),
        ("device_over", latchkey_pages::device_outcome(frame, DeviceOutcome::Over)),
    ]
}

/// The pages of links in mails, and the form that asks for one.
fn recovery(frame: &Frame) -> Vec<(&'static str, Page)> {
    let request = RecoveryRequest { frame, identifier: "", problem: None, csrf: "token" };
    let password = RecoveryPassword { frame, user: DANA, minimum: 15, problem: None, link: "sealed", csrf: "token" };
    let act = |act| latchkey_pages::recovery_act(&RecoveryAct { frame, act, link: "sealed", csrf: "token" });
    let outcome = |outcome| latchkey_pages::recovery_outcome(frame, outcome);
    let too_many = RecoveryProblem::TooMany { retry_after_secs: 90 };
    vec![
        ("recovery", latchkey_pages::recovery_request(&request)),
        (
            "recovery_unreadable",
            latchkey_pages::recovery_request(&RecoveryRequest {
                problem: Some(RecoveryProblem::Unreadable),
                ..request
            }),
        ),
        (
            "recovery_too_many",
            latchkey_pages::recovery_request(&RecoveryRequest {
                identifier: "dana@example.com",
                problem: Some(too_many),
                ..request
            }),
        ),
        ("recovery_requested", outcome(RecoveryOutcome::Requested)),
        ("recovery_password", latchkey_pages::recovery_password(&password)),
        (
            "recovery_password_differs",
            latchkey_pages::recovery_password(&RecoveryPassword {
                problem: Some(PasswordProblem::Differs),
                ..password
            }),
        ),
        ("recovery_password_set", outcome(RecoveryOutcome::PasswordSet { unfinished: false })),
        ("recovery_not_me", act(RecoveryActKind::NotMe)),
        ("recovery_address", act(RecoveryActKind::RestoreAddress { address: "dana@example.com" })),
        ("recovery_secured", outcome(RecoveryOutcome::Secured)),
        ("recovery_address_restored", outcome(RecoveryOutcome::AddressRestored)),
        ("recovery_link_over", outcome(RecoveryOutcome::LinkOver)),
        ("recovery_not_accepted", outcome(RecoveryOutcome::NotAccepted)),
    ]
}
