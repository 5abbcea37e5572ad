//! The authenticator data: what an authenticator signs about itself and the user (WebAuthn §6.1).

use super::{PasskeyProblem, RelyingParty};

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENSIONS: u8 = 1 << 7;

/// The fixed part of the authenticator data.
pub(super) struct AuthenticatorData<'a> {
    /// `signCount`.
    pub(super) sign_count: u32,
    pub(super) backup_eligible: bool,
    pub(super) backed_up: bool,
    /// True if attested credential data follow.
    pub(super) is_attested: bool,
    /// True if extensions follow.
    pub(super) has_extensions: bool,
    /// The bytes after the fixed part.
    pub(super) rest: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    /// Parses and checks the fixed part: the relying party, the presence and the verification of the user, and the flags about backups
    /// (WebAuthn §7.1 steps 14 to 18, §7.2 steps 15 to 19).
    pub(super) fn check(bytes: &'a [u8], party: &RelyingParty) -> Result<Self, PasskeyProblem> {
        let (hash, bytes) = bytes.split_first_chunk::<32>().ok_or(PasskeyProblem::Malformed)?;
        let (&[flags, c0, c1, c2, c3], rest) = bytes.split_first_chunk::<5>().ok_or(PasskeyProblem::Malformed)?;
        let has = |flag: u8| flags & flag != 0;
        if *hash != party.hash() {
            return Err(PasskeyProblem::RelyingParty);
        }
        if !has(USER_PRESENT) || !has(USER_VERIFIED) {
            return Err(PasskeyProblem::User);
        }
        if has(BACKED_UP) && !has(BACKUP_ELIGIBLE) {
            return Err(PasskeyProblem::Backup);
        }
        Ok(Self {
            sign_count: u32::from_be_bytes([c0, c1, c2, c3]),
            backup_eligible: has(BACKUP_ELIGIBLE),
            backed_up: has(BACKED_UP),
            is_attested: has(ATTESTED),
            has_extensions: has(EXTENSIONS),
            rest,
        })
    }
}
