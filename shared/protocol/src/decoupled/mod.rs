//! Flows in which the user approves a request on another device than the one that asks.

mod asking_device;
mod backchannel;
mod device;

pub use asking_device::AskingDevice;
pub use backchannel::{
    BackchannelRequest, REQUEST_NOTIFICATION_TYPE, RequestNotificationClaims, UserHint, signed_parameters,
};
pub use device::{DeviceRequest, PollInterval, PollVerdict, UserCode, judge_poll};
