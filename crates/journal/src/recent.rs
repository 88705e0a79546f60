//! The newest leaves in memory: what ships them a second later need not read and check them anew.
//!
//! Invariant: it holds an unbroken run of leaves that ends with the last synced one, and at most
//! [`BYTES`] of them, whole groups apart; a reader whose first leaf has left goes to the disk.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use keystead_ledger::Leaf;

/// How many bytes of leaves are kept: some seconds of a busy node.
const BYTES: usize = 16 << 20;

/// Groups of leaves, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    groups: VecDeque<Group>,
    bytes: usize,
}

/// The leaves of one sync.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    first: u64,
    leaves: Arc<[Leaf]>,
}

impl Recent {
    /// Takes the leaves of a sync in; `first` is the index of the first one.
    pub(crate) fn push(&mut self, first: u64, leaves: Vec<Leaf>) {
        if leaves.is_empty() {
            return;
        }
        self.bytes += len_bytes(&leaves);
        self.groups.push_back(Group { first, leaves: leaves.into() });
        while self.bytes > BYTES && self.groups.len() > 1 {
            let Some(oldest) = self.groups.pop_front() else { break };
            self.bytes -= len_bytes(&oldest.leaves);
        }
    }

    /// The groups that hold these leaves; none where the first of them has left.
    pub(crate) fn holding(&self, wanted: &Range<u64>) -> Option<Vec<Group>> {
        self.groups.front().filter(|oldest| oldest.first <= wanted.start)?;
        let begin = self.groups.partition_point(|group| group.first <= wanted.start) - 1;
        let end = self.groups.partition_point(|group| group.first < wanted.end).max(begin);
        Some(self.groups.range(begin..end).cloned().collect())
    }
}

/// Those of the groups' leaves that are wanted.
pub(crate) fn pick(groups: &[Group], wanted: Range<u64>) -> Vec<Leaf> {
    let numbered = groups.iter().flat_map(|group| (group.first..).zip(group.leaves.iter()));
    let wanted = numbered.filter(|(index, _)| wanted.contains(index));
    wanted.map(|(_, leaf)| leaf.clone()).collect()
}

fn len_bytes(leaves: &[Leaf]) -> usize {
    leaves.iter().map(|leaf| leaf.as_bytes().len()).sum()
}

#[cfg(test)]
mod tests {
    use keystead_ledger::{Act, Attributes, Event, Front, Operation, Outcome, Value};

    use super::*;

    /// A leaf that tells its number, of about `bytes` bytes.
    fn leaf(number: u64, bytes: usize) -> Leaf {
        let said = Value::Clear(vec![b'x'; bytes]);
        let act = Act {
            at: i64::try_from(number).unwrap(),
            request: None,
            tenant: None,
            principal: None,
            front: Front::Job,
            operation: Operation::new("Tested").unwrap(),
            resource: None,
            key_version: None,
            outcome: Outcome::Succeeded,
            source: None,
            attributes: Attributes::new().with("said", &said).unwrap(),
        };
        Event::Node { act }.encode().unwrap()
    }

    fn numbers(recent: &Recent, wanted: Range<u64>) -> Option<Vec<i64>> {
        let leaves = pick(&recent.holding(&wanted)?, wanted);
        Some(leaves.iter().map(|leaf| leaf.event().act().at).collect())
    }

    #[test]
    fn any_range_from_the_oldest_on_is_given_and_nothing_before() {
        let mut recent = Recent::default();
        assert_eq!(numbers(&recent, 0..9), None, "nothing was synced here");
        for (first, count) in [(5, 1), (6, 3), (9, 0), (9, 2)] {
            recent.push(first, (first..first + count).map(|number| leaf(number, 1)).collect());
        }
        for from in 5..11_u64 {
            for to in from..=11 {
                let expected: Vec<i64> = (from..to).map(|n| i64::try_from(n).unwrap()).collect();
                assert_eq!(numbers(&recent, from..to), Some(expected), "{from}..{to}");
            }
        }
        assert_eq!(numbers(&recent, 4..11), None, "the disk has that one");
    }

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let mut recent = Recent::default();
        for first in (0..4800).step_by(16) {
            recent.push(first, (first..first + 16).map(|number| leaf(number, 4_000)).collect());
            assert!(recent.bytes <= BYTES, "{first}");
        }
        assert!(recent.bytes > BYTES / 2, "and no less than it may: {}", recent.bytes);
        assert_eq!(numbers(&recent, 0..1), None, "the oldest have left");
        assert_eq!(numbers(&recent, 4798..4800), Some(vec![4798, 4799]));
    }
}
