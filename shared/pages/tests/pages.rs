//! Properties of every page, for every value in its view model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::collections::HashSet;
use std::sync::LazyLock;

use latchkey_pages::{
    AccountApplication, AccountDeletion, AccountEmail, AccountEmailLink, AccountOutcome, AccountOverview,
    AccountPasskey, AccountPassword, AccountSession, Answered, ApplicationLine, AuthenticatorApp, AuthenticatorSetup,
    ClaimLine, ClientProfile, Command, ConsentKind, ConsentView, CurrentUser, DemoClient, DemoUser, DeviceProfile,
    EmailProblem, EndedEverywhere, ErrorPage, FormPost, Frame, GrantLine, Landing, Leave, LeaveReason, Logout,
    NewPasskey, NewRecoveryCodes, Page, PasskeyLine, PasswordProblem, Playground, RecoveryAct, RecoveryActKind,
    RecoveryCodes, RecoveryPassword, RecoveryProblem, RecoveryRequest, Refusal, Refused, RequestLine, ReturnOffer,
    ReturnWay, ScopeLine, SecondFactorPage, SessionLine, SignIn, SignInMethods, SignInProblem, SignedOut, UserProfile,
    WaitingRequests,
};

use protocol::{DetailLine, DetailWords, Language};

#[path = "../examples/gallery.rs"]
#[expect(dead_code, reason = "the test does not write the files")]
mod gallery;

const NONCE: &str = "bm9uY2U_-x";

static FRAME: LazyLock<Frame> = LazyLock::new(|| Frame { nonce: NONCE.to_owned(), language: Language::English });

/// Text that breaks out of text, of an attribute in either quote, of a comment, a style and a script; and a link that runs.
const HOSTILE: &str =
    "javascript:alert(1)\"'><script>alert(1)</script><img src=x onerror=alert(1)>--></style>{{7*7}}&lt;";

fn user(value: &str) -> UserProfile<'_> {
    UserProfile { name: value, username: Some(value) }
}

fn consent(value: &str, client: ClientProfile<'_>, kind: ConsentKind<'_>) -> Page {
    latchkey_pages::consent(&ConsentView {
        frame: &FRAME,
        client,
        user: user(value),
        scopes: &[
            ScopeLine { name: value, meaning: value, is_new: false },
            ScopeLine { name: value, meaning: "", is_new: true },
        ],
        claims: &[
            ClaimLine { name: "email", meaning: value, description: None, is_essential: true, is_checked: true },
            ClaimLine {
                name: "phone_number",
                meaning: "",
                description: Some(value),
                is_essential: false,
                is_checked: true,
            },
            ClaimLine { name: "birthdate", meaning: value, description: None, is_essential: false, is_checked: false },
        ],
        resources: &[],
        details: &[
            DetailWords { title: value, name: value, lines: vec![detail_line(value, value), detail_line("", value)] },
            DetailWords { title: "", name: value, lines: Vec::new() },
        ],
        interaction: value,
        csrf: value,
        kind,
    })
}

fn detail_line<'a>(label: &'a str, value: &str) -> DetailLine<'a> {
    DetailLine { label, place: value.to_owned(), values: vec![value.to_owned(), value.to_owned()] }
}

fn return_offer(value: &str, way: ReturnWay<'_>) -> Page {
    let (redirect_uri, hint, request_id) = (value, value, value);
    latchkey_pages::return_offer(&ReturnOffer { frame: &FRAME, redirect_uri, way, hint, request_id })
}

fn leave(uri: &str, reason: LeaveReason) -> Page {
    latchkey_pages::leave(&Leave { frame: &FRAME, uri, reason })
}

fn account_overview(value: &str) -> Page {
    let applications = [ApplicationLine { name: value, href: "/account/application".to_owned(), used_at: Some(0) }];
    let sessions = [SessionLine { browser: Some(value), since: 0, href: Some("/account/session".to_owned()) }];
    let view = AccountOverview {
        frame: &FRAME,
        user: user(value),
        may_change_email: true,
        may_delete: true,
        applications: &applications,
        sessions: &sessions,
    };
    latchkey_pages::account_overview(&view)
}

