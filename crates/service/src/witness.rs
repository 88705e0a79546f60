//! A witness: cosigns the checkpoints of logs that it was told of, each once it follows from the
//! last (C2SP tlog-witness).
//!
//! Invariant: a cosignature leaves only after the head that it is for was written down; where it is
//! not known whether that was, nothing is cosigned before the file was read again. So no crash and
//! no failed write makes it cosign two histories, or a smaller tree.

mod files;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use keystead_crypto::{Entropy, NoteKey};
use keystead_journal::{Disk, DiskFailed};
use keystead_ledger::{
    AddCheckpoint, Checkpoint, Head, KeyName, KeyType, Origin, VerifierKey, WitnessRefused,
    witnessed,
};
use thiserror::Error;

use crate::Clock;
pub(crate) use files::State;
use files::state_file;

/// Why a witness cannot begin.
#[derive(Debug, Error)]
pub enum WitnessUnusable {
    /// Its folder.
    #[error(transparent)]
    Disk(#[from] DiskFailed),
    /// Its file is not what it wrote.
    #[error("`{file}` is damaged: what was cosigned before is not known")]
    Damaged {
        /// Which file.
        file: &'static str,
    },
    /// The folder belongs to a witness of another name.
    #[error("the folder is that of the witness `{there}`: one key never serves two names")]
    OtherName {
        /// Whose it is.
        there: KeyName,
    },
    /// A key of a log that is none.
    #[error("`{key}` is the key of a witness, and not of a log")]
    NotALog {
        /// Which.
        key: VerifierKey,
    },
}

/// What a witness answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Of what type the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// A witness with its memory.
#[derive(Debug)]
pub struct WitnessBook {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    name: KeyName,
    key: NoteKey,
    logs: Vec<VerifierKey>,
    /// The last head of each log that was cosigned; unknown after a write that failed.
    latest: Mutex<Option<BTreeMap<Origin, Head>>>,
}

impl WitnessBook {
    /// The witness in a folder; a new one where the folder is empty.
    ///
    /// # Errors
    /// [`WitnessUnusable`].
    pub fn open(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        entropy: &Entropy,
        name: KeyName,
        logs: Vec<VerifierKey>,
    ) -> Result<Self, WitnessUnusable> {
        if let Some(key) = logs.iter().find(|key| key.key_type() != KeyType::Log) {
            return Err(WitnessUnusable::NotALog { key: key.clone() });
        }
        let state = match disk.read(&state_file())? {
            Some(bytes) => {
                State::decode(&bytes).ok_or(WitnessUnusable::Damaged { file: "state" })?
            }
            None => {
                let new = State::new(name.clone(), entropy);
                disk.replace(&state_file(), &new.encode())?;
                new
            }
        };
        if state.name != name {
            return Err(WitnessUnusable::OtherName { there: state.name });
        }
        let (key, latest) = (NoteKey::from_seed(state.seed), Mutex::new(Some(state.latest)));
        Ok(Self { disk, clock, name, key, logs, latest })
    }

    /// Under which its cosignatures verify.
    #[must_use]
    pub fn key(&self) -> VerifierKey {
        VerifierKey::new(self.name.clone(), KeyType::Witness, self.key.public())
    }

    /// Answers an `add-checkpoint`.
    #[must_use]
    pub fn add_checkpoint(&self, body: &[u8]) -> WitnessAnswer {
        match self.cosigned(body) {
            Ok(line) => answer(200, line),
            Err(Refused::By(refused)) => refusal(&refused),
            Err(Refused::Disk(failed)) => {
                tracing::error!(%failed, "nothing is cosigned: the state could not be written");
                answer(503, "the witness cannot write its state\n".to_owned())
            }
        }
    }

    fn cosigned(&self, body: &[u8]) -> Result<String, Refused> {
        let asked = AddCheckpoint::parse(body)?;
        // Held from the comparison to the write, so that no other request comes between them.
        let held = &mut *self.latest.lock().expect("no code panics while it holds this lock");
        let mut latest = match held.take() {
            Some(latest) => latest,
            None => self.read_again()?,
        };
        let decided = witnessed(&asked, &self.logs, |origin| latest.get(origin).cloned());
        let checkpoint = match decided {
            Ok(checkpoint) => checkpoint,
            Err(refused) => {
                *held = Some(latest);
                return Err(refused.into());
            }
        };
        let head = checkpoint.head().clone();
        if latest.get(&head.origin) != Some(&head) {
            latest.insert(head.origin.clone(), head);
            // Where this fails nobody knows which state the file has: the next request reads it.
            self.write(&latest)?;
        }
        *held = Some(latest);
        Ok(self.line(&checkpoint))
    }

    fn line(&self, checkpoint: &Checkpoint) -> String {
        let now_s = u64::try_from(self.clock.now().as_micros() / 1_000_000).unwrap_or(0);
        let line = checkpoint.cosign(self.name.clone(), &self.key, now_s);
        format!("{}\n", line.expect("a clock's seconds are below 2^63"))
    }

    fn read_again(&self) -> Result<BTreeMap<Origin, Head>, Refused> {
        let bytes = self.disk.read(&state_file())?.unwrap_or_default();
        let state = State::decode(&bytes).ok_or_else(|| DiskFailed::Failed {
            op: keystead_journal::DiskOp::Read,
            file: "state".into(),
            source: std::io::ErrorKind::InvalidData.into(),
        })?;
        Ok(state.latest)
    }

    fn write(&self, latest: &BTreeMap<Origin, Head>) -> Result<(), DiskFailed> {
        let state = State {
            name: self.name.clone(),
            seed: self.key.seed().expose(|seed| {
                keystead_crypto::Secret::from_slice(seed).expect("a seed has 32 bytes")
            }),
            latest: latest.clone(),
        };
        self.disk.replace(&state_file(), &state.encode())
    }
}

/// Why nothing is cosigned.
enum Refused {
    By(WitnessRefused),
    Disk(DiskFailed),
}

impl From<WitnessRefused> for Refused {
    fn from(refused: WitnessRefused) -> Self {
        Self::By(refused)
    }
}

impl From<DiskFailed> for Refused {
    fn from(failed: DiskFailed) -> Self {
        Self::Disk(failed)
    }
}

fn refusal(refused: &WitnessRefused) -> WitnessAnswer {
    let status = match refused {
        WitnessRefused::Malformed { .. }
        | WitnessRefused::Note(_)
        | WitnessRefused::Checkpoint(_)
        | WitnessRefused::Shrunk { .. } => 400,
        WitnessRefused::UnknownOrigin { .. } => 404,
        WitnessRefused::NotSigned => 403,
        WitnessRefused::Proof(_) => 422,
        WitnessRefused::Conflict { latest } | WitnessRefused::OtherRoot { latest } => {
            let body = format!("{latest}\n");
            return WitnessAnswer { status: 409, content_type: "text/x.tlog.size", body };
        }
    };
    answer(status, format!("{refused}\n"))
}

fn answer(status: u16, body: String) -> WitnessAnswer {
    WitnessAnswer { status, content_type: "text/plain; charset=utf-8", body }
}
