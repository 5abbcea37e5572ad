//! Flows in which the user approves a request on another device than the one that asks.

mod asking_device;
mod device;

pub use asking_device::AskingDevice;
pub use device::{DeviceRequest, PollInterval, PollVerdict, UserCode, judge_poll};