fn account_application(value: &str, client: ClientProfile<'_>) -> Page {
    let resources = [value.to_owned()];
    let lines = vec![detail_line(value, value)];
    let details = vec![DetailWords { title: value, name: value, lines }];
    let grants = [GrantLine { since: 0, used: 0, outlives_session: true, resources: &resources, details }];
    latchkey_pages::account_application(&AccountApplication {
        frame: &FRAME,
        client,
        client_id: value,
        user: user(value),
        scopes: &[ScopeLine { name: value, meaning: value, is_new: false }],
        claims: &[value],
        grants: &grants,
        csrf: value,
    })
}

/// Returns every page, with `value` in each field of its view model.
fn every_page(value: &str) -> Vec<(&'static str, Page)> {
    let client = ClientProfile {
        name: value,
        logo: Some("00ff"),
        client_uri: Some(value),
        policy_uri: Some(value),
        tos_uri: Some(value),
        identity: Some(value),
        unreviewed_at: Some(value),
    };
    let device = DeviceProfile { kind: Some(value), place: Some(value), minutes: 3 };
    let sign_in = SignIn {
        frame: &FRAME,
        client: Some(client),
        redirect_uri: Some(value),
        device: Some(device.clone()),
        username: value,
        problem: Some(SignInProblem::Wrong),
        interaction: value,
        csrf: value,
        current: None,
        passkey_options: Some(value),
        has_recovery: true,
    };
    let logout =
        Logout { frame: &FRAME, client_name: Some(value), user: Some(user(value)), interaction: value, csrf: value };
    let signed_out = SignedOut {
        frame: &FRAME,
        client_name: Some(value),
        return_uri: Some("https://app.example/"),
        start_uri: Some(value),
        stayed: false,
        ended: None,
        frames: &[],
    };
    let applications = [value.to_owned(), value.to_owned()];
    let ended = Some(EndedEverywhere { sessions: 2, applications: &applications, unfinished: true });
    let refused = |reason| {
        latchkey_pages::refused(&Refused { frame: &FRAME, reason, status: 404, hint: value, request_id: value })
    };
    let with = |current| latchkey_pages::sign_in(&SignIn { current: Some(current), problem: None, ..sign_in.clone() });
    vec![
        ("sign_in", latchkey_pages::sign_in(&sign_in)),
        ("sign_in, account", with(CurrentUser::MayContinue(user(value)))),
        ("sign_in, confirm", with(CurrentUser::MustConfirm(user(value)))),
        ("sign_in, other", with(CurrentUser::IsOther(user(value)))),
        ("sign_in, bare", latchkey_pages::sign_in(&SignIn { problem: None, ..sign_in.clone() })),
        ("sign_in, own account", latchkey_pages::sign_in(&SignIn { client: None, ..sign_in.clone() })),
        ("account", account_overview(value)),
        ("account, application", account_application(value, client)),
        ("account, session", {
            let (browser, session) = (Some(value), value);
            latchkey_pages::account_session(&AccountSession {
                frame: &FRAME,
                user: user(value),
                browser,
                since: 0,
                session,
                csrf: value,
            })
        }),
        ("account, password", {
            let problem = Some(PasswordProblem::Refused(value));
            let view = AccountPassword { frame: &FRAME, user: user(value), minimum: 15, problem, csrf: value };
            latchkey_pages::account_password(&view)
        }),
        ("account, sign-in", {
            let href = "/account/passkey?passkey=x".to_owned();
            let line = PasskeyLine { name: value, href, since: 0, used_on: Some(0) };
            let (user, passkeys) = (user(value), Some(&[line][..]));
            latchkey_pages::sign_in_methods(&SignInMethods {
                frame: &FRAME,
                user,
                passkeys,
                recovery_codes_left: Some(1),
                may_add_passkey: true,
            })
        }),
        ("account, new passkey", {
            latchkey_pages::new_passkey(&NewPasskey {
                frame: &FRAME,
                user: user(value),
                handle: value,
                options: value,
                csrf: value,
                interaction: Some(value),
                back: "/account/sign-in",
                has_failed: true,
            })
        }),
        ("account, authenticator setup", {
            latchkey_pages::authenticator_setup(&AuthenticatorSetup {
                frame: &FRAME,
                user: user(value),
                picture: "<svg></svg>",
                uri: "otpauth://totp/x",
                secret: value,
                sealed: value,
                csrf: value,
                has_failed: true,
            })
        }),
        ("account, authenticator", {
            let view = AuthenticatorApp { frame: &FRAME, since: 0, codes_left: 1, csrf: value };
            latchkey_pages::authenticator_app(&view)
        }),
        ("account, recovery codes", {
            let codes = [value.to_owned()];
            latchkey_pages::recovery_codes(&RecoveryCodes { frame: &FRAME, codes: &codes, is_setup: true })
        }),
        ("account, new recovery codes", {
            latchkey_pages::new_recovery_codes(&NewRecoveryCodes { frame: &FRAME, left: 1, csrf: value })
        }),
        ("second factor", {
            latchkey_pages::second_factor(&SecondFactorPage {
                frame: &FRAME,
                client: Some(client),
                redirect_uri: Some(value),
                device: None,
                problem: Some(SignInProblem::WrongCode),
                passed: value,
                interaction: value,
                csrf: value,
                passkey_options: Some(value),
            })
        }),
        ("account, passkey", {
            latchkey_pages::account_passkey(&AccountPasskey {
                frame: &FRAME,
                name: value,
                since: 0,
                used_on: None,
                is_synchronised: true,
                passkey: value,
                csrf: value,
            })
        }),
        ("account, passkey removed", {
            latchkey_pages::account_outcome(&FRAME, AccountOutcome::PasskeyRemoved { unknown: value })
        }),
        ("account, deletion", {
            latchkey_pages::account_deletion(&AccountDeletion { frame: &FRAME, user: user(value), csrf: value })
        }),
        ("account, e-mail address", {
            latchkey_pages::account_email(&AccountEmail {
                frame: &FRAME,
                user: user(value),
                address: Some(value),
                is_verified: false,
                typed: value,
                problem: Some(EmailProblem::Unreadable),
                csrf: value,
            })
        }),
        ("account, link of an e-mail address", {
            latchkey_pages::account_email_link(&AccountEmailLink {
                frame: &FRAME,
                user: user(value),
                address: value,
                old: Some(value),
                link: value,
                csrf: value,
            })
        }),
        ("recovery, request", {
            let problem = Some(RecoveryProblem::Unreadable);
            latchkey_pages::recovery_request(&RecoveryRequest {
                frame: &FRAME,
                identifier: value,
                problem,
                csrf: value,
            })
        }),
        ("recovery, password", {
            latchkey_pages::recovery_password(&RecoveryPassword {
                frame: &FRAME,
                user: user(value),
                minimum: 15,
                problem: Some(PasswordProblem::Refused(value)),
                link: value,
                csrf: value,
            })
        }),
        ("recovery, address", {
            let act = RecoveryActKind::RestoreAddress { address: value };
            latchkey_pages::recovery_act(&RecoveryAct { frame: &FRAME, act, link: value, csrf: value })
        }),
        ("account, removed", {
            let removed = AccountOutcome::Removed { application: value, unfinished: false };
            latchkey_pages::account_outcome(&FRAME, removed)
        }),
        ("home", latchkey_pages::home(&FRAME, value)),
        ("refused, path", refused(Refusal::UnknownPath)),
        ("refused, method", refused(Refusal::Method)),
        ("refused, body", refused(Refusal::BodyTooLong)),
        ("refused, query", refused(Refusal::QueryTooLong)),
        ("consent", consent(value, client, ConsentKind::Authorization { redirect_uri: value })),
        ("consent, device", consent(value, client, ConsentKind::Device { user_code: value, device: Some(device) })),
        (
            "consent, backchannel",
            consent(value, client, ConsentKind::Backchannel { binding_message: Some(value), minutes: 1 }),
        ),
        ("requests", {
            let href = "/requests?request=sealed".to_owned();
            let line = RequestLine { client: value, binding_message: Some(value), minutes: 1, href };
            let view = WaitingRequests { frame: &FRAME, user: Some(user(value)), requests: &[line] };
            latchkey_pages::waiting_requests(&view)
        }),
        (
            "error",
            latchkey_pages::error(&ErrorPage {
                frame: &FRAME,
                status: 400,
                title: value,
                message: value,
                hint: Some(value),
                received: &[(value, value)],
                client: Some((value, Some(value))),
                request_id: value,
            }),
        ),
        (
            "form_post",
            latchkey_pages::form_post(&FormPost {
                frame: &FRAME,
                action: value,
                fields: &[(value, value), (value, value)],
            }),
        ),
        (
            "answered",
            latchkey_pages::answered(&Answered { frame: &FRAME, user: user(value), client: (value, Some(value)) }),
        ),
        ("leave", leave(value, LeaveReason::Answered)),
        ("leave, signed out", leave(value, LeaveReason::SignedOut)),
        ("return_offer", return_offer(value, ReturnWay::Link(value))),
        ("return_offer, form", return_offer(value, ReturnWay::Form(&[(value, value), (value, value)]))),
        ("logout", latchkey_pages::logout(&logout)),
        ("logout, bare", latchkey_pages::logout(&Logout { client_name: None, user: None, ..logout })),
        ("logout_everywhere", latchkey_pages::logout_everywhere(&logout)),
        ("signed_out", latchkey_pages::signed_out(&signed_out)),
        ("signed_out, everywhere", latchkey_pages::signed_out(&SignedOut { ended, ..signed_out })),
        (
            "signed_out, stayed",
            latchkey_pages::signed_out(&SignedOut { stayed: true, frames: &[], return_uri: Some(value), ..signed_out }),
        ),
        (
            "landing",
            latchkey_pages::landing(&Landing {
                frame: &FRAME,
                issuer: value,
                users: &[DemoUser { username: value, password: value }],
                clients: &[DemoClient { client_id: value, client_secret: Some(value), purpose: value }],
                commands: &[Command { title: value, line: value }, Command { title: value, line: value }],
            }),
        ),
        (
            "playground",
            latchkey_pages::playground(&Playground {
                frame: &FRAME,
                issuer: value,
                client_id: value,
                device_client_id: value,
                redirect_uri: value,
                post_logout_redirect_uri: Some(value),
                scope: value,
            }),
        ),
    ]
}

