//! Follows an export, one line after the other.
//!
//! Invariant: what [`ExportCheck::end`] gives was signed under the root by the nodes whose logs
//! they are, and each event was in its log. Memory does not grow with the file.

use keystead_crypto::VerifyingKey;
use keystead_ledger::{Checkpoint, CompactRange, Head, Leaf, Note, verify_inclusion};
use keystead_service::logs::signed_checkpoint;

use super::{
    ExportRefused, Extent,
    line::{self, EventLine, FORMAT, First, Last, Lead, LogLine, VERSION},
    shown,
};
use crate::wrap_export::base64;

/// What an export was found to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) extent: Extent,
    pub(crate) events: u64,
    pub(crate) logs: Vec<Head>,
}

/// How far an export was followed.
#[derive(Debug)]
pub(crate) struct ExportCheck {
    root: VerifyingKey,
    kept: Option<Checkpoint>,
    lines: u64,
    state: State,
    logs_due: u64,
    checked: Checked,
}

#[derive(Debug)]
enum State {
    Before,
    Between,
    In(Box<InLog>),
    Ended,
}

/// A log whose events are coming.
#[derive(Debug)]
struct InLog {
    head: Head,
    /// How many are announced.
    events: u64,
    came: u64,
    /// The least index that may come.
    next: u64,
    tree: CompactRange,
}

impl ExportCheck {
    /// Before the first line.
    pub(crate) fn begin(root: &VerifyingKey, kept: Option<&[u8]>) -> Result<Self, ExportRefused> {
        let parse = |bytes| {
            let note = Note::parse(bytes).ok()?;
            Checkpoint::parse(note.text()).ok()
        };
        let kept =
            kept.map(|bytes| parse(bytes).ok_or(ExportRefused::KeptMalformed)).transpose()?;
        let checked = Checked { extent: Extent::Chosen, events: 0, logs: Vec::new() };
        Ok(Self { root: *root, kept, lines: 0, state: State::Before, logs_due: 0, checked })
    }

    /// Takes the next line, without its end.
    pub(crate) fn take(&mut self, line: &[u8]) -> Result<(), ExportRefused> {
        self.lines += 1;
        match &self.state {
            State::Before => self.take_first(line),
            State::In(log) if log.came < log.events => self.take_event(line),
            State::In(_) | State::Between => self.take_log_or_last(line),
            State::Ended => Err(self.malformed("a line behind the last one")),
        }
    }

    /// The file ends inside the next line, or that is too long.
    pub(crate) fn cut(&mut self) -> ExportRefused {
        self.lines += 1;
        self.malformed("cut off, or longer than 1 MiB")
    }

    /// Takes the end of the file.
    pub(crate) fn end(self) -> Result<Checked, ExportRefused> {
        match (self.state, self.kept) {
            (State::Ended, None) => Ok(self.checked),
            (State::Ended, Some(_)) => Err(ExportRefused::KeptUnknown),
            _ => Err(ExportRefused::Cut { lines: self.lines }),
        }
    }

    fn take_first(&mut self, line: &[u8]) -> Result<(), ExportRefused> {
        let lead: Lead = line::object(line).map_err(|fault| self.malformed(fault))?;
        match (lead.format.as_str(), lead.version) {
            (FORMAT, VERSION) => {}
            (FORMAT, found) if found > VERSION => return Err(ExportRefused::Newer { found }),
            _ => return Err(self.malformed("another format")),
        }
        let first: First = line::object(line).map_err(|fault| self.malformed(fault))?;
        self.same(line, &first)?;
        self.checked.extent = if first.whole { Extent::Whole } else { Extent::Chosen };
        (self.logs_due, self.state) = (first.logs, State::Between);
        Ok(())
    }

