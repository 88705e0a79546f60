//! The flags of `audit …`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use keystead_domain::{KeyId, PrincipalId, RequestId, Timestamp};
use keystead_ledger::{Origin, VerifierKey};
use keystead_targets::VaultUrl;

use crate::audit_export::{EventFilter, OutcomeKind};
use crate::cli::values::{RootPublicKey, key_id, request_id};

/// `keystead audit …`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Verify the ledgers in vaults without a server
    ///
    /// Reads every ledger of the instance whole: each against its largest signed checkpoint, each
    /// against what other vaults hold of it and what the one after a restore says of it. Names the
    /// first file or entry that is missing, altered, doubled or out of order, and exits with 7.
    /// Entries that a later ledger knows of and that reached no vault are counted, with a warning.
    /// With --proof or --export it verifies such a file instead, with the root public key alone.
    Verify(AuditVerifyArgs),
    /// List events, verified on the way, without a server
    ///
    /// Shows the newest events that all given filters choose, of all incarnations, oldest first.
    /// Names, addresses and contexts are in the record as keyed hashes, so they are shown as such.
    List(AuditListArgs),
    /// Write events into a file that shows whether one was altered
    ///
    /// One JSON object a line, with checkpoints and certificates; `audit verify --export` checks
    /// it. Without a filter every event of every ledger; with one each event has an inclusion
    /// proof.
    Export(AuditExportArgs),
    /// Prove that one event is in the record
    ///
    /// Writes a file (a C2SP tlog-proof) that `audit verify --proof` checks with nothing but the
    /// root public key. With --since it also proves that the ledger goes on from a checkpoint that
    /// was kept.
    Prove(AuditProveArgs),
    /// Find in its storage's log who was at a vault beside the service
    ///
    /// Reads the Linux audit log, to which a rule over the vault's folder writes. Each program of
    /// each user that is not named as ours is shown, and one event for each thing that it did goes
    /// into the ledger, who it was as a keyed hash. Exits with 8 where there was any.
    Import(AuditImportArgs),
}

/// Where the ledgers lie, and under which key.
#[derive(Debug, Args)]
pub(crate) struct LedgersArgs {
    /// Read this vault (repeatable)
    ///
    /// Of the form dir:///FOLDER or dir:///FOLDER?domain=NAME. Of several, the one that holds most
    /// of a ledger counts for it: a node that was killed had not brought its last second to all.
    #[arg(long = "vault", value_name = "URL", required = true)]
    pub(crate) vaults: Vec<VaultUrl>,

    /// The root public key of the instance, as `init` and `status` print it
    ///
    /// Default: the profile's.
    #[arg(long, value_name = "HEX")]
    pub(crate) root_public_key: Option<RootPublicKey>,
}

/// `keystead audit verify`.
#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArgs {
    /// Read this vault (repeatable)
    ///
    /// Of the form dir:///FOLDER or dir:///FOLDER?domain=NAME. Of several, the one that holds most
    /// of a ledger counts for it: a node that was killed had not brought its last second to all.
    #[arg(long = "vault", value_name = "URL", required_unless_present_any = ["proof", "export"])]
    pub(crate) vaults: Vec<VaultUrl>,

    /// Verify this proof of one event instead of vaults
    #[arg(long, value_name = "FILE", conflicts_with_all = ["vaults", "export"])]
    pub(crate) proof: Option<PathBuf>,

    /// Verify this export instead of vaults
    #[arg(long, value_name = "FILE", conflicts_with = "vaults")]
    pub(crate) export: Option<PathBuf>,

    /// The root public key of the instance, as `init` and `status` print it
    ///
    /// Default: the profile's.
    #[arg(long, value_name = "HEX")]
    pub(crate) root_public_key: Option<RootPublicKey>,

    /// Refuse where this witness has not cosigned the newest ledger, or the proof (repeatable)
    ///
    /// The verifier key, as the witness prints it. Who trusts it knows that nobody was shown
    /// another history up to there.
    #[arg(long = "witness", value_name = "KEY", conflicts_with = "export")]
    pub(crate) witnesses: Vec<VerifierKey>,

    /// Refuse where the ledgers do not contain what this checkpoint covers
    ///
    /// A checkpoint that was copied out of a vault before, and kept where nobody who can write into
    /// the vault can write. Without it a ledger whose end was cut off looks like one that was
    /// shorter. With --proof: refuse where the proof does not go on from it.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
}

