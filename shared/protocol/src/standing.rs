//! What every token says of the grant behind it.

use crate::Mac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use types::Timestamp;

/// Names a grant or a session: the partition that holds it, and 128 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GrantId([u8; Self::LEN]);

impl GrantId {
    /// Its length in bytes.
    pub const LEN: usize = 18;

    /// From the partition of its owner and fresh randomness.
    pub fn new(partition: [u8; 2], random: [u8; 16]) -> Self {
        let mut bytes = [0; Self::LEN];
        let (head, tail) = bytes.split_at_mut(2);
        head.copy_from_slice(&partition);
        tail.copy_from_slice(&random);
        Self(bytes)
    }

    /// From bytes that are all random: of something that belongs to nobody.
    pub const fn from_bytes(random: [u8; Self::LEN]) -> Self {
        Self(random)
    }

    /// The partition that holds its record.
    pub const fn partition(self) -> [u8; 2] {
        [self.0[0], self.0[1]]
    }

    /// Its name in the store.
    pub fn name(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// From its name in the store.
    pub fn from_name(name: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(name).ok()?.try_into().ok().map(Self)
    }
}

/// How a grant stood when a token was made from it; every token carries it. All of a rotation's next state follows
/// from it, so that a rotation need not read before it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which grant.
    pub grant: GrantId,
    /// The generation of the record that the token was made at.
    pub generation: u32,
    /// The generation of the refresh token that this one replaced; 0 for the first.
    pub previous: u32,
    /// When the code was redeemed (for a code: issued). Absolute lifetimes count from here. Milliseconds.
    pub started_at: Timestamp,
    /// When this generation began; the grace window counts from here. Milliseconds.
    pub rotated_at: Timestamp,
    /// When the refresh token of this generation expires. Whole seconds.
    pub refresh_expires_at: Timestamp,
    /// Whether the state holds more than this, and must be read before it is replaced.
    pub carries: bool,
}

impl Standing {
    /// Its length in a token, in bytes.
    pub const PACKED: usize = GrantId::LEN + 4 + 4 + 8 + 8 + 8 + 1;

    /// Of a grant just created.
    pub const fn issued(grant: GrantId, at: Timestamp) -> Self {
        Self {
            grant,
            generation: 0,
            previous: 0,
            started_at: at,
            rotated_at: at,
            refresh_expires_at: at,
            carries: false,
        }
    }

    /// As bytes that go out: the grant's partition, which is its owner's, cannot be read from them, so that two clients
    /// cannot tell that they serve one person (OpenID Connect Core §8.1, §17.3).
    pub(crate) fn pack(&self, mac: &dyn Mac) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::PACKED);
        bytes.extend_from_slice(&veiled(self.grant, mac.tag(&veil_parts(&self.grant))).0);
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&self.previous.to_be_bytes());
        bytes.extend_from_slice(&self.started_at.as_millis().to_be_bytes());
        bytes.extend_from_slice(&self.rotated_at.as_millis().to_be_bytes());
        bytes.extend_from_slice(&self.refresh_expires_at.as_secs().to_be_bytes());
        bytes.push(u8::from(self.carries));
        bytes
    }

    /// From bytes that came back.
    pub(crate) fn unpack(mac: &dyn Mac, key_id: [u8; 4], bytes: &[u8]) -> Option<Self> {
        let (grant, rest) = bytes.split_first_chunk::<{ GrantId::LEN }>()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (previous, rest) = rest.split_first_chunk()?;
        let (started_at, rest) = rest.split_first_chunk()?;
        let (rotated_at, rest) = rest.split_first_chunk()?;
        let (refresh_expires_at, rest) = rest.split_first_chunk()?;
        let [carries @ (0 | 1)] = rest else { return None };
        let grant = GrantId(*grant);
        Some(Self {
            grant: veiled(grant, mac.tag_with(key_id, &veil_parts(&grant))?),
            generation: u32::from_be_bytes(*generation),
            previous: u32::from_be_bytes(*previous),
            started_at: Timestamp::from_millis(u64::from_be_bytes(*started_at)),
            rotated_at: Timestamp::from_millis(u64::from_be_bytes(*rotated_at)),
            refresh_expires_at: Timestamp::from_secs(u64::from_be_bytes(*refresh_expires_at)),
            carries: *carries == 1,
        })
    }

    /// As the private claim of a token that others can read: base64url of the key's name and what [`Standing`] says.
    /// The token's own signature vouches for it.
    pub fn to_claim(&self, mac: &dyn Mac) -> String {
        URL_SAFE_NO_PAD.encode([mac.key_id().as_slice(), &self.pack(mac)].concat())
    }

    /// From such a claim.
    pub fn from_claim(mac: &dyn Mac, claim: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(claim).ok()?;
        let (key_id, bytes) = bytes.split_first_chunk()?;
        Self::unpack(mac, *key_id, bytes)
    }
}

/// What the veil over a name's partition is made of: the rest of the name.
fn veil_parts(id: &GrantId) -> [&[u8]; 2] {
    let (_, random) = id.0.split_at(2);
    [b"partition", random]
}

/// The name with its partition veiled by what the key's holder alone can make; of a veiled one, the name.
fn veiled(id: GrantId, veil: [u8; 32]) -> GrantId {
    let ([first, second, random @ ..], [veil_first, veil_second, ..]) = (id.0, veil);
    GrantId::new([first ^ veil_first, second ^ veil_second], random)
}
