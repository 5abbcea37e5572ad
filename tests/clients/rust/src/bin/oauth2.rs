use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse,
    TokenUrl,
};
use std::collections::HashMap;
use std::error::Error;
use tiny_http::{Header, Response, Server};

fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let (issuer, origin) = (variable("ISSUER"), format!("http://127.0.0.1:{}", variable("PORT")));
    let http = ureq::AgentBuilder::new().redirects(0).build();
    let client = BasicClient::new(ClientId::new(variable("CLIENT_ID")))
        .set_client_secret(ClientSecret::new(variable("CLIENT_SECRET")))
        .set_auth_uri(AuthUrl::new(format!("{issuer}/authorize"))?)
        .set_token_uri(TokenUrl::new(format!("{issuer}/token"))?)
        .set_redirect_uri(RedirectUrl::new(format!("{origin}/callback"))?);

    let mut verifiers = HashMap::new();
    let mut refresh_token = None; // of one user, for brevity
    for request in Server::http(format!("127.0.0.1:{}", variable("PORT"))).map_err(|error| error.to_string())?.incoming_requests() {
        let url = url::Url::parse(&format!("{origin}{}", request.url()))?;
        let tokens = match url.path() {
            "/callback" => {
                let sent: HashMap<String, String> = url.query_pairs().into_owned().collect();
                let verifier = verifiers.remove(&sent["state"]).ok_or("unknown state")?;
                let code = AuthorizationCode::new(sent["code"].clone());
                Some(client.exchange_code(code).set_pkce_verifier(verifier).request(&http)?)
            }
            "/refresh" => {
                Some(client.exchange_refresh_token(refresh_token.as_ref().ok_or("no refresh token")?).request(&http)?)
            }
            _ => None,
        };
        let answer = match tokens {
            Some(tokens) => {
                refresh_token = tokens.refresh_token().cloned();
                let token = format!("Bearer {}", tokens.access_token().secret());
                let user = http.get(&format!("{issuer}/userinfo")).set("Authorization", &token).call()?;
                Response::from_string(user.into_string()?).boxed()
            }
            None => {
                // Without a code challenge the request is rejected: the crate sends no nonce.
                let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
                let scopes = ["openid", "profile", "email", "offline_access"].map(|scope| Scope::new(scope.to_owned()));
                let request = client.authorize_url(CsrfToken::new_random).add_scopes(scopes).set_pkce_challenge(challenge);
                let (url, state) = request.url();
                verifiers.insert(state.secret().clone(), verifier);
                Response::empty(302).with_header(Header::from_bytes("Location", url.as_str()).unwrap()).boxed()
            }
        };
        request.respond(answer)?;
    }
    Ok(())
}