/// Which events.
#[derive(Debug, Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// Not before this instant, like 2026-11-22T03:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,

    /// Before this instant
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,

    /// About this key: key_… or the id that AWS clients see
    #[arg(long, value_name = "ID", value_parser = key_id)]
    key: Option<KeyId>,

    /// By this principal: prn_…
    #[arg(long, value_name = "ID")]
    principal: Option<PrincipalId>,

    /// Of this operation, like Encrypt
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,

    /// With this outcome
    #[arg(long, value_name = "OUTCOME", value_enum)]
    outcome: Option<OutcomeKind>,

    /// Of this request: req_… or the id in x-amzn-requestid
    #[arg(long, value_name = "ID", value_parser = request_id)]
    request: Option<RequestId>,
}

impl FilterArgs {
    /// The filter that they make.
    pub(crate) fn filter(&self) -> EventFilter {
        EventFilter {
            from: self.from,
            to: self.to,
            key: self.key,
            principal: self.principal,
            operation: self.operation.clone(),
            outcome: self.outcome,
            request: self.request,
        }
    }
}

/// `keystead audit list`.
#[derive(Debug, Args)]
pub(crate) struct AuditListArgs {
    #[command(flatten)]
    pub(crate) ledgers: LedgersArgs,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    /// Show at most so many, the newest
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: u32,
}

/// `keystead audit export`.
#[derive(Debug, Args)]
pub(crate) struct AuditExportArgs {
    #[command(flatten)]
    pub(crate) ledgers: LedgersArgs,

    #[command(flatten)]
    pub(crate) filter: FilterArgs,

    /// The new file
    ///
    /// Mode 0600. Nothing is ever overwritten.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// `keystead audit prove`.
#[derive(Debug, Args)]
pub(crate) struct AuditProveArgs {
    #[command(flatten)]
    pub(crate) ledgers: LedgersArgs,

    /// The event of this request: req_… or the id in x-amzn-requestid
    #[arg(long, value_name = "ID", value_parser = request_id, required_unless_present = "index")]
    pub(crate) request: Option<RequestId>,

    /// The event at this place in its ledger, as `audit list` shows it
    #[arg(long, value_name = "N", conflicts_with = "request")]
    pub(crate) index: Option<u64>,

    /// The ledger that --index means, where there are several
    #[arg(long, value_name = "ORIGIN", requires = "index")]
    pub(crate) log: Option<Origin>,

    /// Prove that the ledger goes on from this checkpoint, too
    #[arg(long, value_name = "FILE")]
    pub(crate) since: Option<PathBuf>,

    /// The new file, best named ….tlog-proof
    ///
    /// Mode 0600. Nothing is ever overwritten.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

/// `keystead audit import`.
#[derive(Debug, Args)]
pub(crate) struct AuditImportArgs {
    /// Logs, the oldest first; - is standard input (repeatable)
    ///
    /// As auditd writes them, like /var/log/audit/audit.log.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The vault that the rule watches, as `keystead status` shows it
    #[arg(long, value_name = "URL")]
    pub(crate) vault: VaultUrl,

    /// The key of the rule: what `auditctl -k` was given
    #[arg(long, value_name = "KEY", default_value = "keystead-vault")]
    pub(crate) watch_key: String,

    /// The service runs as this user (repeatable)
    ///
    /// Without it every access counts as somebody else's: right where the rule leaves the service
    /// out.
    #[arg(long = "own-uid", value_name = "UID")]
    pub(crate) own_uids: Vec<u32>,

    /// The service is this program (repeatable)
    ///
    /// Of the users that --own-uid names only what this program does is ours.
    #[arg(long = "own-program", value_name = "PATH", requires = "own_uids")]
    pub(crate) own_programs: Vec<String>,

    /// Report each access once over many imports
    ///
    /// Notes how far this import came, and passes over what an earlier one with this file has
    /// read. It is made where it is not there. Where an import fails, the next one reports again.
    #[arg(long, value_name = "FILE")]
    pub(crate) cursor: Option<PathBuf>,
}
