//! Applies one script of commands to two backends and demands equal answers and equal content.
//!
//! Invariant: any numbers are a script, so a property test of any crate can draw and shrink them;
//! few aggregates, values and versions exist, so that commands meet.

use keystead_domain::Kind;

use super::{
    dump::{VERSIONS, dump},
    must,
    sample::{aggregate, delete, guard, id, material, put, set, version},
};
use crate::{
    AggregateRef, Backend, ChangeSet, CommitFailed, Committed, Expected, FollowUp, Index,
    IndexEntry, Put, Scan,
};

/// A command as numbers: what to do, to which aggregate, with which value, and what follows. The
/// low bits of the last say whether it joins the change of the next command.
pub type Step = [u8; 4];

/// Applies the script to both.
///
/// # Panics
/// Where an answer or, at the end, the content differs.
pub async fn compare(one: &dyn Backend, other: &dyn Backend, script: &[Step]) {
    let mut next = set();
    let mut last = None;
    for step in script {
        add(one, &mut next, *step).await;
        if step[3] % 3 != 0 {
            let set = std::mem::replace(&mut next, set());
            last = Some(set.clone());
            same_commit(one, other, set).await;
        }
        if step[3] % 7 == 0
            && let Some(again) = last.clone()
        {
            same_commit(one, other, again).await;
        }
        same_lists(one, other, *step).await;
    }
    same_commit(one, other, next).await;
    assert_eq!(dump(one).await, dump(other).await, "the content differs");
}

/// Adds what the step says; two of three rest on the state that is there.
async fn add(backend: &dyn Backend, set: &mut ChangeSet, [verb, place, value, _]: Step) {
    let kind = if place & 1 == 0 { Kind::Key } else { Kind::WrapRecord };
    let of = aggregate(kind, u64::from(place >> 1 & 3));
    let expected = expected(backend, of, value).await;
    match verb % 8 {
        0..=3 => set.puts.push(Put { index: entries(verb, value), ..put(of, expected) }),
        4 => set.deletes.push(delete(of, expected.next() - 1)),
        5 => set.guards.push(guard(of, expected)),
        6 if place & 0x40 != 0 => set.erase.push(version(u64::from(value) % VERSIONS)),
        6 => set.materials.push(material(u64::from(value) % VERSIONS, &[value])),
        _ => {
            set.events.push(vec![value; usize::from(place)]);
            set.jobs.push(FollowUp { job: format!("job-{value}"), argument: vec![place] });
        }
    }
}

async fn expected(backend: &dyn Backend, of: AggregateRef, value: u8) -> Expected {
    let found = must(backend.load(&[of]).await).pop().flatten();
    match (value % 16, found) {
        (1, _) => Expected::Revision(2),
        (0, _) | (_, None) => Expected::Absent,
        (_, Some(stored)) => Expected::Revision(stored.revision),
    }
}

/// None, one or two entries of few values.
fn entries(verb: u8, value: u8) -> Vec<IndexEntry> {
    let entry = |shift: u8| {
        let index = Index::ALL[usize::from(value >> shift) % Index::ALL.len()];
        IndexEntry { index, value: vec![value >> shift & 3; usize::from(value & 3)] }
    };
    match verb % 8 {
        0 => Vec::new(),
        1 | 2 => vec![entry(2)],
        _ => vec![entry(2), entry(4)],
    }
}

async fn same_commit(one: &dyn Backend, other: &dyn Backend, set: ChangeSet) {
    let id = set.id;
    let answers = [one.commit(set.clone()).await, other.commit(set).await].map(known);
    assert_eq!(answers[0], answers[1], "the answers to a commit differ");
    assert_eq!(must(one.outcome(id).await), must(other.outcome(id).await));
}

fn known(answer: Result<Committed, CommitFailed>) -> Result<Committed, Kind> {
    match answer {
        Ok(committed) => Ok(committed),
        Err(CommitFailed::Conflict { kind }) => Err(kind),
        Err(failed) => panic!("a healthy store failed: {failed:?}"),
    }
}

async fn same_lists(one: &dyn Backend, other: &dyn Backend, [verb, place, value, _]: Step) {
    let limit = usize::from(value % 4);
    let after = (verb & 8 == 0).then(|| id(u64::from(place % 4)));
    let by_kind = Scan::Kind { kind: Kind::Key, after, limit };
    let index = Index::ALL[usize::from(place) % Index::ALL.len()];
    let after = (verb & 16 == 0).then(|| vec![value & 3]);
    let prefix = vec![value & 3; usize::from(place & 1)];
    for scan in [by_kind, Scan::Index { index, prefix, after, limit }] {
        assert_eq!(must(one.scan(scan.clone()).await), must(other.scan(scan).await));
    }
    let seq = u64::from(place % 16);
    let log = must(one.changes_after(seq, limit).await);
    assert_eq!(log, must(other.changes_after(seq, limit).await));
}
