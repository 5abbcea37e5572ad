//! Reading of the fixed-length fields of a token.

/// The bytes of a token that are not read yet.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns the next field; `None` if the bytes end before it.
    pub(crate) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    /// Returns the bytes that are left.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// True if no bytes are left.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
