//! The commands that are complete in themselves: they ask the server, or look at files of this
//! machine, and print.
//!
//! Invariant: a command is one function from its flags to an exit code; it writes its answer
//! through [`crate::output`] and decides nothing that the server decides.

mod alias;
mod config;
mod key;
mod restore_key;
mod shell;
mod status;
mod wrap;

pub(crate) use alias::alias;
pub(crate) use config::{check, explain};
pub(crate) use key::key;
pub(crate) use restore_key::restore_key;
pub(crate) use shell::{completions, man};
pub(crate) use status::{StatusUnknown, status};
pub(crate) use wrap::{WrapFailed, wrap};
