//! Makes the status report: what this node sees now, and what each promise is worth by that.
//!
//! Invariant: a verdict rests on something looked at, never on intent; *weak* names every reason.

use std::{collections::BTreeSet, sync::Arc};

use keystead_domain::{Kit, PointKind, Timestamp, to_hex};

use crate::{
    Cx, Error, Fault, Level, Service,
    audit::Deed,
    door::{Recorded, Resolved, Resource},
    metrics::health_name,
    start::{head_text, scan_all},
    status::{KitStatus, PromiseStatus, StatusReport, VaultStatus, VerificationStatus},
    tiles::{Cosigned, FRESH_MS},
    vaults::{Health, Member},
};

/// How many findings a promise's reason names.
const FINDINGS_TOLD: usize = 3;

const RECORD: &str = "the record cannot be rewritten unseen";

impl Service {
    /// Shows the status.
    pub async fn status(self: &Arc<Self>, cx: Cx) -> Recorded<Result<StatusReport, Error>> {
        let service = self.clone();
        self.carry_out(cx.clone(), "Status", async move {
            let resource = Resource::tenant(cx.principal.tenant);
            let revision = service.progress.applied.at();
            let allowed = Resolved::new((), resource, revision).authorise(&cx, "Status");
            let result = match allowed {
                Ok(_) => Ok(service.report().await),
                Err(refused) => Err(refused),
            };
            let deed = Deed { operation: "Status", resource: Some(resource) };
            service.record_unfenced(&cx, deed, revision, result).await
        })
        .await
    }