    fn take_log_or_last(&mut self, line: &[u8]) -> Result<(), ExportRefused> {
        self.finish_log()?;
        if self.checked.logs.len() as u64 == self.logs_due {
            let last: Last = line::object(line).map_err(|fault| self.malformed(fault))?;
            self.same(line, &last)?;
            if !last.end || last.events != self.checked.events {
                return Err(self.malformed("another number of events"));
            }
            self.state = State::Ended;
            return Ok(());
        }
        let log: LogLine = line::object(line).map_err(|fault| self.malformed(fault))?;
        self.same(line, &log)?;
        let certificate = base64(&log.certificate);
        let certificate = certificate.ok_or_else(|| self.malformed("`certificate`"))?;
        let signed = |refused| ExportRefused::Signed { line: self.lines, refused };
        let note = Note::parse(log.checkpoint.as_bytes()).map_err(|bad| signed(bad.into()))?;
        let checkpoint = signed_checkpoint(&note, &certificate, &self.root).map_err(signed)?;
        let head = checkpoint.head().clone();
        let known = self.checked.logs.iter().any(|known| known.origin == head.origin);
        let whole = self.checked.extent == Extent::Whole;
        if known || log.log != head.origin.as_str() || log.entries != head.size {
            return Err(self.malformed("`log` or `entries`"));
        }
        if whole && log.events != head.size {
            return Err(self.malformed("`events`"));
        }
        let (events, tree) = (log.events, CompactRange::new());
        self.state = State::In(Box::new(InLog { head, events, came: 0, next: 0, tree }));
        self.compare_kept()
    }

    fn take_event(&mut self, line: &[u8]) -> Result<(), ExportRefused> {
        let event: EventLine = line::object(line).map_err(|fault| self.malformed(fault))?;
        let leaf = base64(&event.leaf).and_then(|bytes| Leaf::from_bytes(bytes).ok());
        let leaf = leaf.ok_or_else(|| self.malformed("`leaf`"))?;
        let proof = event.proof.as_deref().map(line::hashes).transpose();
        let proof = proof.map_err(|fault| self.malformed(fault))?;
        let index = event.index;
        let whole = self.checked.extent == Extent::Whole;
        if whole != proof.is_none() {
            return Err(self.malformed("`proof`"));
        }
        let State::In(log) = &mut self.state else { return Ok(()) };
        let origin = log.head.origin.clone();
        if index < log.next || whole && index != log.next {
            return Err(ExportRefused::OutOfOrder { log: origin, due: log.next, found: index });
        }
        match &proof {
            None => log.tree.push(leaf.hash()),
            Some(proof) => {
                let Head { size, root, .. } = &log.head;
                let shown = verify_inclusion(&leaf.hash(), index, *size, root, proof);
                let failed =
                    |refused| ExportRefused::Inclusion { log: origin.clone(), index, refused };
                shown.map_err(failed)?;
            }
        }
        (log.came, log.next) = (log.came + 1, index + 1);
        let is_same =
            serde_json::to_value(shown(&leaf.event())).is_ok_and(|own| own == event.event);
        if !is_same {
            return Err(ExportRefused::OtherEvent { log: origin, index });
        }
        if line::event_line(index, &leaf, proof.as_deref()).trim_ascii_end() != line {
            return Err(self.malformed("another form"));
        }
        self.checked.events += 1;
        self.compare_kept()
    }

    /// What was kept, where the log has come so far.
    fn compare_kept(&mut self) -> Result<(), ExportRefused> {
        let (State::In(log), Some(kept)) = (&self.state, &self.kept) else { return Ok(()) };
        let whole = self.checked.extent == Extent::Whole;
        if whole && *kept.origin() == log.head.origin && kept.size() == log.tree.size() {
            let (origin, size) = (kept.origin().clone(), kept.size());
            if log.tree.root() != *kept.root() {
                return Err(ExportRefused::Rewritten { log: origin, size });
            }
            self.kept = None;
        }
        Ok(())
    }

    fn finish_log(&mut self) -> Result<(), ExportRefused> {
        let State::In(log) = std::mem::replace(&mut self.state, State::Between) else {
            return Ok(());
        };
        let (origin, entries) = (log.head.origin.clone(), log.head.size);
        if self.checked.extent == Extent::Whole && log.tree.root() != log.head.root {
            return Err(ExportRefused::OtherRoot { log: origin, entries });
        }
        self.checked.logs.push(log.head);
        Ok(())
    }

    /// A line is refused in any other form than the one that is written.
    fn same(&self, line: &[u8], read: &impl serde::Serialize) -> Result<(), ExportRefused> {
        match line::written(read).trim_ascii_end() == line {
            true => Ok(()),
            false => Err(self.malformed("another form")),
        }
    }

    fn malformed(&self, fault: &'static str) -> ExportRefused {
        ExportRefused::Malformed { line: self.lines, fault }
    }
}
