//! The cookie of the accounts that signed in before in this browser.

use latchkey_http::Request;
use platform::entropy;
use protocol::KnownBrowser;
use provider::{Config, Context, HandlerError, InteractionPage, cookies};
use std::time::Duration;

/// Time for which a browser stays known after a sign-in: a year.
const LIFETIME: Duration = Duration::from_secs(365 * 86_400);

/// The accounts in the cookie of a browser.
pub(crate) struct KnownAccounts {
    account: String,
    /// The browser, if the account of this attempt signed in there before.
    pub(crate) browser: Option<KnownBrowser>,
    /// The tokens of other accounts, the latest first. They open for their accounts alone.
    others: Vec<String>,
}

impl KnownAccounts {
    /// Reads the cookie of a request for an account, a normalized username.
    pub(crate) fn of(request: &Request, context: &Context, account: &str) -> Self {
        let cookie = request.cookie(&cookies::wire_name(&context.config, cookies::KNOWN_BROWSER)).unwrap_or_default();
        let mut accounts = Self { account: account.to_owned(), browser: None, others: Vec::new() };
        for token in cookie.split('.').filter(|token| !token.is_empty()).take(KnownBrowser::MAX_ACCOUNTS) {
            match KnownBrowser::open(&context.secrets, token, account, request.received_at) {
                Some(browser) => accounts.browser = Some(browser),
                None => accounts.others.push(token.to_owned()),
            }
        }
        accounts
    }

    /// Returns the `Set-Cookie` value by which the browser is known from now on.
    pub(crate) fn remember(&self, page: &InteractionPage<'_>) -> Result<String, HandlerError> {
        let id = self.browser.map_or_else(entropy::bytes, |browser| Ok(browser.id))?;
        let expires_at = page.request.received_at.after(LIFETIME);
        let token = KnownBrowser { id, expires_at }.seal(&page.context.secrets, &self.account);
        Ok(self.cookie(&page.context.config, token.expose()))
    }

    /// Returns the `Set-Cookie` value with the token of this account before those of the others.
    fn cookie(&self, config: &Config, token: &str) -> String {
        let tokens = std::iter::once(token).chain(self.others.iter().map(String::as_str));
        let value = tokens.take(KnownBrowser::MAX_ACCOUNTS).collect::<Vec<_>>().join(".");
        cookies::set(config, cookies::KNOWN_BROWSER, &value, Some(LIFETIME))
    }
}
