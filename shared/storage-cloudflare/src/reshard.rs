//! A change of the number of objects, as the object `deployment` stores and continues it.

use crate::{Layout, Shards};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use storage::{Key, Record};
use types::Timestamp;

/// A change of the layout. While an object is closed for it, the object takes part in no request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The number of the change: 1 for the first one of a deployment. An object ignores what belongs to an earlier change.
    pub number: u32,
    /// The layout after the change.
    pub to: Layout,
}

/// The layout as an object stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLayout {
    /// The layout.
    #[serde(flatten)]
    pub layout: Layout,
    /// The time of the first use of the object; `None` if an earlier version used it first.
    #[serde(default)]
    pub used_since: Option<Timestamp>,
    /// The number of the last change; 0 if there was none.
    #[serde(default)]
    pub number: u32,
    /// The layout to which the object is changing. It is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changing_to: Option<Layout>,
}

impl StoredLayout {
    /// Returns the layout of an object that is used for the first time.
    pub const fn new(layout: Layout, now: Timestamp) -> Self {
        Self { layout, used_since: Some(now), number: 0, changing_to: None }
    }

    /// True if the object is closed for this change.
    pub fn is_closed_for(&self, number: u32) -> bool {
        self.number == number && self.changing_to.is_some()
    }

    /// Returns the closed layout. `None` for a delayed call: the object was part of this change, or of a later one.
    pub fn closed(&self, change: &Change) -> Option<Self> {
        let is_new = change.number > self.number || self.is_closed_for(change.number);
        is_new.then(|| Self { number: change.number, changing_to: Some(change.to.clone()), ..self.clone() })
    }

    /// Returns the layout after the change; `None` if the object takes no part in this change.
    pub fn opened(&self, number: u32) -> Option<Self> {
        if self.number != number {
            return None;
        }
        let layout = self.changing_to.clone().unwrap_or_else(|| self.layout.clone());
        Some(Self { layout, changing_to: None, ..self.clone() })
    }
}

/// A place in the tables of an object: a table, and the key after which the next part starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// 0 for records, 1 for counters.
    pub table: usize,
    /// The key.
    pub after: String,
}

/// A counter that moves to another object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// The name of the counter.
    pub key: Key,
    /// The total.
    pub total: i64,
    /// The expiry.
    pub expires_at: Timestamp,
}

/// Records and counters that move to another object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// The records, with generation and expiry.
    pub records: Vec<Record>,
    /// The counters.
    pub counters: Vec<Counter>,
}

/// The steps of a change, in their order. Each takes all objects, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Closes every object of both layouts: from here on no call is answered.
    Close,
    /// Moves each record whose object is another one in the new layout.
    Move,
    /// Opens every object with the new layout.
    Open,
    /// The change is complete.
    Done,
}

/// A change of the number of objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reshard {
    /// The change.
    pub change: Change,
    /// The layout before the change.
    pub from: Layout,
    /// The present step.
    pub phase: Phase,
    /// The next object of the step.
    pub next: u16,
    /// The place at which the next object continues to move records.
    pub place: Place,
    /// The number of records and counters that were moved.
    pub moved: u64,
    /// The time after which every object had the new layout.
    pub finished_at: Option<Timestamp>,
    /// The reason for which the last request did not come further.
    pub problem: Option<String>,
}

impl Reshard {
    /// Returns the change that a request begins or continues.
    ///
    /// # Errors
    /// What the operator must do instead.
    pub fn requested(stored: Option<Self>, current: &Layout, shards: Shards) -> Result<Self, String> {
        let number = match stored {
            Some(stored)
                if stored.change.to.shards == shards && (stored.is_running() || stored.change.to == *current) =>
            {
                return Ok(stored);
            }
            Some(stored) if stored.is_running() => {
                let to = stored.change.to.shards.count();
                return Err(format!("the change to {to} shards has begun: finish it first"));
            }
            stored => stored.map_or(0, |stored| stored.change.number),
        };
        if current.shards == shards {
            return Err(format!("the records are in {} shards already", shards.count()));
        }
        let to = Layout { shards, jurisdiction: current.jurisdiction.clone() };
        Ok(Self {
            change: Change { number: number.saturating_add(1), to },
            from: current.clone(),
            phase: Phase::Close,
            next: 0,
            place: Place::default(),
            moved: 0,
            finished_at: None,
            problem: None,
        })
    }

    /// True if the change is not complete.
    pub fn is_running(&self) -> bool {
        self.phase != Phase::Done
    }

