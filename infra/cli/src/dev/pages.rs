//! The pages that only the local provider has: landing page, playground, and the redirect URI of the command lines.

use crate::demo;
use crate::dev::commands;
use http::{Method, StatusCode, header};
use latchkey_http::{Request, Response};
use platform::entropy;
use protocol::Profile;
use provider::{HandlerError, RequestParameters};

/// The server of the pages.
struct Site<'a> {
    issuer: &'a str,
    port: u16,
    profile: Option<Profile>,
}

/// Returns the page at the path of a request to the server on `port`; `None` if there is none.
pub(crate) fn respond(request: &Request, issuer: &str, port: u16, profile: Option<Profile>) -> Option<Response> {
    let page = match request.path.as_str() {
        "/" => landing,
        "/playground" | "/playground/callback" => playground,
        "/playground/qr" => qr_code,
        "/callback" => callback,
        _ => return None,
    };
    // With the response mode form_post, the authorization response is a POST (OAuth 2.0 Form Post Response Mode §2).
    let is_served = matches!(request.method, Method::GET | Method::HEAD)
        || (request.method == Method::POST && request.path == "/callback");
    if !is_served {
        return Some(Response::new(StatusCode::METHOD_NOT_ALLOWED).with(header::ALLOW, "GET, HEAD"));
    }
    // These pages are the same for everybody; the others show a code.
    let is_open = matches!(request.path.as_str(), "/" | "/playground" | "/playground/callback");
    let mut response = page(request, &Site { issuer, port, profile })
        .unwrap_or_else(|error| {
            request.log.error("temporarily_unavailable", &error.to_string());
            Response::new(StatusCode::SERVICE_UNAVAILABLE)
        })
        .with(header::CACHE_CONTROL, "no-store")
        .with(header::VARY, "Accept-Encoding")
        .with(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .with(header::REFERRER_POLICY, "no-referrer");
    response.is_open = is_open;
    Some(response)
}

/// Redirects a browser from a loopback address to the issuer's name, because cookies are bound to one host.
pub(crate) fn by_name(request: &Request, issuer: &str) -> Option<Response> {
    const PAGES: [&str; 6] = ["/", "/playground", "/playground/callback", "/authorize", "/device", "/logout"];
    let host = request.headers.get(header::HOST)?.to_str().ok()?;
    let is_number = host.starts_with("127.0.0.1:") || host.starts_with("[::1]:");
    let is_page = request.method == Method::GET && PAGES.contains(&request.path.as_str());
    (is_number && is_page && issuer.starts_with("http://localhost:")).then(|| {
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        Response::see_other(&format!("{issuer}{}{query}", request.path))
    })
}

/// Returns the frame of a page for developers, which is in English.
pub(crate) fn frame() -> Result<pages::Frame, HandlerError> {
    Ok(pages::Frame { nonce: entropy::name()?, language: protocol::Language::English })
}

fn landing(_: &Request, site: &Site<'_>) -> Result<Response, HandlerError> {
    let Site { issuer, port, profile } = *site;
    let frame = frame()?;
    let clients: Vec<pages::DemoClient<'_>> = demo::admitted(profile)
        .iter()
        .map(|demo| pages::DemoClient {
            client_id: demo.client_id,
            client_secret: demo.client_secret,
            purpose: demo.purpose,
        })
        .collect();
    let lines = commands::all(issuer, port, profile);
    let commands: Vec<pages::Command<'_>> =
        lines.iter().map(|command| pages::Command { title: command.title, line: &command.line }).collect();
    Ok(provider::responses::page(
        StatusCode::OK,
        pages::landing(&pages::Landing {
            frame: &frame,
            issuer,
            users: &[pages::DemoUser { username: demo::USERNAME, password: demo::PASSWORD }],
            clients: &clients,
            commands: &commands,
        }),
    ))
}

fn playground(_: &Request, site: &Site<'_>) -> Result<Response, HandlerError> {
    let issuer = site.issuer;
    let frame = frame()?;
    Ok(provider::responses::page(
        StatusCode::OK,
        pages::playground(&pages::Playground {
            frame: &frame,
            issuer,
            client_id: demo::SPA,
            device_client_id: demo::DEVICE,
            redirect_uri: &format!("{issuer}/playground/callback"),
            post_logout_redirect_uri: Some(&format!("{issuer}/playground")),
            scope: demo::SPA_SCOPE,
        }),
    ))
}

/// Returns the verification URI of a device as a QR code.
fn qr_code(request: &Request, site: &Site<'_>) -> Result<Response, HandlerError> {
    let link = format!("{}/device?{}", site.issuer, request.query);
    let code = qrcode::QrCode::new(link).map_err(HandlerError::unavailable)?;
    let image = code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(192, 192).build();
    Ok(Response::new(StatusCode::OK).with(header::CONTENT_TYPE, "image/svg+xml").with_body(image))
}

/// Returns the next command line, with the code of the authorization response.
fn callback(request: &Request, site: &Site<'_>) -> Result<Response, HandlerError> {
    let Site { issuer, port, .. } = *site;
    let parameters = request.parameters().ok();
    let parameter = |name: &str| parameters.as_ref().and_then(|parameters| parameters.value(name));
    let plain = |code: &&str| code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    let text = match (parameter("code").filter(plain), parameter("error")) {
        (Some(code), _) => format!(
            "Signed in. Redeem the code within a minute; it can be used once:\n\n{}\n\nThen redeem the refresh_token of that response:\n\n{}\n",
            commands::exchange(issuer, port, code),
            commands::refresh(issuer),
        ),
        (None, Some(error)) => {
            format!(
                "The authorization response is an error: {error}\n{}\n",
                parameter("error_description").unwrap_or_default()
            )
        }
        (None, None) => "This page shows authorization responses. This request has none.\n".to_owned(),
    };
    Ok(Response::new(StatusCode::OK).with(header::CONTENT_TYPE, "text/plain; charset=utf-8").with_body(text))
}
