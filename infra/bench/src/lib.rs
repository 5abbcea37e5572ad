//! Simulation: the share of each partition, owner and object of the store with many users.
//!
//! The repositories run on a store that counts calls and keeps nothing. So the keys are those of the server, and a hundred
//! million users are a computation without data.

mod load;
mod user;

pub use load::{Load, Share};

use futures::executor::block_on;
use std::ops::Range;
use storage::Unavailable;

/// Calls of the store by the first day of each of these users: from the entry in the directory to the sign-out.
pub fn simulate(users: Range<u64>, load: &Load) -> Result<(), Unavailable> {
    block_on(async {
        for user in users {
            user::first_day(load, user).await?;
        }
        Ok(())
    })
}
