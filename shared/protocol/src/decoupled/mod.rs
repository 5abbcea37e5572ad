//! Flows in which the user approves a request on another device than the one that asks.

mod device;

pub use device::{DeviceRequest, PollInterval, PollVerdict, UserCode, judge_poll};
