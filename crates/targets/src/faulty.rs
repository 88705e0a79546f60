//! Wraps a vault and makes chosen puts go wrong: the vault's share of the crash matrix.
//!
//! Invariant: the plan alone decides, from the put's number; the same plan over the same calls
//! gives the same faults. A put that went wrong without a crash is always reported as
//! [`VaultError::Unknown`], persisted or not, so no caller can pass by trusting the error.

use crate::{FailureDomain, Fault, Listed, ObjectName, PutNew, Vault, VaultError, VaultUrl};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Which puts go wrong, and how. Puts count from 1 and go on counting after a crash.
#[derive(Clone, Debug)]
pub struct FaultPlan(Plan);

#[derive(Clone, Debug)]
enum Plan {
    Script(BTreeMap<u64, Fault>),
    Seeded { seed: u64, one_in: NonZeroU64 },
}

impl FaultPlan {
    /// No put goes wrong.
    #[must_use]
    pub fn none() -> FaultPlan {
        FaultPlan(Plan::Script(BTreeMap::new()))
    }

    /// Exactly these puts go wrong.
    #[must_use]
    pub fn script(faults: impl IntoIterator<Item = (u64, Fault)>) -> FaultPlan {
        FaultPlan(Plan::Script(faults.into_iter().collect()))
    }

    /// About one put in `one_in` goes wrong, chosen by `seed`.
    #[must_use]
    pub fn seeded(seed: u64, one_in: NonZeroU64) -> FaultPlan {
        FaultPlan(Plan::Seeded { seed, one_in })
    }

    /// What happens to the put with this number.
    #[must_use]
    pub fn fault(&self, put: u64) -> Option<Fault> {
        match &self.0 {
            Plan::Script(faults) => faults.get(&put).copied(),
            Plan::Seeded { seed, one_in } => {
                let drawn = mixed(seed ^ mixed(put));
                drawn.is_multiple_of(one_in.get()).then(|| match mixed(drawn) % 3 {
                    0 => Fault::NotPersisted,
                    1 => Fault::PersistedButReported,
                    _ => Fault::CrashAfter,
                })
            }
        }
    }
}

/// A vault whose puts go wrong as planned.
#[derive(Debug)]
pub struct FaultyVault<V> {
    inner: V,
    plan: FaultPlan,
    run: Mutex<Run>,
}

#[derive(Debug)]
struct Run {
    puts: u64,
    process: Process,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Process {
    Lives,
    Crashed,
}

impl<V: Vault> FaultyVault<V> {
    /// Wraps a vault.
    #[must_use]
    pub fn new(inner: V, plan: FaultPlan) -> FaultyVault<V> {
        FaultyVault { inner, plan, run: Mutex::new(Run { puts: 0, process: Process::Lives }) }
    }

    /// Ends a crash: the next process opens the vault.
    pub fn reopen(&self) {
        self.run().process = Process::Lives;
    }

    /// Whether a planned crash has ended the process.
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.run().process == Process::Crashed
    }

    /// How many puts there were: the length of a matrix that fails each of them.
    #[must_use]
    pub fn puts(&self) -> u64 {
        self.run().puts
    }

    /// The vault below, without faults.
    #[must_use]
    pub fn inner(&self) -> &V {
        &self.inner
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self) -> Result<MutexGuard<'_, Run>, VaultError> {
        let run = self.run();
        match run.process {
            Process::Lives => Ok(run),
            Process::Crashed => Err(VaultError::Crashed { url: self.url().clone() }),
        }
    }

    fn next_fault(&self) -> Result<Option<Fault>, VaultError> {
        let mut run = self.alive()?;
        run.puts += 1;
        Ok(self.plan.fault(run.puts))
    }

    fn unknown(&self, name: &ObjectName) -> VaultError {
        let source = io::Error::other("injected fault");
        VaultError::Unknown { url: self.url().clone(), name: name.clone(), source }
    }

    /// What a process that may have crashed meanwhile hears of an answer.
    fn heard<T>(&self, answer: Result<T, VaultError>) -> Result<T, VaultError> {
        drop(self.alive()?);
        answer
    }
}

