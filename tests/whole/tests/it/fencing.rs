//! Who may act: clones, rolled-back states, vaults that vanish, lie or come back, and other nodes.

mod cloned;
mod restarted;
mod superseded;
mod unseen;
mod vaults;
