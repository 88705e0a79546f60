//! A signed client of `/v1`: what every command uses that does not touch files.
//!
//! Invariant: each request is signed with the profile's access key for the service `keystead`; the
//! secret half never leaves this process. No proxy, no redirect: what was signed for one server is
//! sent to that server.

mod call;
mod endpoint;
mod problem;
mod profile;

pub(crate) use call::{CallFailed, Client, Origin, encoded};
pub(crate) use endpoint::{Endpoint, EndpointInvalid};
pub(crate) use profile::{Profile, ProfileRefused, default_path, read};
pub(crate) use profile::{require_place, write};