#[async_trait]
impl<V: Vault> Vault for FaultyVault<V> {
    async fn put_new(&self, name: &ObjectName, bytes: &[u8]) -> Result<PutNew, VaultError> {
        let fault = self.next_fault()?;
        if fault == Some(Fault::NotPersisted) {
            return Err(self.unknown(name));
        }
        let answer = self.inner.put_new(name, bytes).await;
        match fault {
            Some(Fault::PersistedButReported) => self.heard(answer.and(Err(self.unknown(name)))),
            Some(Fault::CrashAfter) => {
                self.run().process = Process::Crashed;
                self.heard(answer)
            }
            Some(Fault::NotPersisted) | None => self.heard(answer),
        }
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<Vec<u8>>, VaultError> {
        drop(self.alive()?);
        let answer = self.inner.read(name).await;
        self.heard(answer)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, VaultError> {
        drop(self.alive()?);
        let answer = self.inner.list(prefix).await;
        self.heard(answer)
    }

    async fn list_apart(&self, prefix: &str, apart: &[&str]) -> Result<Vec<Listed>, VaultError> {
        drop(self.alive()?);
        let answer = self.inner.list_apart(prefix, apart).await;
        self.heard(answer)
    }

    async fn lacking(&self, names: &[ObjectName]) -> Result<Vec<ObjectName>, VaultError> {
        drop(self.alive()?);
        let answer = self.inner.lacking(names).await;
        self.heard(answer)
    }

    fn url(&self) -> &VaultUrl {
        self.inner.url()
    }

    fn domain(&self) -> Result<FailureDomain, VaultError> {
        drop(self.alive()?);
        self.inner.domain()
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): spreads, keeps no secret.
fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemoryVault, wait};

    fn faulty(plan: FaultPlan) -> FaultyVault<MemoryVault> {
        FaultyVault::new(MemoryVault::named("a").unwrap(), plan)
    }

    fn name(text: &str) -> ObjectName {
        text.parse().unwrap()
    }

    #[test]
    fn conformance_without_faults() {
        wait(crate::conformance::run(async || faulty(FaultPlan::none())));
    }

    #[test]
    fn each_fault_does_to_the_second_put_what_it_says() {
        for (fault, persisted) in [
            (Fault::NotPersisted, false),
            (Fault::PersistedButReported, true),
            (Fault::CrashAfter, true),
        ] {
            let vault = faulty(FaultPlan::script([(2, fault)]));
            assert_eq!(wait(vault.put_new(&name("a"), b"1")).unwrap(), PutNew::Created);
            let error = wait(vault.put_new(&name("b"), b"2")).unwrap_err();
            let crashed = matches!(error, VaultError::Crashed { .. });
            assert_eq!(crashed, fault == Fault::CrashAfter, "{error}");
            assert!(crashed || matches!(error, VaultError::Unknown { .. }), "{error}");
            let found = wait(vault.inner().read(&name("b"))).unwrap();
            assert_eq!(found.is_some(), persisted, "{fault:?}");
        }
    }

    #[test]
    fn after_a_crash_nothing_answers_until_the_vault_is_reopened() {
        let vault = faulty(FaultPlan::script([(1, Fault::CrashAfter)]));
        let crashed = |error| matches!(error, VaultError::Crashed { .. });
        assert!(crashed(wait(vault.put_new(&name("a"), b"1")).unwrap_err()));
        assert!(crashed(wait(vault.put_new(&name("a"), b"1")).unwrap_err()));
        assert!(crashed(wait(vault.read(&name("a"))).unwrap_err()));
        assert!(crashed(wait(vault.list("")).unwrap_err()));
        assert!(crashed(vault.domain().unwrap_err()));
        vault.reopen();
        assert_eq!(wait(vault.put_new(&name("a"), b"1")).unwrap(), PutNew::Exists);
        assert_eq!(vault.puts(), 2);
    }

    #[test]
    fn a_seed_repeats_itself_and_draws_every_fault_about_as_often_as_asked() {
        let one_in = NonZeroU64::new(5).unwrap();
        let plan = FaultPlan::seeded(42, one_in);
        let drawn: Vec<_> = (1..=3000).map(|put| plan.fault(put)).collect();
        let again = FaultPlan::seeded(42, one_in);
        assert!(drawn.iter().zip(1..).all(|(fault, put)| *fault == again.fault(put)));
        for fault in Fault::ALL {
            let count = drawn.iter().filter(|drawn| **drawn == Some(fault)).count();
            assert!((120..280).contains(&count), "{fault:?} {count}");
        }
        let other = FaultPlan::seeded(43, one_in);
        assert!(drawn.iter().zip(1..).any(|(fault, put)| *fault != other.fault(put)));
    }

    #[test]
    fn a_caller_that_puts_again_gets_there_under_every_seed() {
        for seed in 0..50 {
            let vault = faulty(FaultPlan::seeded(seed, NonZeroU64::new(2).unwrap()));
            let tries = (0..64).find(|_| {
                vault.reopen();
                wait(vault.put_new(&name("a"), b"1")).is_ok()
            });
            assert!(tries.is_some(), "seed {seed}");
            assert_eq!(wait(vault.read(&name("a"))).unwrap().unwrap(), b"1");
            assert!(vault.inner().conflicts().is_empty());
        }
    }
}