    /// The report as of now.
    pub(crate) async fn report(&self) -> StatusReport {
        let kits = self.kits().await;
        let end = self.set.confirmed_end();
        let members = &self.set.members;
        let points = self.points().await.unwrap_or_default();
        let newest = points.iter().rfind(|point| point.kind == PointKind::Full);
        let snapshot = self.keyring.snapshot();
        let keys = snapshot.keys().len() as u64;
        let unproven = self.proofs.unproven(&*self.ports.tasks, snapshot).await;
        let mut report = StatusReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: self.ports.clock.now().to_string(),
            instance: self.instance.id.to_string(),
            incarnation: self.instance.incarnation.to_string(),
            node: self.node.to_string(),
            account: self.instance.account.to_string(),
            root_public_key: to_hex(&self.root.0),
            state: self.state(),
            head: head_text(self.instance.incarnation, end.sequence, &end.hash),
            commit_seq: self.progress.committed.at(),
            watermark: *self.set.vaulted().borrow(),
            ledger_size: self.ports.journal.head().size,
            ledger_shipped: self.ledger.shipped(),
            audit_rpo_ms: self.audit_rpo_ms(),
            keys,
            vaults_min: self.set.need,
            vaults: (0..).zip(members).map(|(at, of)| self.vault_status(at, of)).collect(),
            failure_domains: self.failure_domains(),
            kits: kits.iter().map(kit_status).collect(),
            newest_point: newest.map(|point| point.id.to_string()),
            newest_point_at: newest.map(|point| point.at.to_string()),
            versions: unproven.versions,
            unproven_versions: unproven.unproven,
            oldest_proof_at: unproven.oldest.map(|at| at.to_string()),
            verifications: vec![
                self.verification(Level::Integrity),
                self.verification(Level::Recovery),
            ],
            promises: Vec::new(),
        };
        report.promises = promises(&report, &self.destroyed());
        report.promises[3] = self.record_promise();
        report
    }

    fn verification(&self, level: Level) -> VerificationStatus {
        let (at, findings) = self.proofs.record(|record| match level {
            Level::Integrity => {
                record.integrity.as_ref().map(|run| (run.at, run.findings.clone())).unzip()
            }
            Level::Recovery => {
                record.recovery.as_ref().map(|run| (run.at, run.findings.clone())).unzip()
            }
        });
        let due = self.due_at(level);
        let late = self.ports.clock.now().as_micros() - OVERDUE_MICROS;
        VerificationStatus {
            level: level.name().to_owned(),
            at: at.map(|at| at.to_string()),
            due_at: due.map(|due| due.to_string()),
            is_overdue: due.is_some_and(|due| due.as_micros() < late),
            findings: findings.unwrap_or_default(),
        }
    }

    /// What promise 4 is worth.
    fn record_promise(&self) -> PromiseStatus {
        match self.journal_damage.get() {
            Some(damage) => PromiseStatus {
                verdict: "broken".to_owned(),
                reason: Some(damage.clone()),
                ..promise(4, RECORD, &[])
            },
            None => self.witnessed_promise(),
        }
    }

    /// Whether two histories could be shown without a witness having seen it.
    fn witnessed_promise(&self) -> PromiseStatus {
        let (all, shipped) = (self.ledger.witnesses.standing(), self.ledger.shipped());
        let now_ms = self.ports.clock.monotonic_ms();
        let is_fresh = |at: &Cosigned| {
            at.size > 0 && (at.size >= shipped || now_ms.saturating_sub(at.at_ms) < FRESH_MS)
        };
        let fresh: Vec<u64> =
            all.iter().filter(|(_, at)| is_fresh(at)).map(|(_, at)| at.size).collect();
        let (count, of) = (fresh.len(), all.len());
        if count * 2 > of {
            let least = fresh.iter().min().copied().unwrap_or(0);
            let reason = Some(format!("{count} of {of} witnesses cosigned {least} entries"));
            return PromiseStatus { reason, ..promise(4, RECORD, &[]) };
        }
        if all.is_empty() {
            let reason = "split view not excluded: no witness cosigns and no vault is locked";
            return promise(4, RECORD, &[reason.to_owned()]);
        }
        let why =
            all.iter().filter_map(|(name, at)| Some(format!("{name}: {}", at.reason.as_ref()?)));
        let why = why.collect::<Vec<_>>().join("; ");
        let reason = format!("split view not excluded: {count} of {of} witnesses cosign ({why})");
        promise(4, RECORD, &[reason])
    }

    /// What was destroyed, and what will be.
    fn destroyed(&self) -> Destroyed {
        let snapshot = self.keyring.snapshot();
        let (keys, versions) = snapshot.tally().destroyed();
        let next = snapshot.tally().next_doom();
        Destroyed { keys, versions, next, suspended: self.destroying.is_suspended() }
    }

    fn state(&self) -> String {
        if let Some(failed) = self.ports.journal.failure() {
            return format!("stopped: the ledger takes no event: {failed}");
        }
        match self.set.fence.check(self.ports.clock.monotonic_ms()) {
            Ok(()) => "serving".to_owned(),
            Err(Fault::Fenced { reason }) => format!("fenced: {reason}"),
            Err(other) => format!("stopped: {other}"),
        }
    }

    async fn kits(&self) -> Vec<Kit> {
        let rows = scan_all(&self.ports, keystead_domain::Kind::Kit).await.unwrap_or_default();
        let system = self.tenants.get(&self.instance.system_tenant);
        let read = |row: &keystead_store::Stored| {
            let body = system?.open_body(row).ok()?;
            Kit::from_body(&body).ok().filter(|kit| kit.revoked_at.is_none())
        };
        rows.iter().filter_map(read).collect()
    }

    /// How many things would have to be lost at once for every vault to be lost. What the data
    /// folder lies on does not count: losing that is the case that vaults are for.
    fn failure_domains(&self) -> usize {
        let domains = self.set.members.iter().filter_map(|member| member.vault.domain().ok());
        let away = domains.filter(|domain| Some(domain) != self.ports.home.as_ref());
        away.map(|domain| domain.to_string()).collect::<BTreeSet<_>>().len()
    }

    fn vault_status(&self, number: usize, member: &Member) -> VaultStatus {
        let built = *self.set.built().borrow();
        let health = member.health();
        let state = health_name(&health);
        let reason = match health {
            Health::Away(reason) => Some(reason),
            Health::Unasked | Health::Current | Health::Behind(_) => None,
        };
        VaultStatus {
            url: member.vault.url().to_string(),
            id: member.id.to_string(),
            domain: member.vault.domain().map_or_else(|_| "unknown".into(), |d| d.to_string()),
            state: state.to_owned(),
            reason,
            confirmed_sequence: member.confirmed(),
            missing_segments: built.saturating_sub(member.confirmed()),
            ledger_entries: self.ledger.shipped_to(number),
        }
    }
}

/// How late a verification may be before it is called overdue: a day, in microseconds.
const OVERDUE_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

fn kit_status(kit: &Kit) -> KitStatus {
    KitStatus {
        kit: kit.id.to_string(),
        fingerprint: to_hex(&kit.fingerprint()),
        created_at: kit.created_at.to_string(),
        proven_epoch: kit.proven.map(|(epoch, _)| epoch.to_string()),
        proven_at: kit.proven.map(|(_, at)| at.to_string()),
    }
}