/// A start tag with its attributes, or an end tag.
#[derive(Debug)]
enum Token {
    Start(String, Vec<(String, String)>),
    End(String),
}

/// Reads the strict subset of HTML that the templates use: attribute values in double quotes, every `<` a tag.
fn tokens(html: &str) -> Vec<Token> {
    let mut rest = html.strip_prefix("<!DOCTYPE html>").expect("a document type");
    let mut tokens = Vec::new();
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(end) = rest.strip_prefix('/') {
            let (name, after) = end.split_once('>').expect("an end tag ends");
            tokens.push(Token::End(name.to_owned()));
            rest = after;
            continue;
        }
        let stop = rest.find(|c: char| !c.is_ascii_alphanumeric()).expect("a name ends");
        let name = rest[..stop].to_owned();
        assert!(!name.is_empty(), "a bare < before {:.40}", rest);
        rest = &rest[stop..];
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("/>")) {
                rest = after;
                break;
            }
            let stop = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').expect("an attribute ends");
            let attribute = rest[..stop].to_owned();
            assert!(!attribute.is_empty(), "in <{name}: {:.40}", rest);
            rest = &rest[stop..];
            let mut value = String::new();
            if let Some(after) = rest.strip_prefix("=\"") {
                let (inside, after) = after.split_once('"').expect("a value ends");
                value = inside.to_owned();
                rest = after;
            }
            attributes.push((attribute, value));
        }
        if name == "script" || name == "style" {
            let end = rest.find(&format!("</{name}>")).expect("its end tag");
            rest = &rest[end..];
        }
        tokens.push(Token::Start(name, attributes));
    }
    tokens
}

