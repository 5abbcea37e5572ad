//! The user who is signed in, as pages show it.

/// A user as a page shows it: by the display name, and by the sign-in name, which is unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserProfile<'a> {
    /// Display name.
    pub name: &'a str,
    /// Sign-in name, if the session knows it.
    pub username: Option<&'a str>,
}

impl<'a> UserProfile<'a> {
    /// Returns the sign-in name if it is another text than the display name.
    pub(crate) fn username(&self) -> Option<&'a str> {
        self.username.filter(|username| *username != self.name)
    }
}
