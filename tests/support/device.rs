//! The browser at the page where a user types the code of a device (RFC 8628 §3.3).

use crate::browser::{Browser, Landing};
use crate::clock;
use std::time::Duration;

/// Types a code, and waits as told while other tests guess codes from the same address: then a right code waits, too.
#[track_caller]
pub fn enter(browser: &mut Browser, code: &str) -> Landing {
    for _ in 0..10 {
        match enter_once(browser, code) {
            Landing::Page(page) if page.reply.status == 429 => {
                let seconds = page.reply.header("retry-after").and_then(|seconds| seconds.parse().ok());
                clock::wait(Duration::from_secs(seconds.expect("a time to wait")));
            }
            landing => return landing,
        }
    }
    panic!("told to wait for ever")
}

/// Types a code.
#[track_caller]
pub fn enter_once(browser: &mut Browser, code: &str) -> Landing {
    let page = browser.open("/device").page();
    let form = page.forms.iter().find(|form| form.has("user_code")).expect("a field for the code").clone();
    browser.submit(&form, &[("user_code", code)])
}
