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

    /// The groups that hold the leaves from `from` on; none where the first of them has left.
    pub(crate) fn from(&self, from: u64) -> Option<Vec<Group>> {
        self.groups.front().filter(|oldest| oldest.first <= from)?;
        let behind = self.groups.partition_point(|group| group.first <= from);
        Some(self.groups.range(behind - 1..).cloned().collect())
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
