//! The simulated world of the tests: clock, entropy, tasks, disks, vaults.
//!
//! Invariant: one seed decides everything that happens: which task runs next, how long a vault
//! takes, every random byte. A run that failed is repeated by its seed, and time passes only when
//! nothing else can happen, so that no test sleeps.

mod draws;
mod folder;
mod life;
mod ports;
mod process;
mod seal;
mod sim;
mod world;

pub use draws::Draws;
pub use folder::Folder;
pub use life::Life;
pub use process::{Durable, FaultPlans, Process};
pub use seal::FixedSeal;
pub use sim::{Sim, Sleep};
pub use world::World;