const VOID: &[&str] = &["meta", "link", "input", "img", "br", "circle", "path"];

#[test]
fn every_page_is_well_formed_and_runs_nothing() {
    for value in ["Plain", "https://app.example/x", HOSTILE, "", "\u{202e}\u{0}\r\n"] {
        for (name, page) in every_page(value) {
            let mut open = Vec::new();
            let mut ids = HashSet::new();
            let mut references = Vec::new();
            let mut headings = 0;
            for token in tokens(&page.html) {
                match token {
                    Token::End(tag) => assert_eq!(open.pop(), Some(tag), "{name}"),
                    Token::Start(tag, attributes) => {
                        let mut names = HashSet::new();
                        for (attribute, value) in &attributes {
                            assert!(names.insert(attribute.clone()), "{name}: <{tag}> has two {attribute}");
                            assert!(!attribute.starts_with("on"), "{name}: <{tag} {attribute}>");
                            assert_ne!(attribute, "style", "{name}: <{tag}>");
                            match attribute.as_str() {
                                "id" => assert!(ids.insert(value.clone()), "{name}: two elements are #{value}"),
                                "for" | "aria-describedby" | "aria-labelledby" | "aria-controls" => {
                                    references.extend(value.split_whitespace().map(str::to_owned));
                                }
                                "href" | "src" | "action" => {
                                    let scheme = value.split(':').next().unwrap_or_default().to_ascii_lowercase();
                                    assert_ne!(scheme, "javascript", "{name}: <{tag} {attribute}>");
                                    assert_ne!(tag, "script", "{name}: a script from elsewhere");
                                    let own = value.starts_with("data:image/svg+xml,") && tag == "link";
                                    assert!(scheme != "data" || own, "{name}: <{tag} {attribute}>");
                                }
                                _ => {}
                            }
                        }
                        if tag == "script" || tag == "style" {
                            assert_eq!(attributes, [("nonce".to_owned(), NONCE.to_owned())], "{name}");
                        }
                        headings += usize::from(tag == "h1");
                        if !VOID.contains(&tag.as_str()) {
                            open.push(tag);
                        }
                    }
                }
            }
            assert!(open.is_empty(), "{name}: {open:?} stay open");
            assert_eq!(headings, 1, "{name}");
            assert!(references.iter().all(|id| ids.contains(id)), "{name}: {references:?}");
            assert!(page.html.contains("<html lang=\"en\" dir=\"ltr\">") && page.html.contains("<title>"), "{name}");
        }
    }
}

