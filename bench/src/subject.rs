//! The three servers that are compared.
//!
//! Invariant: each runs on the same core with the same disk below it, is asked for the same work in
//! its own protocol, and has samples of its answers opened after each cell.

mod bare;
mod keystead;
mod kms;
mod openbao;

use std::{net::SocketAddr, rc::Rc};

use rustix::process::Pid;
use serde_json::Value;

pub(crate) use self::{
    bare::BareServer,
    keystead::{Instance, KeysteadServer},
    openbao::OpenBao,
};
use crate::{failed::Failed, operation::Operation};

/// A server under load.
pub(crate) trait Subject {
    /// As the tables name it.
    fn name(&self) -> &'static str;

    /// Where it listens.
    fn address(&self) -> SocketAddr;

    /// Its process.
    fn process(&self) -> Pid;

    /// The requests of an operation, dated now.
    fn requests(&self, operation: Operation) -> Result<Rc<[Vec<u8>]>, Failed>;

    /// Opens an answer to the request with this number.
    fn check(&self, operation: Operation, number: usize, answer: &Value) -> Result<(), Failed>;

    /// A failure of [`Subject::check`].
    fn wrong(&self, operation: Operation, problem: impl Into<String>) -> Failed
    where
        Self: Sized,
    {
        Failed::Answer {
            subject: self.name().to_owned(),
            operation: operation.title(),
            problem: problem.into(),
        }
    }
}

/// The address in `http://HOST:PORT`.
pub(crate) fn address_of(endpoint: &str) -> Result<SocketAddr, Failed> {
    let address = endpoint.trim_start_matches("http://").parse();
    address.map_err(|_| Failed::Usage { problem: format!("`{endpoint}` is no endpoint") })
}
