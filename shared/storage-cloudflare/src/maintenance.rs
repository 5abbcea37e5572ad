//! The commands of maintenance, which only `admin` and `records` contain.

use crate::{Change, Load, Place, Shards};
use serde::{Deserialize, Serialize};
use types::Timestamp;

/// The maintenance that an operator wants. The answer is its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// All objects go back to a time.
    Restore {
        /// The time.
        at: Timestamp,
        /// The epoch of the function that sends the command.
        epoch: u16,
    },
    /// The records get another number of objects.
    Reshard {
        /// The number.
        shards: Shards,
    },
}

/// A part of the maintenance that one object does. Each can be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Goes back to a time at the next start. Answer: `Rewound`, or `Unused`.
    Rewind {
        /// The time.
        at: Timestamp,
    },
    /// Returns the name of the life of the object, which each start makes anew. Answer: `Life`.
    Life,
    /// Restarts after the answer. Answer: `Done`, or none.
    Restart,
    /// Closes the object for a change of the layout. Answer: `Done`.
    Close(Change),
    /// Moves some of the records that belong into other objects, from a place on. Answer: `Moved`.
    Move {
        /// The number of the change.
        number: u32,
        /// The number of this object, which its platform does not tell it.
        shard: u16,
        /// The place.
        place: Place,
    },
    /// Stores records that another object moves here. Answer: `Done`.
    Import {
        /// The number of the change.
        number: u32,
        /// The records and counters.
        load: Load,
    },
    /// Opens the object with the new layout. Answer: `Done`.
    Open {
        /// The number of the change.
        number: u32,
    },
}

/// The answer to a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepAnswer {
    /// The step is done.
    Done,
    /// The object was never used, and is left alone.
    Unused,
    /// The name of the object's life.
    Life(String),
    /// The bookmark that undoes the restore of the object.
    Rewound(String),
    /// Some records were moved.
    Moved {
        /// The number of records and counters.
        count: u64,
        /// The place at which the object continues; `None` at the end.
        next: Option<Place>,
    },
    /// The object cannot do the step. The text tells the operator why.
    Rejected(String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layout;

    #[test]
    fn steps_survive_the_wire() {
        let to = Layout { shards: Shards::default(), jurisdiction: None };
        for step in [
            Step::Rewind { at: Timestamp::from_secs(9) },
            Step::Life,
            Step::Restart,
            Step::Close(Change { number: 1, to }),
            Step::Move { number: 1, shard: 3, place: Place { table: 1, after: "x".to_owned() } },
            Step::Import { number: 1, load: Load::default() },
            Step::Open { number: 1 },
        ] {
            assert_eq!(serde_json::from_str::<Step>(&serde_json::to_string(&step).unwrap()).unwrap(), step);
        }
        for answer in [StepAnswer::Unused, StepAnswer::Moved { count: 3, next: Some(Place::default()) }] {
            assert_eq!(serde_json::from_str::<StepAnswer>(&serde_json::to_string(&answer).unwrap()).unwrap(), answer);
        }
    }
}
