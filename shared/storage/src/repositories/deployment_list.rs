//! Lists of the whole deployment: all clients, all users, pending work. Each is spread over 256 owners, its buckets, by
//! the identifier of the record.

use super::stored::{Listing, Unreadable, read_each};
use crate::{Bucket, Cursor, Key, Kind, Owner, Page, Record, Records, Unavailable};
use futures::future::try_join_all;

/// Most buckets that are read at the same time.
const MOST_AT_ONCE: usize = 64;

/// A list of the whole deployment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeploymentList {
    /// The kind of its records.
    kind: Kind,
    /// The start of the names of its owners.
    name: &'static str,
}

/// The start of a page: a bucket, and the key after which the page starts there.
struct Position {
    bucket: Bucket,
    after: Option<Cursor>,
}

impl DeploymentList {
    /// Returns the list of this name, which holds records of one kind.
    pub(crate) const fn new(kind: Kind, name: &'static str) -> Self {
        Self { kind, name }
    }

    /// Returns the owner of the records of a bucket.
    pub(crate) fn owner_of(self, bucket: Bucket) -> Owner {
        Owner::of_bucket(self.name, bucket)
    }

    /// Returns the owner of the record with this identifier.
    pub(crate) fn owner(self, id: &str) -> Owner {
        self.owner_of(Bucket::of(id))
    }

    /// Returns the key of the record with this identifier.
    pub(crate) fn key(self, id: &str) -> Key {
        Key::new(self.kind, Bucket::of(id).partition(), id)
    }

    /// Returns at most `limit` records, one bucket after the other, from `cursor` on, each read by `read`. Only the last
    /// page may be empty. A cursor that this function did not return starts at the first bucket.
    ///
    /// Round trips: 1 where the bucket fills the page; the more buckets a page covers, the more are read at once.
    pub(crate) async fn page<T>(
        self,
        records: &dyn Records,
        cursor: Option<&Cursor>,
        limit: u32,
        read: impl Fn(Record) -> Result<T, Unreadable>,
    ) -> Result<Listing<T>, Unavailable> {
        let page = self.records(records, cursor, limit.max(1)).await?;
        let (items, unreadable) = read_each(page.records, read);
        Ok(Listing { items, unreadable, next: page.next })
    }

    async fn records(self, records: &dyn Records, cursor: Option<&Cursor>, limit: u32) -> Result<Page, Unavailable> {
        let mut start = Some(cursor.and_then(Position::parse).unwrap_or(Position::FIRST));
        let mut found = Vec::new();
        let mut at_once = 1;
        while let Some(Position { bucket: first, after }) = start {
            let buckets: Vec<Bucket> = Bucket::all().skip_while(|bucket| *bucket < first).take(at_once).collect();
            let pages = try_join_all(buckets.iter().map(|bucket| {
                let after = after.as_ref().filter(|_| *bucket == first);
                let owner = self.owner_of(*bucket);
                async move { records.list(&owner, after, limit).await }
            }));
            for (bucket, page) in buckets.iter().zip(pages.await?) {
                let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(found.len());
                let is_whole = page.records.len() <= room && page.next.is_none();
                found.extend(page.records.into_iter().take(room));
                if !is_whole {
                    let last = found.last().filter(|_| room > 0).map(|last: &Record| last.key.as_str());
                    return Ok(Page { next: Some(Position::cursor(*bucket, last)), records: found });
                }
            }
            start = Position::after(buckets.last());
            at_once = at_once.saturating_mul(2).min(MOST_AT_ONCE);
        }
        Ok(Page { records: found, next: None })
    }
}

impl Position {
    const FIRST: Self = Self { bucket: Bucket::from_number(0), after: None };

    /// Reads a cursor: two hexadecimal digits and the key.
    fn parse(cursor: &Cursor) -> Option<Self> {
        let (digits, key) = cursor.0.split_at_checked(2)?;
        let bucket = Bucket::from_number(u8::from_str_radix(digits, 16).ok()?);
        Some(Self { bucket, after: (!key.is_empty()).then(|| Cursor(key.to_owned())) })
    }

    fn cursor(bucket: Bucket, after: Option<&str>) -> Cursor {
        Cursor(format!("{:02x}{}", bucket.number(), after.unwrap_or_default()))
    }

    /// Returns the start of the bucket after this one; `None` if it is the last.
    fn after(bucket: Option<&Bucket>) -> Option<Self> {
        let number = bucket?.number().checked_add(1)?;
        Some(Self { bucket: Bucket::from_number(number), after: None })
    }
}