#[test]
fn hostile_values_stay_text() {
    for ((name, hostile), (_, plain)) in every_page(HOSTILE).into_iter().zip(every_page("Plain")) {
        let scripts = |page: &Page| page.html.matches("<script").count();
        assert_eq!(scripts(&hostile), scripts(&plain), "{name}");
        assert!(!hostile.html.contains("<img src=x"), "{name}");
        assert!(!hostile.html.contains("alert(1)\""), "{name}");
        let shows_uris_alone = matches!(name, "signed_out, stayed" | "leave" | "leave, signed out");
        assert!(hostile.html.contains("{{7*7}}") || shows_uris_alone, "{name}");
    }
}

#[test]
fn every_policy_is_strict() {
    for value in ["https://app.example/x", "com.example.app:/cb", HOSTILE, "x; script-src *", "https://a;script-src *"]
    {
        for (name, page) in every_page(value) {
            let csp = &page.csp;
            assert!(csp.starts_with("default-src 'none'; "), "{name}: {csp}");
            assert!(csp.ends_with("; frame-ancestors 'none'; base-uri 'none'"), "{name}: {csp}");
            assert!(!csp.contains("unsafe") && !csp.contains('*') && csp.is_ascii(), "{name}: {csp}");
            let mut directives = HashSet::new();
            assert!(csp.split(';').all(|d| directives.insert(d.split_whitespace().next())), "{name}: {csp}");
            let scripted = page.html.contains("<script");
            assert_eq!(csp.contains(&format!("script-src 'nonce-{NONCE}'")), scripted, "{name}: {csp}");
            assert_eq!(csp.contains("connect-src 'self'"), name == "playground", "{name}: {csp}");
        }
    }
}

#[test]
fn forms_stay_here_or_reach_the_client() {
    let form_action = |value: &str, wanted: &str| {
        let (_, page) = every_page(value).into_iter().find(|(name, _)| *name == wanted).unwrap();
        page.csp.split("; ").find(|directive| directive.starts_with("form-action")).unwrap_or_default().to_owned()
    };
    for name in ["sign_in", "consent", "logout"] {
        assert_eq!(form_action("https://app.example/cb?x", name), "form-action 'self'");
        assert_eq!(form_action("com.example.app:/cb", name), "form-action 'self'");
    }
    // The client may redirect the form on to any place.
    for name in ["form_post", "return_offer, form"] {
        assert_eq!(form_action("https://app.example/cb?x", name), "");
    }
    for name in ["error", "signed_out", "leave", "return_offer"] {
        assert_eq!(form_action("https://app.example/", name), "form-action 'none'");
    }
}

