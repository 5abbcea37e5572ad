use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    RedirectUrl, Scope, TokenResponse,
};
use std::collections::HashMap;
use std::error::Error;
use tiny_http::{Header, Response, Server};

fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let origin = format!("http://127.0.0.1:{}", variable("PORT"));
    let http = ureq::AgentBuilder::new().redirects(0).build();
    let metadata = CoreProviderMetadata::discover(&IssuerUrl::new(variable("ISSUER"))?, &http)?;
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(variable("CLIENT_ID")),
        Some(ClientSecret::new(variable("CLIENT_SECRET"))),
    )
    .set_redirect_uri(RedirectUrl::new(format!("{origin}/callback"))?);

    let mut waiting = HashMap::new(); // the nonce and the code verifier, by state
    let (mut user, mut refresh_token) = (None, None); // of one user, for brevity
    let redirect = |to: &str| Response::empty(302).with_header(Header::from_bytes("Location", to).unwrap()).boxed();
    for request in Server::http(format!("127.0.0.1:{}", variable("PORT"))).map_err(|error| error.to_string())?.incoming_requests() {
        let url = url::Url::parse(&format!("{origin}{}", request.url()))?;
        let answer = match (url.path(), &user) {
            ("/callback", _) => {
                let sent: HashMap<String, String> = url.query_pairs().into_owned().collect();
                let (nonce, verifier) = waiting.remove(&sent["state"]).ok_or("unknown state")?;
                let tokens = client.exchange_code(AuthorizationCode::new(sent["code"].clone()))?;
                let tokens = tokens.set_pkce_verifier(verifier).request(&http)?;
                let id_token = tokens.id_token().ok_or("no ID token")?;
                user = Some(serde_json::to_string(id_token.claims(&client.id_token_verifier(), &nonce)?)?);
                refresh_token = tokens.refresh_token().cloned();
                redirect("/")
            }
            ("/refresh", _) => {
                let tokens = client.exchange_refresh_token(refresh_token.as_ref().ok_or("no refresh token")?)?.request(&http)?;
                let claims: CoreUserInfoClaims = client.user_info(tokens.access_token().clone(), None)?.request(&http)?;
                Response::from_string(serde_json::to_string(&claims)?).boxed()
            }
            (_, Some(user)) => Response::from_string(user).boxed(),
            (_, None) => {
                let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
                let (url, state, nonce) = client
                    .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
                    .add_scopes(["profile", "email", "offline_access"].map(|scope| Scope::new(scope.to_owned())))
                    .set_pkce_challenge(challenge)
                    .url();
                waiting.insert(state.secret().clone(), (nonce, verifier));
                redirect(url.as_str())
            }
        };
        request.respond(answer)?;
    }
    Ok(())
}