    /// Returns the number of objects that the present step takes.
    pub fn objects(&self) -> u16 {
        let (from, to) = (self.from.shards.count(), self.change.to.shards.count());
        match self.phase {
            Phase::Close | Phase::Open => from.max(to),
            Phase::Move => from,
            Phase::Done => 0,
        }
    }

    /// Returns the state as the operator sees it.
    pub fn state(&self) -> Value {
        json!({
            "state": self.phase,
            "from": self.from.shards.count(),
            "to": self.change.to.shards.count(),
            "done": self.next,
            "of": self.objects(),
            "moved": self.moved,
            "problem": self.problem,
        })
    }

    /// Goes on to the next step if the present one has taken all objects.
    pub fn go_on(&mut self, now: Timestamp) {
        if self.next < self.objects() {
            return;
        }
        let next = match self.phase {
            Phase::Close => Phase::Move,
            Phase::Move => Phase::Open,
            Phase::Open => {
                self.finished_at = Some(now);
                Phase::Done
            }
            Phase::Done => return,
        };
        (self.phase, self.next, self.place) = (next, 0, Place::default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(shards: &str) -> Layout {
        Layout { shards: Shards::parse(shards).unwrap(), jurisdiction: Some("eu".to_owned()) }
    }

    fn requested(stored: Option<Reshard>, from: &str, to: &str) -> Result<Reshard, String> {
        Reshard::requested(stored, &layout(from), layout(to).shards)
    }

    fn finished(from: &str, to: &str) -> Reshard {
        let mut change = requested(None, from, to).unwrap();
        while change.is_running() {
            change.next = change.objects();
            change.go_on(Timestamp::from_secs(9));
        }
        change
    }

    #[test]
    fn each_step_takes_all_objects() {
        let mut change = requested(None, "4", "7").unwrap();
        let mut steps = Vec::new();
        while change.is_running() {
            steps.push((change.phase, change.objects()));
            change.next = change.objects() - 1;
            change.go_on(Timestamp::from_secs(9));
            assert_eq!(change.phase, steps.last().unwrap().0, "one object is left");
            change.next += 1;
            change.go_on(Timestamp::from_secs(9));
        }
        assert_eq!(steps, [(Phase::Close, 7), (Phase::Move, 4), (Phase::Open, 7)]);
        assert_eq!(change.finished_at, Some(Timestamp::from_secs(9)));
        assert_eq!(change.change.to, layout("7"));
        assert_eq!(change.state()["state"], "done");
        assert_eq!(requested(None, "7", "4").unwrap().objects(), 7, "objects that become empty take part");
    }

    #[test]
    fn a_change_is_continued_and_no_other_begins_before_its_end() {
        let begun = requested(None, "4", "7").unwrap();
        assert_eq!(requested(Some(begun.clone()), "4", "7").unwrap(), begun);
        assert!(requested(Some(begun), "4", "8").unwrap_err().contains("to 7 shards has begun"));
        let done = finished("4", "7");
        assert_eq!(requested(Some(done.clone()), "7", "7").unwrap(), done, "a repeated request is answered");
        assert_eq!(requested(Some(done), "7", "4").unwrap().change.number, 2);
        assert!(requested(None, "4", "4").unwrap_err().contains("already"));
    }

    #[test]
    fn delayed_calls_of_a_change_are_ignored() {
        let first = Change { number: 1, to: layout("7") };
        let open = StoredLayout::new(layout("4"), Timestamp::from_secs(5));
        assert_eq!(open.opened(1), None);
        let closed = open.closed(&first).unwrap();
        assert!(closed.is_closed_for(1) && !closed.is_closed_for(2) && !open.is_closed_for(0));
        assert_eq!(closed.closed(&first), Some(closed.clone()));
        let changed = closed.opened(1).unwrap();
        assert_eq!((&changed.layout, changed.changing_to.as_ref()), (&layout("7"), None));
        assert_eq!(changed.opened(1), Some(changed.clone()));
        assert_eq!(changed.closed(&first), None, "it would close the object for ever");
        assert!(changed.closed(&Change { number: 2, to: layout("4") }).is_some());
    }

    #[test]
    fn the_layout_of_earlier_versions_is_read() {
        let stored: StoredLayout = serde_json::from_str(r#"{"shards":16,"jurisdiction":"eu"}"#).unwrap();
        assert_eq!((&stored.layout, stored.used_since, stored.number), (&layout("16"), None, 0));
        let closed = stored.closed(&Change { number: 3, to: layout("7") }).unwrap();
        let json = serde_json::to_string(&closed).unwrap();
        assert_eq!(serde_json::from_str::<StoredLayout>(&json).unwrap(), closed);
    }
}
