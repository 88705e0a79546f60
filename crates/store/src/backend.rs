//! The `Backend` port: what a database must do for Keystead, and nothing more.
//!
//! Invariant: `commit_seq` is gapless and in commit order; a change id commits at most once; an
//! error that leaves the outcome open is [`CommitFailed::Unknown`], never a retry.

use async_trait::async_trait;
use keystead_crypto::{Body, Material, Sealed};
use keystead_domain::{ChangeId, Kind, TenantId, VersionId};
use thiserror::Error;

use crate::{AggregateRef, ChangeSet, Index};

/// An aggregate as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Which.
    pub aggregate: AggregateRef,
    /// Who owns it.
    pub tenant: TenantId,
    /// Its revision; the first is 1.
    pub revision: u64,
    /// The commit that wrote this revision.
    pub commit_seq: u64,
    /// Its sealed body.
    pub body: Sealed<Body>,
}

/// Where a change stands in the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Committed {
    /// Its place; the first is 1.
    pub commit_seq: u64,
}

/// A committed change with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedChange {
    /// Its place.
    pub commit_seq: u64,
    /// The change; `materials` is empty, since those rows are local.
    pub set: ChangeSet,
}

/// Which aggregates to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// All of a kind, in order of id.
    Kind {
        /// The kind.
        kind: Kind,
        /// Start behind this id.
        after: Option<[u8; 16]>,
        /// How many at most.
        limit: usize,
    },
    /// Those whose entry in `index` begins with `prefix`, in order of the entry.
    Index {
        /// The index.
        index: Index,
        /// The beginning of the value.
        prefix: Vec<u8>,
        /// Start behind this value.
        after: Option<Vec<u8>>,
        /// How many at most.
        limit: usize,
    },
}

/// Why the store gave no answer.
#[derive(Debug, Error)]
pub enum StoreFailed {
    /// The database cannot be reached or asked at present.
    #[error("the database does not answer")]
    Unavailable {
        /// What it said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk under the database is full.
    #[error("the disk under the database is full")]
    Full,
    /// A row holds what no writer of ours writes.
    #[error("table `{table}`, row {row}: column `{column}` is corrupt")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row's key, as text.
        row: String,
        /// The column.
        column: &'static str,
    },
    /// The database was written by a newer program.
    #[error(
        "the database has schema version {found}; keystead {} reads up to {known}: use a newer one",
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
}

/// Why a commit did not succeed.
#[derive(Debug, Error)]
pub enum CommitFailed {
    /// Something that the decision rests on has changed.
    #[error("`{kind}` changed since it was read")]
    Conflict {
        /// Kind of the aggregate that differs.
        kind: Kind,
    },
    /// It may or may not have been committed: ask [`Backend::outcome`].
    #[error("whether the change was committed is not known")]
    Unknown,
    /// It was not committed.
    #[error("the change was not committed")]
    Failed(#[from] StoreFailed),
}

/// A database.
#[async_trait]
pub trait Backend: Send + Sync + std::fmt::Debug {
    /// Reads aggregates, `None` where one is absent, in the order asked, from one snapshot.
    async fn load(&self, wanted: &[AggregateRef]) -> Result<Vec<Option<Stored>>, StoreFailed>;

    /// Lists aggregates from one snapshot.
    async fn scan(&self, scan: Scan) -> Result<Vec<Stored>, StoreFailed>;

    /// Reads the sealed material of a version.
    async fn material(&self, version: VersionId) -> Result<Option<Sealed<Material>>, StoreFailed>;

    /// Commits a change whole, durably, or not at all. All that it expects is compared with the
    /// state before it; one that writes an aggregate twice is a conflict. A change whose id was
    /// committed before, whatever is in it now, is answered with its place and changes nothing.
    async fn commit(&self, set: ChangeSet) -> Result<Committed, CommitFailed>;

    /// Where the change with this id was committed, if it was. After [`CommitFailed::Unknown`] was
    /// answered, `None` means that it surely was not and will not be, until it is tried again.
    async fn outcome(&self, id: ChangeId) -> Result<Option<Committed>, StoreFailed>;

    /// Committed changes after `seq` in order, at most `limit`.
    async fn changes_after(
        &self,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<CommittedChange>, StoreFailed>;

    /// The last `commit_seq`; 0 where nothing was committed.
    async fn head(&self) -> Result<u64, StoreFailed>;
}