/// How it stands with destruction.
#[derive(Debug)]
struct Destroyed {
    keys: u64,
    versions: u64,
    /// When the next key is due.
    next: Option<Timestamp>,
    suspended: bool,
}

fn promises(report: &StatusReport, destroyed: &Destroyed) -> Vec<PromiseStatus> {
    let fenced = report.state != "serving";
    vec![
        promise(1, "nothing without a way back", &way_back(report)),
        broken_if(
            &findings(report, Level::Recovery),
            promise(2, "proof, not hope", &proof(report)),
        ),
        promise(3, "one door", &[]),
        promise(4, RECORD, &[]),
        destruction(destroyed),
        promise(6, "nothing lost", if fenced { std::slice::from_ref(&report.state) } else { &[] }),
        promise(7, "no secret leaks", &[]),
        promise(8, "fast enough to forget", &["not measured on this machine".to_owned()]),
    ]
}

fn promise(number: u8, name: &str, weak: &[String]) -> PromiseStatus {
    let (verdict, reason) = match weak.is_empty() {
        true => ("holds", None),
        false => ("weak", Some(weak.join("; "))),
    };
    PromiseStatus { number, name: name.to_owned(), verdict: verdict.to_owned(), reason }
}

/// A promise that was seen not to hold.
fn broken_if(seen: &[String], promise: PromiseStatus) -> PromiseStatus {
    if seen.is_empty() {
        return promise;
    }
    PromiseStatus { verdict: "broken".to_owned(), reason: Some(seen.join("; ")), ..promise }
}

/// What the last run of a level found wrong: the first of it, and how much more there is.
fn findings(report: &StatusReport, level: Level) -> Vec<String> {
    let of = report.verifications.iter().find(|of| of.level == level.name());
    let all = of.map_or(&[][..], |of| &of.findings);
    let mut told: Vec<String> = all.iter().take(FINDINGS_TOLD).cloned().collect();
    if all.len() > FINDINGS_TOLD {
        told.push(format!("{} findings more", all.len() - FINDINGS_TOLD));
    }
    told
}

fn destruction(seen: &Destroyed) -> PromiseStatus {
    let mut weak = Vec::new();
    if seen.keys > 0 {
        weak.push(format!(
            "{} versions of {} destroyed keys are residual: their copies stay in the vaults, where \
             a kit opens them",
            seen.versions, seen.keys
        ));
    }
    if seen.suspended {
        weak.push("the clock jumped: keys that are due are not destroyed".to_owned());
    }
    let told = promise(5, "destroyed is a fact with a date", &weak);
    if !weak.is_empty() {
        return told;
    }
    let reason = match seen.next {
        None => "nothing was destroyed".to_owned(),
        Some(next) => format!("the next key is due at {next}"),
    };
    PromiseStatus { verdict: "not due".to_owned(), reason: Some(reason), ..told }
}

fn way_back(report: &StatusReport) -> Vec<String> {
    let mut weak = Vec::new();
    let current = report.vaults.iter().filter(|vault| vault.state == "current").count();
    if current < report.vaults.len() {
        weak.push(format!("{current} of {} vaults are current", report.vaults.len()));
    }
    if report.failure_domains < 2 {
        weak.push(format!(
            "{} failure domains beside the data folder's hold vaults that answer; 2 are needed",
            report.failure_domains
        ));
    }
    if report.kits.len() < 2 {
        weak.push("there is one kit: losing it and the data folder loses all".to_owned());
    }
    weak.extend(findings(report, Level::Integrity));
    if report.watermark < report.commit_seq {
        let waiting = report.commit_seq - report.watermark;
        weak.push(format!("{waiting} committed changes wait for vaults"));
    }
    weak
}

fn proof(report: &StatusReport) -> Vec<String> {
    let unproven = report.kits.iter().filter(|kit| kit.proven_at.is_none()).count();
    let mut weak = Vec::new();
    if unproven > 0 {
        weak.push(format!("{unproven} kits were never seen to open the epoch in force"));
    }
    if report.unproven_versions > 0 {
        weak.push(format!(
            "{} of {} key versions are not proven: no copy of theirs was opened and exercised",
            report.unproven_versions, report.versions
        ));
    }
    for late in report.verifications.iter().filter(|of| of.is_overdue) {
        let (level, due) = (&late.level, late.due_at.as_deref().unwrap_or_default());
        weak.push(format!("the {level} verification has been due since {due}"));
    }
    weak
}
