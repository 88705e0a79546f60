//! The crash matrix: each durable operation of a scenario goes wrong in each of three ways, then
//! the machine stops, and what was acknowledged must be there.
//!
//! Invariant: the scenario is run once without faults to count its durable operations at each port;
//! every one of them is a case. A case repeats itself, since the seed decides everything else.

mod changing;
mod creating;
mod founding;
pub(crate) mod matrix;
mod recovering;
mod shipping;
mod using;
mod wrapping;
