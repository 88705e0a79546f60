//! Every family of metrics: its name, type and help.
//!
//! Invariant: a family is written only through its constant here, so that the page of
//! documentation, the alert rules and the tests have one list to be held against.

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// One family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
}

macro_rules! families {
    ($($constant:ident = $kind:ident $name:literal $help:literal;)*) => {
        $(pub(super) const $constant: Family =
            Family { name: $name, kind: Kind::$kind, help: $help };)*

        /// All of them.
        #[cfg(test)]
        pub(super) const ALL: &[Family] = &[$($constant),*];
    };
}

families! {
    BUILD = Info "keystead_build" "The program.";
    INSTANCE = Info "keystead_instance" "Which instance, incarnation and node this is.";
    READY = Gauge "keystead_ready" "1 where /readyz answers 200.";
    READY_FOR_USES = Gauge "keystead_ready_for_uses" "1 where /readyz?for=uses answers 200.";
    NOT_READY = Gauge "keystead_not_ready" "1 for each reason why /readyz answers 503.";
    PROBES = Counter "keystead_probes" "Answered probes; they are no events of the ledger.";
    REQUESTS = Counter "keystead_requests"
        "Answered requests whose sender was proved, by front, operation and outcome.";
    REQUEST_SECONDS = Histogram "keystead_request_duration_seconds"
        "From the proof of the sender until the event is durable and the answer is made.";
    IN_FLIGHT = Gauge "keystead_requests_in_flight" "Requests that are being carried out.";
    UNPROVEN = Counter "keystead_unproven_requests"
        "Requests turned away before anybody was proved to have sent them, by reason.";
    KEY_USES_BEYOND = Counter "keystead_key_uses_beyond_table"
        "Uses of keys that have no counter of their own, because the table is full.";
    SYNC_SECONDS = Histogram "keystead_journal_sync_duration_seconds"
        "How long each sync of the journal took.";
    SYNC_BYTES = Histogram "keystead_journal_group_bytes"
        "How many bytes of events each sync carried: the size of group commits.";
    LEDGER_ENTRIES = Gauge "keystead_ledger_entries" "Entries of this node's ledger on its disk.";
    LEDGER_SHIPPED = Gauge "keystead_ledger_shipped_entries"
        "Entries that enough vaults hold under a signed checkpoint.";
    LEDGER_AGE = Gauge "keystead_ledger_unshipped_age_seconds"
        "For how long at least the oldest entry that is not shipped has waited.";
    AUDIT_RPO = Gauge "keystead_audit_rpo_seconds"
        "Losing this disk loses at most the use events of so many seconds while the vaults answer.";
    CHANGE = Gauge "keystead_change" "The last change that has come so far, by stage.";
    CHANGES_UNVAULTED = Gauge "keystead_changes_unvaulted"
        "Committed changes that too few vaults have confirmed.";
    SEGMENTS_IN_FLIGHT = Gauge "keystead_segments_in_flight"
        "Segments that were built and that too few vaults have confirmed.";
    VAULTS = Gauge "keystead_vaults" "Configured vaults.";
    VAULTS_NEEDED = Gauge "keystead_vaults_needed" "How many of them must confirm a change.";
    VAULT_STATE = Gauge "keystead_vault_state" "1 for the state in which a vault was last found.";
    VAULT_CONFIRMED = Gauge "keystead_vault_confirmed_segment"
        "The last segment that a vault holds with all before it.";
    VAULT_MISSING = Gauge "keystead_vault_missing_segments" "How many segments a vault lacks.";
    VAULT_LEDGER = Gauge "keystead_vault_ledger_entries"
        "Entries of the ledger that a vault holds.";
    VAULT_SEEN = Gauge "keystead_vault_seen_age_seconds" "How long ago a vault last answered.";
    UNSEEN = Gauge "keystead_vaults_unseen_seconds"
        "How long ago enough vaults last showed that no other node took over.";
    UNSEEN_LIMIT = Gauge "keystead_vaults_unseen_limit_seconds"
        "After so long the node answers nothing until it sees them again.";
    FENCED = Gauge "keystead_fenced"
        "1 where this node stopped for good because another took over.";
    FAILURE_DOMAINS = Gauge "keystead_failure_domains"
        "Independent places that hold vaults that answer, the data folder's apart.";
    KEYS = Gauge "keystead_keys" "Keys by state.";
    KITS = Gauge "keystead_kits" "Recovery kits that are not revoked.";
    KIT_PROVEN = Gauge "keystead_kit_proven_timestamp_seconds"
        "When a kit was last seen to open the epoch; 0 where never.";
    PROMISE = Gauge "keystead_promise" "1 for the verdict on each promise, as `status` tells it.";
    CENSUS_AGE = Gauge "keystead_census_age_seconds"
        "How long ago keys, kits, domains and promises were counted.";
    ARENA = Gauge "keystead_arena_bytes" "Locked memory for opened keys.";
    ARENA_USED = Gauge "keystead_arena_used_bytes" "How much of it is taken.";
    ARENA_BLOCKS = Gauge "keystead_arena_blocks" "Opened keys and secrets in it.";
    RESIDENT = Gauge "process_resident_memory_bytes" "Resident memory.";
    OPEN_FDS = Gauge "process_open_fds" "Open file descriptors.";
    MAX_FDS = Gauge "process_max_fds" "How many there may be.";
    STARTED = Gauge "process_start_time_seconds" "When the process started, since 1970.";
    CPU = Counter "process_cpu_seconds" "Processor time in user and system mode.";
}