#[test]
fn the_page_that_leaves_navigates_at_once() {
    let page = leave("https://app.example/cb?code=a&state=%22", LeaveReason::Answered);
    let uri = "https://app.example/cb?code=a&#38;state=%22";
    assert!(page.html.contains(&format!("<meta http-equiv=\"refresh\" content=\"0;url={uri}\">")), "{}", page.html);
    assert!(page.html.contains(&format!("id=\"continue\" href=\"{uri}\" rel=\"noreferrer\"")));
    assert!(!page.html.contains("nothing-opens"));
    let page = leave("com.example.app:/cb?code=a", LeaveReason::Answered);
    assert!(page.html.contains("content=\"0;url=com.example.app:/cb?code=a\""));
    assert!(page.html.contains("id=\"nothing-opens\"") && page.html.contains("the app com.example.app"));
    for runs in ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "/cb", " javascript:alert(1)"] {
        let page = leave(runs, LeaveReason::Answered);
        assert!(!page.html.contains("http-equiv") && !page.html.contains("href=\"j"), "{runs}: {}", page.html);
    }
}

#[test]
fn a_logo_comes_from_this_server() {
    let sign_in = |logo| {
        latchkey_pages::sign_in(&SignIn {
            frame: &FRAME,
            client: Some(ClientProfile { name: "App", logo, ..ClientProfile::default() }),
            redirect_uri: Some("https://app.example/"),
            device: None,
            username: "",
            problem: None,
            interaction: "i",
            csrf: "c",
            current: None,
            passkey_options: None,
            has_recovery: true,
        })
    };
    let page = sign_in(Some("00ff"));
    assert!(page.html.contains("<img class=\"mark\" id=\"logo\" src=\"/logos/00ff\" alt=\"\""));
    assert!(page.csp.contains("img-src data: 'self';"));
    let page = sign_in(None);
    assert!(!page.html.contains("<img") && page.csp.contains("img-src data:;"));
}

#[test]
fn the_names_that_password_managers_and_tests_rely_on() {
    let (_, page) = every_page("x").into_iter().next().unwrap();
    for expected in [
        "<form method=\"post\" action=\"/login\" id=\"sign-in-form\">",
        "id=\"username\" name=\"username\" type=\"text\"",
        "id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\"",
        "role=\"alert\"",
        "id=\"cancel\" name=\"decision\" value=\"cancel\"",
        "<title>Problem: Sign in",
    ] {
        assert!(page.html.contains(expected), "{expected}");
    }
}

#[test]
fn the_password_never_comes_back() {
    let (_, page) = every_page("x").into_iter().next().unwrap();
    let password = page.html.split("id=\"password\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(!password.contains("value="), "{password}");
}

/// The user who cancels sends no password.
#[test]
fn cancel_has_a_form_without_the_password() {
    for (name, page) in every_page("x").into_iter().filter(|(name, _)| name.starts_with("sign_in")) {
        let form = page.html.split("<form").find(|form| form.contains("id=\"cancel\"")).unwrap();
        assert!(!form.contains("id=\"password\""), "{name}");
    }
}

#[test]
fn form_post_carries_each_parameter() {
    let page = latchkey_pages::form_post(&FormPost {
        frame: &FRAME,
        action: "https://app.example/cb?tenant=1&x=2",
        fields: &[("code", "a\"b"), ("state", "<&>"), ("submit", "1")],
    });
    assert!(page.html.contains("action=\"https://app.example/cb?tenant=1&#38;x=2\""), "{}", page.html);
    assert!(page.html.contains("name=\"code\" value=\"a&#34;b\""));
    assert!(page.html.contains("name=\"state\" value=\"&#60;&#38;&#62;\""));
    // A parameter called `submit` hides the form's own method.
    assert!(page.html.contains("HTMLFormElement.prototype.submit.call("));
}

#[test]
fn pages_are_small() {
    for (name, page) in every_page("Plain") {
        let limit = if name == "playground" { 30 * 1024 } else { 20 * 1024 };
        assert!(page.html.len() < limit, "{name}: {} bytes", page.html.len());
    }
}

/// Each page can be shown from right to left: its style names no side.
#[test]
fn styles_name_no_side() {
    let (_, page) = every_page("x").into_iter().find(|(name, _)| *name == "playground").unwrap();
    for style in page.html.split("<style").skip(1).filter_map(|rest| rest.split("</style>").next()) {
        for side in ["left", "right"] {
            assert!(!style.contains(side), "{side}");
        }
    }
}

/// A page that waits for its frames goes on by an event, after any time (WCAG 2.2.1).
#[test]
fn no_page_has_a_delayed_refresh() {
    for (name, page) in every_page("https://app.example/x") {
        let refresh = page.html.split("http-equiv=\"refresh\" content=\"").nth(1);
        assert!(refresh.is_none_or(|content| content.starts_with("0;")), "{name}");
    }
}

/// Returns the file names and texts of the templates.
fn templates() -> Vec<(String, String)> {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap());
    files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read_to_string(file.path()).unwrap())).collect()
}

