//! The limits of attempts to sign in.
//!
//! - A browser in which the account signed in before has a limit of its own: an attacker elsewhere cannot lock the account out there.
//! - Elsewhere the network and the account are counted. Beyond the allowance of the account, the account is counted per
//!   network, so that only a network that guesses is refused.

use crate::known_browser::KnownAccounts;
use protocol::KnownBrowser;
use protocol::rate_limit::{Limit, Quota, Window};
use provider::rate_limiter::{QuotaCounter, RateLimiter, fail_all, network, release_all};
use provider::{HandlerError, InteractionPage};
use std::time::Duration;

/// The guesses that are counted together.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    /// The normalized username.
    account: String,
    /// The name under which the guesses are counted: the account, and for the second factor more.
    name: String,
    /// The most attempts on a day from all networks, in browsers that are not known; `None` without such a limit.
    daily: Option<i64>,
}

impl Counted {
    /// The most guesses of codes of an app on a day. Each succeeds with a probability of three in a million (NIST SP 800-63B-4 §3.2.2).
    const MOST_CODES: i64 = 100;

    /// Guesses of the password of an account.
    pub(crate) fn password(account: &str) -> Self {
        Self { account: account.to_owned(), name: account.to_owned(), daily: None }
    }

    /// Guesses of codes by a sender who knows the password of the account. An attacker who uses them up keeps the user out of browsers
    /// that are not known, but not of the others, and not from a recovery code.
    pub(crate) fn code(account: &str) -> Self {
        Self { account: account.to_owned(), name: format!("{account} code"), daily: Some(Self::MOST_CODES) }
    }

    /// Guesses of recovery codes, which are too long to be guessed.
    pub(crate) fn recovery_code(account: &str) -> Self {
        Self { account: account.to_owned(), name: format!("{account} recovery"), daily: None }
    }
}

/// An attempt to sign in that the limits allow. It ends with [`succeed`](Self::succeed) or [`fail`](Self::fail).
pub(crate) struct Attempt<'a> {
    limiters: Vec<RateLimiter<'a>>,
}

impl<'a> Attempt<'a> {
    /// Counts an attempt to sign in. Errors: the time until the next attempt; nothing
    /// stays counted then. Round trips: 2 at the same time; 2 more, after them, beyond the allowance of the account in a
    /// browser that is not known.
    pub(crate) async fn begin(
        page: &InteractionPage<'a>,
        counted: Counted,
    ) -> Result<Result<Self, Duration>, HandlerError> {
        let known = KnownAccounts::of(page.request, page.context, &counted.account);
        let limiters = match known.browser {
            Some(browser) => acquire_known(page, &counted.name, browser).await?,
            None => acquire_unknown(page, &counted).await?,
        };
        Ok(limiters.map(|limiters| Self { limiters }))
    }

    /// Ends an attempt whose password was right, or that did not come to an end.
    pub(crate) async fn succeed(&self) {
        release_all(&self.limiters).await;
    }

    /// Ends an attempt whose password was wrong.
    pub(crate) async fn fail(&self) -> Result<(), HandlerError> {
        fail_all(&self.limiters).await
    }
}

/// Returns the limit of passkeys that are rejected: that of the network. A passkey cannot be guessed; the limit bounds the cost.
pub(crate) fn passkey<'a>(page: &InteractionPage<'a>) -> RateLimiter<'a> {
    let (now, from) = (page.request.received_at, network(page.request.address));
    RateLimiter::new(page.context, now, Limit::NETWORK, "network", &[&from])
}

async fn acquire_known<'a>(
    page: &InteractionPage<'a>,
    account: &str,
    browser: KnownBrowser,
) -> Result<Result<Vec<RateLimiter<'a>>, Duration>, HandlerError> {
    let id: String = browser.id.iter().map(|byte| format!("{byte:02x}")).collect();
    let (context, now) = (page.context, page.request.received_at);
    let limiter = RateLimiter::new(context, now, Limit::KNOWN_BROWSER, "known browser", &[&id, account]);
    Ok(limiter.acquire().await?.map(|()| vec![limiter]))
}

async fn acquire_unknown<'a>(
    page: &InteractionPage<'a>,
    counted: &Counted,
) -> Result<Result<Vec<RateLimiter<'a>>, Duration>, HandlerError> {
    let account = counted.name.as_str();
    let (context, now, from) = (page.context, page.request.received_at, network(page.request.address));
    let of_network = RateLimiter::new(context, now, Limit::NETWORK, "network", &[&from]);
    if let Err(wait) = of_network.check() {
        return Ok(Err(wait));
    }
    let of_account = QuotaCounter::new(context, now, Quota::ACCOUNT, "account", &[account]);
    let (in_network, in_account) = futures::join!(of_network.acquire(), of_account.add());
    let used = match (in_network, in_account) {
        (Ok(Ok(())), Ok(used)) => used,
        (in_network, in_account) => {
            if matches!(in_network, Ok(Ok(()))) {
                of_network.release().await;
            }
            if in_account.is_ok() {
                of_account.release().await;
            }
            let refused = in_network?;
            in_account?;
            return Ok(refused.map(|()| Vec::new()));
        }
    };
    if counted.daily.is_some_and(|most| used.total > most) {
        of_network.release().await;
        return Ok(Err(Window::at(now, Quota::ACCOUNT.window).ends_at.since(now)));
    }
    if used.exceeded.is_none() {
        return Ok(Ok(vec![of_network]));
    }
    let names = [account, from.as_str()];
    let of_both = RateLimiter::new(context, now, Limit::ACCOUNT_IN_NETWORK, "account in network", &names);
    match of_both.acquire().await {
        Ok(Ok(())) => Ok(Ok(vec![of_network, of_both])),
        refused => {
            of_network.release().await;
            refused.map(|refused| refused.map(|()| Vec::new()))
        }
    }
}
