//! A restore of all objects to an earlier time, as the object `deployment` stores and continues it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use types::Timestamp;

/// The time for which Cloudflare keeps the history of an object.
const HISTORY: Duration = Duration::from_secs(30 * 86_400);

/// A restore. It is planned by one request, and begins with a later one: in between, the operator raises the epoch of every
/// function. A function with the old epoch would redeem a second time what was redeemed since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The time that the objects go back to.
    pub at: Timestamp,
    /// The least epoch with which the restore begins.
    pub epoch: u16,
    /// The time of the plan.
    pub planned_at: Timestamp,
    /// The time at which the first object was restored.
    pub began_at: Option<Timestamp>,
    /// The time after which every object was restored.
    pub finished_at: Option<Timestamp>,
    /// The number of objects.
    pub shards: u16,
    /// The next object: those before it are restored.
    pub next: u16,
    /// For each object that goes back, the bookmark that undoes it. An object that was never used is left alone.
    pub undo: BTreeMap<u16, String>,
    /// The reason for which the last request did not come further.
    pub problem: Option<String>,
}

impl Restore {
    /// Returns the restore that a request continues, begins or plans. `since` is the time at which the records got their present
    /// objects; `epoch` is that of the function which sends the request.
    ///
    /// # Errors
    /// What the operator must do instead.
    pub fn requested(
        stored: Option<Self>,
        at: Timestamp,
        epoch: u16,
        shards: u16,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self, String> {
        match stored {
            Some(stored) if stored.at == at => return Ok(stored),
            Some(stored) if stored.began_at.is_some() && stored.finished_at.is_none() => {
                let begun = stored.at.as_secs();
                return Err(format!("the restore to {begun} has begun: finish it first, with the same time"));
            }
            _ => {}
        }
        if !at.is_past(now) {
            return Err("the time of a restore is in the past".to_owned());
        }
        if at.after(HISTORY).is_past(now) {
            return Err("Cloudflare keeps the history of an object for 30 days: name a later time".to_owned());
        }
        if let Some(since) = since.filter(|since| !since.is_past(at)) {
            let since = since.as_secs();
            return Err(format!("the number of objects changed at {since}: name a later time"));
        }
        let Some(epoch) = epoch.checked_add(1) else {
            return Err("the epoch cannot be raised above 65535".to_owned());
        };
        Ok(Self {
            at,
            epoch,
            planned_at: now,
            began_at: None,
            finished_at: None,
            shards,
            next: 0,
            undo: BTreeMap::new(),
            problem: None,
        })
    }

    /// Returns the state as the operator sees it, for a function of this epoch. Times are in seconds since 1970.
    pub fn state(&self, epoch: u16) -> Value {
        let state = match (self.finished_at, self.goes_on(epoch)) {
            (Some(_), _) => "restored",
            (None, true) => "restoring",
            (None, false) => "planned",
        };
        json!({
            "state": state,
            "at": self.at.as_secs(),
            "epoch": self.epoch,
            "shards": self.shards,
            "done": self.next,
            "restored": self.undo.len(),
            "began_at": self.began_at.map(Timestamp::as_secs),
            "undo": self.undo,
            "problem": self.problem,
        })
    }

    /// True if the restore goes on in a function of this epoch.
    pub const fn goes_on(&self, epoch: u16) -> bool {
        epoch >= self.epoch && self.finished_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn ago(seconds: u64) -> Timestamp {
        NOW.before(Duration::from_secs(seconds))
    }

    fn planned(at: Timestamp) -> Restore {
        Restore::requested(None, at, 4, 256, None, NOW).unwrap()
    }

    #[test]
    fn a_restore_begins_only_with_a_higher_epoch() {
        let plan = planned(ago(60));
        assert_eq!((plan.epoch, plan.next, plan.began_at), (5, 0, None));
        assert!(!plan.goes_on(4) && plan.goes_on(5) && plan.goes_on(6));
        assert_eq!((&plan.state(4)["state"], &plan.state(5)["state"]), (&json!("planned"), &json!("restoring")));
        let again = Restore::requested(Some(plan.clone()), ago(60), 5, 256, None, NOW.after(HISTORY)).unwrap();
        assert_eq!(again, plan);
    }

    #[test]
    fn a_finished_restore_is_not_repeated_and_another_one_needs_another_epoch() {
        let finished = Restore { began_at: Some(NOW), finished_at: Some(NOW), next: 256, ..planned(ago(60)) };
        let again = Restore::requested(Some(finished.clone()), ago(60), 5, 256, None, NOW).unwrap();
        assert!(again == finished && !again.goes_on(5));
        let other = Restore::requested(Some(finished), ago(30), 5, 256, None, NOW).unwrap();
        assert!(!other.goes_on(5) && other.goes_on(6));
    }

    #[test]
    fn a_begun_restore_is_finished_first_and_a_planned_one_can_be_replaced() {
        let begun = Restore { began_at: Some(NOW), next: 3, ..planned(ago(60)) };
        let refused = Restore::requested(Some(begun), ago(61), 5, 256, None, NOW).unwrap_err();
        assert!(refused.contains("has begun"), "{refused}");
        let replaced = Restore::requested(Some(planned(ago(60))), ago(61), 4, 256, None, NOW).unwrap();
        assert_eq!(replaced.at, ago(61));
    }

    #[test]
    fn times_without_a_history_are_refused() {
        let request = |at, since| Restore::requested(None, at, 0, 256, since, NOW);
        assert!(request(ago(30 * 86_400 + 1), None).unwrap_err().contains("30 days"));
        assert!(request(NOW.after(Duration::from_secs(1)), None).unwrap_err().contains("in the past"));
        assert!(request(ago(60), Some(ago(30))).unwrap_err().contains("number of objects changed"));
        assert!(request(ago(60), Some(ago(90))).is_ok());
        assert!(Restore::requested(None, ago(60), u16::MAX, 256, None, NOW).unwrap_err().contains("65535"));
    }
}