/// Returns the style sheets of the templates, without what stands between braces.
fn selectors() -> String {
    let styles = templates().into_iter().filter(|(name, _)| name.ends_with(".css"));
    let split = |style: String| style.split(['{', '}', '\n']).map(|part| part.to_owned() + " ").collect::<String>();
    styles.map(|(_, style)| split(style)).collect()
}

fn is_styled(selectors: &str, class: &str) -> bool {
    let dotted = format!(".{class}");
    let is_end = |rest: &str| rest.starts_with(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    selectors.split(&dotted).skip(1).any(is_end)
}

/// The style sheets know each class of the templates, and of the elements that scripts make.
#[test]
fn each_class_has_a_style() {
    let selectors = selectors();
    let mut seen = 0;
    for (name, text) in templates() {
        let mut rest = text.as_str();
        while let Some((_, after)) = rest.split_once("class=\"").or_else(|| rest.split_once("class: \"")) {
            // A tag of the template language may stand among the classes.
            let (value, after) = after.split_once('"').unwrap();
            rest = after;
            let outside = value.split("{%").map(|part| part.split_once("%}").map_or(part, |(_, text)| text));
            for class in outside.flat_map(str::split_whitespace) {
                assert!(is_styled(&selectors, class), "{name}: .{class}");
                seen += 1;
            }
        }
    }
    assert!(seen > 60, "{seen}");
    assert!(!is_styled(&selectors, "acc") && !is_styled(&selectors, "nothing"));
}

/// A link that looks like a button has the shape of one: the style of a class alone is that of its colours, which must win.
#[test]
fn links_with_a_class_look_like_buttons() {
    let selectors = selectors();
    let (_, shaped) = selectors.split_once("a:where(").unwrap();
    let shaped: Vec<&str> = shaped.split(')').next().unwrap().split(',').collect();
    for (name, page) in every_page("https://app.example/x") {
        for token in tokens(&page.html) {
            let Token::Start(tag, attributes) = token else { continue };
            let class = attributes.iter().find(|(attribute, _)| attribute == "class").filter(|_| tag == "a");
            let Some((_, class)) = class else { continue };
            assert!(shaped.contains(&format!(".{class}").as_str()), "{name}: <a class={class}>");
        }
    }
}

/// The gallery, whose pages the browser tests open, shows each part of each template: an element that only one state of a page has is
/// on a page of the gallery.
#[test]
fn the_gallery_shows_every_part_of_every_page() {
    let pages: Vec<_> = gallery::all(&FRAME);
    let names: HashSet<&str> = pages.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), pages.len(), "two pages have one name");
    let mut seen = 0;
    for (name, template) in templates().into_iter().filter(|(name, _)| name.ends_with(".html")) {
        for attribute in ["id=\"", "class=\""] {
            let values = template.split(attribute).skip(1).filter_map(|rest| rest.split('"').next());
            for value in values.filter(|value| !value.contains('{')) {
                let part = format!("{attribute}{value}\"");
                assert!(pages.iter().any(|(_, page)| page.html.contains(&part)), "{name}: no page has {part}");
                seen += 1;
            }
        }
    }
    assert!(seen > 150, "{seen}");
}
