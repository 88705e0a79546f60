//! Puts on record who read the vaults without asking this node: our own commands, which say so
//! themselves, and others, whom the log of the storage shows.
//!
//! Invariant: nothing is believed of the reporter but that it is the caller; what names a person or
//! a place enters the ledger as an HMAC, and an object in the clear only where its name is one that
//! we give.

use std::{fmt::Display, sync::Arc};

use keystead_archive::names;
use keystead_domain::{Timestamp, to_hex};
use keystead_ledger::{Attributes, Value};
use keystead_targets::AccessKind;

use crate::{
    Cx, Error, Fault, Service,
    audit::Deed,
    door::{Recorded, Resource},
    tenants::TenantKeys,
};

/// How many objects one report of accesses may name.
pub const OBJECTS_MAX: usize = 64;
/// How long what a report says in words may be, in bytes.
const SAID_MAX: usize = 1024;

/// What somebody tells of accesses to vaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VaultAccess {
    /// A command of ours read without a server.
    Reading(VaultReading),
    /// The log of the storage shows somebody who is not the service.
    Foreign(ForeignAccess),
    /// A log of the storage was gone through.
    Import(LogImport),
}

/// A command of ours that read vaults, or what was taken from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultReading {
    /// As it was called: `backup verify`.
    pub command: String,
    /// The vaults' URLs; none where it read a file.
    pub vaults: Vec<String>,
    /// How it ended.
    pub succeeded: bool,
}

/// What one program of one user did to one vault, as the storage's log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignAccess {
    /// The vault's URL.
    pub vault: String,
    /// Who, in the words of that log.
    pub who: String,
    /// What was done.
    pub access: AccessKind,
    /// Whether the storage let it happen.
    pub succeeded: bool,
    /// How often.
    pub count: u64,
    /// The first that it was done to: names below the vault.
    pub objects: Vec<String>,
    /// The first time.
    pub first_at: Timestamp,
    /// The last time.
    pub last_at: Timestamp,
}

/// A log of the storage, once gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogImport {
    /// The vault's URL.
    pub vault: String,
    /// Which sort of log: `linux-audit`.
    pub format: String,
    /// SHA-256 of the log's bytes.
    pub digest: [u8; 32],
    /// Accesses to the vault in it.
    pub accesses: u64,
    /// Those that were not the service's.
    pub foreign: u64,
}

impl VaultAccess {
    /// As ledger and log name it.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Reading(_) => "ReportVaultReading",
            Self::Foreign(_) => "ReportForeignAccess",
            Self::Import(_) => "ImportAccessLog",
        }
    }
}

impl Service {
    /// Puts on record what the caller tells of accesses to vaults.
    pub async fn report_access(
        self: &Arc<Self>,
        cx: Cx,
        told: VaultAccess,
    ) -> Recorded<Result<(), Error>> {
        let (service, operation) = (self.clone(), told.operation());
        self.carry_out(cx.clone(), operation, async move {
            let resource = Resource::tenant(cx.principal.tenant);
            let revision = service.progress.applied.at();
            let passed = service.pass_to(&cx, operation, resource, revision);
            let said = passed.and_then(|()| Ok(service.said_of(&cx, &told)?));
            let (said, result) = match said {
                Ok(said) => (said, Ok(())),
                Err(refused) => (Attributes::new(), Err(refused)),
            };
            let deed = Deed { operation, resource: Some(resource) };
            service.record_saying(&cx, deed, revision, said, result).await
        })
        .await
    }

    fn said_of(&self, cx: &Cx, told: &VaultAccess) -> Result<Attributes, Fault> {
        let keys = self.tenants.get(&cx.principal.tenant).ok_or(Fault::Internal)?;
        let said = Said { keys, attributes: Attributes::new() };
        match told {
            VaultAccess::Reading(reading) => self.said_of_reading(said, reading),
            VaultAccess::Foreign(foreign) => self.said_of_foreign(said, foreign),
            VaultAccess::Import(import) => Ok(said
                .clear("vault", self.vault_named(&import.vault)?)
                .clear("format", bounded("format", &import.format)?)
                .mac("log", &to_hex(&import.digest))
                .clear("count", import.accesses)
                .clear("foreign", import.foreign)
                .attributes),
        }
    }

