use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use std::error::Error;
use tiny_http::{Request, Response, Server};

/// Returns the claims of the access token of a request.
fn claims(request: &Request, keys: &JwkSet, validation: &Validation) -> Result<Value, Box<dyn Error>> {
    let header = request.headers().iter().find(|header| header.field.equiv("Authorization")).ok_or("no token")?;
    let token = header.value.as_str().strip_prefix("Bearer ").ok_or("not a bearer token")?;
    let header = decode_header(token)?;
    if header.typ.as_deref() != Some("at+jwt") {
        return Err("not an access token".into()); // the crate compares no type
    }
    let key = keys.find(&header.kid.ok_or("no kid")?).ok_or("unknown key")?;
    Ok(decode(token, &DecodingKey::from_jwk(key)?, validation)?.claims)
}

fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let issuer = variable("ISSUER");
    let keys: JwkSet = ureq::get(&format!("{issuer}/jwks")).call()?.into_json()?;
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[variable("RESOURCE")]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    for request in Server::http(format!("127.0.0.1:{}", variable("PORT"))).map_err(|error| error.to_string())?.incoming_requests() {
        let answer = match claims(&request, &keys, &validation) {
            Ok(claims) if claims["scope"].as_str().unwrap_or_default().split(' ').any(|scope| scope == "orders:read") => {
                Response::from_string(claims.to_string())
            }
            Ok(_) => Response::from_string("insufficient_scope").with_status_code(403),
            Err(error) => Response::from_string(error.to_string()).with_status_code(401),
        };
        request.respond(answer)?;
    }
    Ok(())
}
