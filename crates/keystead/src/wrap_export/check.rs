//! Follows the records of an export, one line after the other.
//!
//! Invariant: what [`ExportCheck::end`] gives was signed under the root, and the lines were records
//! 1 to its count, each chained to the one before. Memory does not grow with the file.

use keystead_archive::WrapStatement;
use keystead_crypto::VerifyingKey;
use keystead_domain::{WrapLog, WrapRecord};

use super::{
    ExportRefused,
    line::{self, Exported, FirstFault},
};

/// How far an export was followed.
#[derive(Debug)]
pub(crate) struct ExportCheck {
    said: WrapStatement,
    log: WrapLog,
    lines: u64,
    gap: Option<Gap>,
}

/// Records that were due and did not come; they may still stand further down.
#[derive(Debug, Clone, Copy)]
struct Gap {
    from: u64,
    to: u64,
    /// What came instead.
    met: u64,
}

impl ExportCheck {
    /// Takes the first line.
    pub(crate) fn begin(line: &[u8], root: &VerifyingKey) -> Result<Self, ExportRefused> {
        let signed = line::read_first(line).map_err(|fault| match fault {
            FirstFault::Malformed(fault) => ExportRefused::Malformed { line: 1, fault },
            FirstFault::Newer(found) => ExportRefused::Newer { found },
        })?;
        let said = WrapStatement::verify(&signed, root)?;
        Ok(Self { log: WrapLog::empty(said.tenant), said, lines: 1, gap: None })
    }

    /// How many records the statement counts.
    pub(crate) fn count(&self) -> u64 {
        self.said.count
    }

    /// The line that `record` has where it comes next.
    pub(crate) fn line_of(&self, record: &WrapRecord) -> Vec<u8> {
        let next = self.log.followed_by(&record.facts);
        line::record_line(record, &next.map_or([0; 32], |log| log.chain))
    }

    /// Takes the next line.
    pub(crate) fn take(&mut self, line: &[u8]) -> Result<(), ExportRefused> {
        self.lines += 1;
        match (&mut self.gap, line::read_record(line)) {
            (None, Ok(exported)) => self.follow(&exported),
            (None, Err(fault)) => Err(ExportRefused::Malformed { line: self.lines, fault }),
            (Some(gap), Ok(exported)) => gap.look(exported.record.facts.sequence),
            (Some(_), Err(_)) => Ok(()),
        }
    }

    /// The file ends inside the next line.
    pub(crate) fn cut(&mut self) -> Result<(), ExportRefused> {
        self.take(b"cut off")
    }

    /// Takes the end.
    pub(crate) fn end(self) -> Result<WrapStatement, ExportRefused> {
        let (count, done) = (self.said.count, self.log.count);
        match self.gap {
            Some(Gap { from, to, .. }) => Err(ExportRefused::Missing { from, to }),
            None if done < count => Err(ExportRefused::Missing { from: done + 1, to: count }),
            None if self.log.chain != self.said.chain => Err(ExportRefused::OtherChain),
            None => Ok(self.said),
        }
    }

    fn follow(&mut self, exported: &Exported) -> Result<(), ExportRefused> {
        let facts = &exported.record.facts;
        let (record, due, count) = (facts.sequence, self.log.count + 1, self.said.count);
        if facts.tenant != self.said.tenant {
            return Err(ExportRefused::OtherTenant { record });
        }
        if record < due {
            return Err(ExportRefused::Twice { record });
        }
        if record > count {
            return Err(ExportRefused::Uncounted { record, count });
        }
        if record > due {
            self.gap = Some(Gap { from: due, to: record - 1, met: record });
            return Ok(());
        }
        let next = self.log.followed_by(facts);
        let next = next.filter(|log| log.chain == exported.chain && exported.names_its_envelope());
        self.log = next.ok_or(ExportRefused::Altered { record })?;
        Ok(())
    }
}

impl Gap {
    fn look(&mut self, record: u64) -> Result<(), ExportRefused> {
        if record == self.from {
            return Err(ExportRefused::OutOfOrder { record, before: self.met });
        }
        if (self.from..=self.to).contains(&record) {
            self.to = record - 1;
        }
        Ok(())
    }
}
