//! What every backend must do: one suite that each backend, here and in other crates, passes.
//!
//! Invariant: the suite uses nothing but the port, so a backend that passes can replace any other.
//! Each check gets a fresh, empty database. [`run`] is the suite of named checks; [`compare`] takes
//! random scripts and demands that two backends answer alike.

mod commits;
mod concurrency;
mod dump;
mod indexes;
mod log;
pub mod sample;
mod scans;
mod script;
mod sizes;

use std::sync::Arc;

use keystead_domain::Kind;

pub use script::{Step, compare};

use crate::{Backend, ChangeSet, CommitFailed, Committed};
use dump::dump;

/// Runs every check. `make` gives a new empty database, `open` opens one: the suite calls it again
/// after it has dropped the backend of before, and expects to find everything.
///
/// # Panics
/// At the first promise that the backend breaks.
pub async fn run<D>(make: impl AsyncFn() -> D, open: impl AsyncFn(&D) -> Arc<dyn Backend>) {
    macro_rules! checks {
        ($($topic:ident: $($check:ident)*;)*) => {$($({
            let database = make().await;
            $topic::$check(&*open(&database).await).await;
        })*)*};
    }
    checks! {
        commits: an_empty_database_has_nothing
            what_was_put_is_loaded_in_the_order_asked
            a_later_put_replaces_what_was_there
            a_put_on_another_state_is_refused
            a_delete_needs_the_revision_that_is_there
            a_deleted_aggregate_begins_anew
            a_guard_that_does_not_hold_refuses_the_change
            a_guard_looks_at_the_state_before_the_change
            one_conflict_refuses_the_whole_change
            an_aggregate_written_twice_is_refused
            the_same_change_again_changes_nothing
            a_refused_change_may_be_mended_under_its_id;
        indexes: a_value_has_one_holder
            a_put_replaces_its_entries
            a_delete_frees_its_values
            values_move_within_one_change
            two_puts_of_one_change_cannot_share_a_value
            an_entry_named_twice_counts_once;
        scans: a_kind_is_listed_in_order_of_id
            each_index_is_listed_in_order_of_value
            prefixes_are_bytes;
        log: the_log_holds_what_was_committed
            the_log_is_read_in_parts
            the_outcome_of_each_change_is_known
            materials_are_rows_beside_the_log
            an_erased_material_is_gone_and_its_erasure_is_logged;
        sizes: a_thousand_aggregates_fit_into_one_change
            a_body_of_a_mebibyte_comes_back;
        concurrency: committers_get_gapless_places
            no_update_is_lost
            readers_see_whole_changes;
    }
    let database = make().await;
    let before = log::filled(&*open(&database).await).await;
    log::all_is_there(&*open(&database).await, before).await;
}

/// Commits what must succeed.
async fn commit(backend: &dyn Backend, set: ChangeSet) -> Committed {
    let answer = backend.commit(set).await;
    answer.unwrap_or_else(|failed| panic!("a lawful change was refused: {failed:?}"))
}

/// Commits what must be refused for an aggregate of this kind, and looks whether it left a trace.
async fn refused(backend: &dyn Backend, set: ChangeSet, kind: Kind) {
    let before = dump(backend).await;
    let id = set.id;
    let answer = backend.commit(set).await;
    let Err(CommitFailed::Conflict { kind: found }) = answer else {
        panic!("a change that conflicts was answered by {answer:?}");
    };
    assert_eq!(found, kind, "the conflict names the kind that differs");
    assert_eq!(must(backend.outcome(id).await), None, "a refused change has no place");
    assert_eq!(dump(backend).await, before, "a refused change leaves no trace");
}

/// What the store must answer.
fn must<T>(answer: Result<T, crate::StoreFailed>) -> T {
    answer.unwrap_or_else(|failed| panic!("the store gave no answer: {failed:?}"))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{FaultPlan, FaultyBackend, MemoryBackend, wait};

    #[test]
    fn the_memory_backend_conforms() {
        wait(run(async || MemoryBackend::new(), async |database| Arc::new(database.clone()) as _));
    }

    #[test]
    fn the_faulty_wrapper_conforms_while_nothing_is_planned() {
        wait(run(
            async || MemoryBackend::new(),
            async |database| Arc::new(FaultyBackend::new(database.clone(), FaultPlan::none())) as _,
        ));
    }

    proptest! {
        #[test]
        fn two_memory_backends_answer_any_script_alike(script in vec(any::<Step>(), 0..60)) {
            wait(compare(&MemoryBackend::new(), &MemoryBackend::new(), &script));
        }
    }
}
