//! Secrets of authenticator apps and recovery codes, as the store keeps them.

use crate::{Context, HandlerError};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::Purpose;
use protocol::{RecoveryCode, TotpSecret};
use types::Subject;

/// Seals the secret of an app for the record of a user.
pub fn seal(context: &Context, subject: &Subject, secret: &TotpSecret) -> Result<String, HandlerError> {
    let bound = [secret.expose().as_slice(), subject.as_str().as_bytes()].concat();
    context.secrets.seal(Purpose::SecondFactor, &bound).map_err(HandlerError::unavailable)
}

/// Opens the sealed secret of a user; `None` if it was sealed for another user, or under a deployment secret that is gone.
pub fn open(context: &Context, subject: &Subject, sealed: &str) -> Option<TotpSecret> {
    let opened = context.secrets.open(Purpose::SecondFactor, sealed)?;
    let (secret, bound) = opened.split_at_checked(TotpSecret::LENGTH)?;
    TotpSecret::from_bytes(secret).filter(|_| bound == subject.as_str().as_bytes())
}

/// Returns the MAC of a recovery code, which the store keeps in its place.
pub fn recovery_mac(context: &Context, subject: &Subject, code: &RecoveryCode) -> String {
    URL_SAFE_NO_PAD.encode(context.secrets.mac(Purpose::SecondFactor, &parts(subject, code)))
}

/// Returns the MACs that a recovery code may have in the store: under the deployment secret, and under the previous one.
pub fn recovery_macs(context: &Context, subject: &Subject, code: &RecoveryCode) -> Vec<String> {
    let previous = context.secrets.mac_previous(Purpose::SecondFactor, &parts(subject, code));
    let previous = previous.map(|mac| URL_SAFE_NO_PAD.encode(mac));
    std::iter::once(recovery_mac(context, subject, code)).chain(previous).collect()
}

fn parts<'a>(subject: &'a Subject, code: &'a RecoveryCode) -> [&'a [u8]; 2] {
    [subject.as_str().as_bytes(), code.expose().as_bytes()]
}
