//! The bare server as a process of its own.

use std::{net::SocketAddr, path::Path, process::Command, rc::Rc};

use keystead_driver::{Access, Serving};
use rustix::process::Pid;
use serde_json::Value;

use super::{Subject, kms::KmsEndpoint};
use crate::{
    bare::{CIPHER_KEY, SECRET_VARIABLE, SIGNING_KEY},
    disk::Place,
    failed::Failed,
    machine::Cores,
    operation::Operation,
};

/// It runs.
#[derive(Debug)]
pub(crate) struct BareServer {
    serving: Serving,
    kms: KmsEndpoint,
}

impl BareServer {
    /// Starts this program once more, with an access key for this run.
    pub(crate) fn start(place: &Place, cores: Cores) -> Result<Self, Failed> {
        let program = std::env::current_exe().map_err(Failed::system("cannot find myself"))?;
        let access = crate::bare::new_access();
        let serving = cores.start(|| started(&program, &place.at("."), &access))?;
        let keys = (CIPHER_KEY.to_owned(), SIGNING_KEY.to_owned());
        let kms = KmsEndpoint::new(serving.endpoint(), access, keys)?;
        Ok(Self { serving, kms })
    }
}

fn started(program: &Path, folder: &Path, access: &Access) -> Result<Serving, Failed> {
    let mut command = Command::new(program);
    command.arg("bare");
    access.expose(|secret| command.env(SECRET_VARIABLE, secret));
    Ok(Serving::start(command, folder)?)
}

impl Subject for BareServer {
    fn name(&self) -> &'static str {
        "bare"
    }

    fn address(&self) -> SocketAddr {
        self.kms.address
    }

    fn process(&self) -> Pid {
        self.serving.process()
    }

    fn requests(&self, operation: Operation) -> Result<Rc<[Vec<u8>]>, Failed> {
        Ok(self.kms.requests(operation))
    }

    fn check(&self, operation: Operation, number: usize, answer: &Value) -> Result<(), Failed> {
        match self.kms.fault(operation, number, answer)? {
            Some(fault) => Err(self.wrong(operation, fault)),
            None => Ok(()),
        }
    }
}
