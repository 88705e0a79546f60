//! Counts a scenario's durable operations, makes one case of each, and checks what is left.

use std::{fmt, sync::Arc};

use keystead_journal::Loss;
use keystead_service::Service;
use keystead_testkit::{Durable, FaultPlans, Process};

use crate::{
    client::Client,
    kit::KitForm,
    node::{serve, within},
    prepared::Prepared,
};

/// How one durable operation goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NotPersisted,
    PersistedButReported,
    CrashAfter,
}

/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    Store,
    Data,
    Journal,
    Vault(usize),
}

/// One case: the operation with this number at this port.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) port: Port,
    pub(crate) number: u64,
    pub(crate) fault: Fault,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {:?}", self.port, self.number, self.fault)
    }
}

impl Case {
    /// The plan of a process in which only this goes wrong.
    pub(crate) fn plans(self) -> FaultPlans {
        use keystead_journal::FaultPlan as OnDisk;
        let mut plans = FaultPlans::default();
        let disk = || OnDisk::script([(self.number, self.on_disk())]);
        match self.port {
            Port::Store => {
                let script = [(self.number, self.on_store())];
                plans.store = keystead_store::FaultPlan::script(script);
            }
            Port::Data => plans.data = disk(),
            Port::Journal => plans.journal = disk(),
            Port::Vault(vault) => {
                let script = [(self.number, self.on_vault())];
                plans.vault = Some((vault, keystead_targets::FaultPlan::script(script)));
            }
        }
        plans
    }

    /// What the machine's stop takes, another way in each case.
    pub(crate) fn loss(self) -> Loss {
        match self.number % 3 {
            0 => Loss::Everything,
            1 => Loss::Part(self.number),
            _ => Loss::Nothing,
        }
    }

    fn on_store(self) -> keystead_store::Fault {
        match self.fault {
            Fault::NotPersisted => keystead_store::Fault::NotPersisted,
            Fault::PersistedButReported => keystead_store::Fault::PersistedButReported,
            Fault::CrashAfter => keystead_store::Fault::CrashAfter,
        }
    }

    fn on_disk(self) -> keystead_journal::Fault {
        match self.fault {
            Fault::NotPersisted => keystead_journal::Fault::NotPersisted,
            Fault::PersistedButReported => keystead_journal::Fault::PersistedButReported,
            Fault::CrashAfter => keystead_journal::Fault::CrashAfter,
        }
    }

    fn on_vault(self) -> keystead_targets::Fault {
        match self.fault {
            Fault::NotPersisted => keystead_targets::Fault::NotPersisted,
            Fault::PersistedButReported => keystead_targets::Fault::PersistedButReported,
            Fault::CrashAfter => keystead_targets::Fault::CrashAfter,
        }
    }
}

/// Every case of a scenario that asked for so many durable operations.
pub(crate) fn cases(durable: &Durable) -> Vec<Case> {
    let mut ports = vec![
        (Port::Store, durable.store),
        (Port::Data, durable.data),
        (Port::Journal, durable.journal),
    ];
    ports.extend(durable.vaults.iter().enumerate().map(|(at, puts)| (Port::Vault(at), *puts)));
    let faults = [Fault::NotPersisted, Fault::PersistedButReported, Fault::CrashAfter];
    let mut cases = Vec::new();
    for (port, count) in ports {
        for number in 1..=count {
            cases.extend(faults.map(|fault| Case { port, number, fault }));
        }
    }
    cases
}

/// Runs a scenario once to count, then once for each case; `scenario` gets a node that serves.
pub(crate) fn run<F: Future<Output = ()> + Send + 'static>(
    seed: u64,
    at_least: usize,
    scenario: impl Fn(Client, Arc<Process>) -> F,
) {
    run_over(&Prepared::new(seed, KitForm::Bare), seed, at_least, scenario);
}

/// The same over an instance that was prepared otherwise.
pub(crate) fn run_over<F: Future<Output = ()> + Send + 'static>(
    prepared: &Prepared,
    seed: u64,
    at_least: usize,
    scenario: impl Fn(Client, Arc<Process>) -> F,
) {
    let attempt = |case: Option<Case>| {
        let own = prepared.copied(seed + 1);
        let process = own.process(&case.map_or_else(FaultPlans::default, Case::plans));
        let Some(service) = start(&process) else { return (own, process) };
        let work = scenario(own.client(&service), process.clone());
        within(&process, work);
        drop(service);
        (own, process)
    };
    let (whole, process) = attempt(None);
    let durable = process.durable();
    process.kill();
    whole.recover_and_verify();
    let cases = cases(&durable);
    assert!(cases.len() >= at_least, "{} cases: {durable:?}", cases.len());
    for case in cases {
        eprintln!("case {case:?}");
        let (left, process) = attempt(Some(case));
        process.crash(case.loss());
        left.verify_vaulted();
        left.recover_and_verify();
    }
}

/// Starts the service; none where a fault forbids it or ends the process.
fn start(process: &Arc<Process>) -> Option<Arc<Service>> {
    let inner = process.clone();
    within(process, async move { serve(&inner).await.ok() }).flatten()
}
