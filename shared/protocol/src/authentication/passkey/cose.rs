//! Public keys of authenticators: `COSE_Key` (RFC 9052 §7, RFC 9053 §7, RFC 8230 §4; WebAuthn §5.8.5).

use super::{PasskeyKey, PasskeyProblem};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use minicbor::Decoder;
use minicbor::data::Type;
use serde_json::{Map, Value};
use types::Algorithm;

/// The members of a key. Other members are ignored.
#[derive(Default)]
struct Members<'a> {
    /// `kty`, 1.
    kind: Option<i64>,
    /// `alg`, 3.
    alg: Option<i64>,
    /// -1: the curve, or the modulus of an RSA key.
    curve: Option<i64>,
    modulus: Option<&'a [u8]>,
    /// -2: a coordinate, or the exponent of an RSA key.
    second: Option<&'a [u8]>,
    /// -3: a coordinate.
    third: Option<&'a [u8]>,
}

/// Decodes the key at which the decoder stands. The types are those of the algorithms that are offered. Whether the point is on its
/// curve is checked when the key is used.
pub(super) fn decode(decoder: &mut Decoder<'_>) -> Result<PasskeyKey, PasskeyProblem> {
    let members = members(decoder)?;
    let coordinate = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) if bytes.len() == 32 => Ok(encoded(bytes)),
        _ => Err(PasskeyProblem::Key),
    };
    let (alg, values) = match (members.kind, members.alg, members.curve) {
        (Some(2), Some(-7), Some(1)) => {
            let (x, y) = (coordinate(members.second)?, coordinate(members.third)?);
            (Algorithm::ES256, vec![("kty", text("EC")), ("crv", text("P-256")), ("x", x), ("y", y)])
        }
        (Some(1), Some(-8), Some(6)) => {
            let x = coordinate(members.second)?;
            (Algorithm::EdDSA, vec![("kty", text("OKP")), ("crv", text("Ed25519")), ("x", x)])
        }
        (Some(3), Some(-257), None) => {
            let (n, e) = members.modulus.zip(members.second).ok_or(PasskeyProblem::Key)?;
            let is_accepted = (256..=1024).contains(&n.len()) && n.first() != Some(&0) && (1..=8).contains(&e.len());
            if !is_accepted {
                return Err(PasskeyProblem::Key);
            }
            (Algorithm::RS256, vec![("kty", text("RSA")), ("n", encoded(n)), ("e", encoded(e))])
        }
        _ => return Err(PasskeyProblem::Key),
    };
    let alg = [("alg", text(alg.as_str()))];
    let jwk: Map<String, Value> = values.into_iter().chain(alg).map(|(name, it)| (name.to_owned(), it)).collect();
    Ok(PasskeyKey(jwk))
}

fn members<'a>(decoder: &mut Decoder<'a>) -> Result<Members<'a>, PasskeyProblem> {
    let malformed = |_: minicbor::decode::Error| PasskeyProblem::Malformed;
    let count = decoder.map().map_err(malformed)?.ok_or(PasskeyProblem::Malformed)?;
    let mut members = Members::default();
    for _ in 0..count {
        let label = decoder.i64().map_err(malformed)?;
        let is_text = matches!(decoder.datatype(), Ok(Type::Bytes));
        let is_repeated = match label {
            1 => members.kind.replace(decoder.i64().map_err(malformed)?).is_some(),
            3 => members.alg.replace(decoder.i64().map_err(malformed)?).is_some(),
            -1 if is_text => members.modulus.replace(decoder.bytes().map_err(malformed)?).is_some(),
            -1 => members.curve.replace(decoder.i64().map_err(malformed)?).is_some(),
            -2 => members.second.replace(decoder.bytes().map_err(malformed)?).is_some(),
            -3 => members.third.replace(decoder.bytes().map_err(malformed)?).is_some(),
            _ => {
                decoder.skip().map_err(malformed)?;
                false
            }
        };
        if is_repeated {
            return Err(PasskeyProblem::Malformed);
        }
    }
    Ok(members)
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn encoded(bytes: &[u8]) -> Value {
    Value::from(URL_SAFE_NO_PAD.encode(bytes))
}
