//! What a node that serves shows: requests, ledger, changes, vaults, keys, kits, promises.

use keystead_service::{
    Service,
    metrics::{Census, Metrics, VaultVitals, Vitals},
};

use super::{
    families as of,
    page::{Page, seconds_of_ms, seconds_of_us, whole},
};

const VAULT_STATES: [&str; 4] = ["unasked", "current", "behind", "away"];
const VERDICTS: [&str; 4] = ["holds", "weak", "not due", "broken"];

/// One number of a vault.
type ReadVault = fn(&VaultVitals) -> u64;

pub(super) fn write(page: &mut Page, service: &Service) {
    let vitals = service.vitals();
    let Vitals { instance, incarnation, node, .. } = &vitals;
    let labels = [("instance", &**instance), ("incarnation", &**incarnation), ("node", &**node)];
    page.family(of::INSTANCE).add(&labels, 1);
    requests(page, service.metrics());
    ledger(page, service.metrics(), &vitals);
    changes(page, &vitals);
    vaults(page, &vitals);
    if let Some((census, age_ms)) = &vitals.census {
        counted(page, census);
        page.one(of::CENSUS_AGE, seconds_of_ms(*age_ms));
    }
}

fn requests(page: &mut Page, metrics: &Metrics) {
    let mut requests = page.family(of::REQUESTS);
    for count in metrics.requests() {
        let labels =
            [("front", count.front), ("operation", count.operation), ("outcome", count.outcome)];
        requests.add(&labels, count.count);
    }
    let mut times = page.family(of::REQUEST_SECONDS);
    for (front, operation, took) in metrics.request_times() {
        times.histogram(&[("front", front), ("operation", operation)], &took, seconds_of_us);
    }
    page.one(of::IN_FLIGHT, metrics.in_flight());
    let mut unproven = page.family(of::UNPROVEN);
    for (front, reason, count) in metrics.unproven_requests() {
        unproven.add(&[("front", front), ("reason", reason)], count);
    }
    page.one(of::KEY_USES_BEYOND, metrics.uses_uncounted());
}

fn ledger(page: &mut Page, metrics: &Metrics, vitals: &Vitals) {
    page.family(of::SYNC_SECONDS).histogram(&[], &metrics.journal_sync(), seconds_of_us);
    page.family(of::SYNC_BYTES).histogram(&[], &metrics.journal_group(), whole);
    page.one(of::LEDGER_ENTRIES, vitals.ledger_entries);
    page.one(of::LEDGER_SHIPPED, vitals.ledger_shipped);
    page.one(of::LEDGER_AGE, seconds_of_ms(vitals.ledger_waits_ms));
    page.one(of::AUDIT_RPO, seconds_of_ms(vitals.audit_rpo_ms));
}

fn changes(page: &mut Page, vitals: &Vitals) {
    let stages = [
        ("committed", vitals.committed),
        ("journaled", vitals.journaled),
        ("vaulted", vitals.vaulted),
        ("applied", vitals.applied),
    ];
    let mut change = page.family(of::CHANGE);
    for (stage, seq) in stages {
        change.add(&[("stage", stage)], seq);
    }
    page.one(of::CHANGES_UNVAULTED, vitals.committed.saturating_sub(vitals.vaulted));
    let in_flight = vitals.segments_built.saturating_sub(vitals.segments_confirmed);
    page.one(of::SEGMENTS_IN_FLIGHT, in_flight);
}

fn vaults(page: &mut Page, vitals: &Vitals) {
    page.one(of::VAULTS, vitals.vaults.len());
    page.one(of::VAULTS_NEEDED, vitals.vaults_min);
    let mut states = page.family(of::VAULT_STATE);
    for vault in &vitals.vaults {
        for state in VAULT_STATES {
            let labels = [("vault", &*vault.vault), ("state", state)];
            states.add(&labels, u8::from(state == vault.state));
        }
    }
    let numbers: [(_, ReadVault); 3] = [
        (of::VAULT_CONFIRMED, |vault| vault.confirmed),
        (of::VAULT_MISSING, |vault| vault.missing),
        (of::VAULT_LEDGER, |vault| vault.ledger_entries),
    ];
    for (family, read) in numbers {
        let mut samples = page.family(family);
        for vault in &vitals.vaults {
            samples.add(&[("vault", &vault.vault)], read(vault));
        }
    }
    let mut seen = page.family(of::VAULT_SEEN);
    for vault in &vitals.vaults {
        if let Some(seen_ms) = vault.seen_ms {
            seen.add(&[("vault", &vault.vault)], seconds_of_ms(seen_ms));
        }
    }
    page.one(of::UNSEEN, seconds_of_ms(vitals.unseen_ms));
    page.one(of::UNSEEN_LIMIT, seconds_of_ms(vitals.max_unfenced_ms));
    page.one(of::FENCED, u8::from(vitals.fenced));
}

fn counted(page: &mut Page, census: &Census) {
    page.one(of::FAILURE_DOMAINS, census.report.failure_domains);
    let mut keys = page.family(of::KEYS);
    for (state, count) in &census.keys {
        keys.add(&[("state", state)], count);
    }
    page.one(of::KITS, census.kits.len());
    let mut proven = page.family(of::KIT_PROVEN);
    for kit in &census.kits {
        proven.add(&[("kit", &kit.kit)], kit.proven_at_s.unwrap_or(0));
    }
    let mut promises = page.family(of::PROMISE);
    for promise in &census.report.promises {
        let number = promise.number.to_string();
        for verdict in VERDICTS {
            let labels = [("number", &*number), ("verdict", verdict)];
            promises.add(&labels, u8::from(promise.verdict == verdict));
        }
    }
}
