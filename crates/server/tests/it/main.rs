//! The fronts on a real service over memory ports, spoken to over TCP.

mod admission;
mod kms;
mod native;
mod serving;
mod wire;
mod world;
