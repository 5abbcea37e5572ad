//! The alarm at which an object deletes expired records: one alarm, set as late and written as rarely as possible.

use std::time::Duration;
use types::Timestamp;

/// Least time between two writes of the alarm, and from an expiry to its alarm.
const STEP: Duration = Duration::from_secs(60);

/// The alarm as an object knows it between requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlarmClock {
    /// Time of the alarm.
    set_for: Option<Timestamp>,
    /// Time at which it was last set.
    set_at: Option<Timestamp>,
    /// The earliest expiry that is not covered yet, because the alarm was set a moment ago.
    waiting: Option<Timestamp>,
}

impl AlarmClock {
    /// Starts with the alarm that the platform has.
    pub fn new(set_for: Option<Timestamp>) -> Self {
        Self { set_for, set_at: None, waiting: None }
    }

    /// Notes the expiry of a record. Returns the time for which the alarm must be set now, if any.
    #[must_use]
    pub fn expects(&mut self, expires_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let wanted = self.waiting.map_or(expires_at, |waiting| waiting.min(expires_at));
        let due = wanted.max(now).after(STEP);
        if self.set_for.is_some_and(|set_for| set_for <= due) {
            self.waiting = None;
            return None;
        }
        if self.set_for.is_some() && self.set_at.is_some_and(|set_at| now < set_at.after(STEP)) {
            self.waiting = Some(wanted);
            return None;
        }
        *self = Self { set_for: Some(due), set_at: Some(now), waiting: None };
        Some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs.saturating_add(1_000_000))
    }

    #[test]
    fn the_first_expiry_sets_it_a_step_later() {
        let mut clock = AlarmClock::new(None);
        assert_eq!(clock.expects(at(300), at(0)), Some(at(360)));
        assert_eq!(clock.expects(at(9000), at(1)), None);
        assert_eq!(clock.expects(at(301), at(2)), None);
    }

    #[test]
    fn an_alarm_that_the_platform_holds_is_kept() {
        let mut clock = AlarmClock::new(Some(at(100)));
        assert_eq!(clock.expects(at(40), at(0)), None);
        assert_eq!(clock.expects(at(0), at(0)), Some(at(60)));
    }

    #[test]
    fn it_is_set_at_most_once_a_step_and_forgets_nothing() {
        let mut clock = AlarmClock::new(None);
        assert_eq!(clock.expects(at(5000), at(0)), Some(at(5060)));
        assert_eq!(clock.expects(at(4000), at(10)), None);
        assert_eq!(clock.expects(at(3000), at(20)), None);
        assert_eq!(clock.expects(at(8000), at(60)), Some(at(3060)));
    }

    #[test]
    fn what_has_expired_is_tidied_a_step_from_now() {
        let mut clock = AlarmClock::new(None);
        assert_eq!(clock.expects(at(0), at(500)), Some(at(560)));
        let mut clock = AlarmClock::default();
        assert_eq!(clock.expects(at(0), at(560)), Some(at(620)));
    }
}