    fn said_of_reading(&self, said: Said<'_>, reading: &VaultReading) -> Result<Attributes, Fault> {
        let outcome = if reading.succeeded { "succeeded" } else { "failed" };
        let said =
            said.clear("command", bounded("command", &reading.command)?).clear("outcome", outcome);
        let said = few("vaults", &reading.vaults)?.iter().try_fold(said, |said, url| {
            // A copy of a vault may lie anywhere: that one is not ours to know.
            match self.vault_named(url) {
                Ok(id) => Ok(said.clear("vault", id)),
                Err(_) => Ok::<_, Fault>(said.mac("place", bounded("vaults", url)?)),
            }
        })?;
        Ok(said.attributes)
    }

    fn said_of_foreign(
        &self,
        said: Said<'_>,
        foreign: &ForeignAccess,
    ) -> Result<Attributes, Fault> {
        if foreign.last_at < foreign.first_at || foreign.count == 0 {
            let message = "must be 1 or more, and `last_at` not before `first_at`".to_owned();
            return Err(Fault::Field { field: "count", message });
        }
        let outcome = if foreign.succeeded { "succeeded" } else { "failed" };
        let said = said
            .clear("vault", self.vault_named(&foreign.vault)?)
            .mac("who", bounded("who", &foreign.who)?)
            .clear("access", foreign.access.name())
            .clear("outcome", outcome)
            .clear("count", foreign.count)
            .clear("first-at", foreign.first_at)
            .clear("last-at", foreign.last_at);
        let said = few("objects", &foreign.objects)?.iter().try_fold(said, |said, object| {
            let object = bounded("objects", object)?;
            Ok::<_, Fault>(match names::parse(object) {
                Some(_) => said.clear("object", object),
                None => said.mac("object", object),
            })
        })?;
        Ok(said.attributes)
    }

    /// The id of one of our vaults.
    fn vault_named(&self, url: &str) -> Result<String, Fault> {
        let (url, members) = (bounded("vault", url)?, &self.set.members);
        let found = members.iter().find(|member| member.vault.url().to_string() == url);
        let unknown = || Fault::Nothing { what: "vault", name: url.to_owned() };
        found.map(|member| member.id.to_string()).ok_or_else(unknown)
    }
}

/// Attributes that grow; what stands in them is bounded before.
struct Said<'a> {
    keys: &'a TenantKeys,
    attributes: Attributes,
}

impl Said<'_> {
    fn clear(self, name: &'static str, value: impl Display) -> Self {
        self.with(name, &Value::Clear(value.to_string().into_bytes()))
    }

    fn mac(self, name: &'static str, value: &str) -> Self {
        let mac = Value::Mac(self.keys.value_mac(name, value));
        self.with(name, &mac)
    }

    fn with(mut self, name: &'static str, value: &Value) -> Self {
        self.attributes.insert(name, value).expect("few bounded values fit an event");
        self
    }
}

fn bounded<'a>(field: &'static str, said: &'a str) -> Result<&'a str, Fault> {
    if said.is_empty() || said.len() > SAID_MAX {
        let message = format!("must have 1 to {SAID_MAX} bytes");
        return Err(Fault::Field { field, message });
    }
    Ok(said)
}

fn few<'a>(field: &'static str, said: &'a [String]) -> Result<&'a [String], Fault> {
    if said.len() > OBJECTS_MAX {
        let message = format!("must be at most {OBJECTS_MAX}");
        return Err(Fault::Field { field, message });
    }
    Ok(said)
}
