//! Level 3, the part of the server: a custodian opens the backups with a kit, and shows by the keys
//! that came out of them that they are the running ones.
//!
//! Invariant: no key and no material crosses the wire: the server hands out tasks that only the
//! holder of each key can do, and checks the answers with the running key. A drill counts only
//! where the kit opened the epoch in force and every task was done.

use std::{collections::BTreeMap, sync::Arc};

use keystead_crypto::hash::same;
use keystead_domain::{KeyId, KeyState, Kit, KitId, VersionId};

use crate::{
    Cx, Error, Fault, KitChallenge, Service,
    audit::said,
    commit::Made,
    door::Recorded,
    keyring::{KeyEntry, Snapshot, open_apart},
    kits::Purpose,
    proofs::Task,
};

/// How many versions a drill exercises at most.
const TASKS_MAX: usize = 100;

/// What a drill begins with.
#[derive(Debug, Clone)]
pub struct DrillChallenge {
    /// What only the kit opens.
    pub challenge: KitChallenge,
    /// What only recovered keys do: at most a hundred, drawn at random.
    pub tasks: Vec<DrillTask>,
}

/// One task: decrypt a ciphertext, sign a message, or make its MAC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillTask {
    /// Which key.
    pub key: KeyId,
    /// Which version of it.
    pub version: VersionId,
    /// The ciphertext or message.
    pub given: Vec<u8>,
}

/// A task that was handed out, with what checks its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GivenTask {
    key: KeyId,
    version: VersionId,
    task: Task,
}

/// What the custodian's client came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillAnswer {
    /// Which kit.
    pub kit: KitId,
    /// The challenge that was opened.
    pub challenge: [u8; 32],
    /// What was in it.
    pub answer: [u8; 32],
    /// The answers to the tasks.
    pub answers: Vec<(VersionId, Vec<u8>)>,
    /// How long the way back took, in milliseconds, as the client measured it.
    pub took_ms: u64,
}

/// A drill that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillProved {
    /// The kit, as the inventory has it now.
    pub kit: Kit,
    /// How many recovered keys did what the running ones do.
    pub exercised: usize,
}

impl Service {
    /// Hands out the tasks of a drill.
    pub async fn challenge_drill(
        self: &Arc<Self>,
        cx: Cx,
        kit: KitId,
    ) -> Recorded<Result<DrillChallenge, Error>> {
        self.kit_act(cx, "ChallengeDrill", move |service, _| async move {
            let given = service.draw_tasks().await?;
            let shown = |of: &GivenTask| DrillTask {
                key: of.key,
                version: of.version,
                given: of.task.given.clone(),
            };
            let tasks = given.iter().map(shown).collect();
            Ok(DrillChallenge { challenge: service.drill_challenge(kit, given).await?, tasks })
        })
        .await
    }

    /// Takes the answers of a drill.
    pub async fn prove_drill(
        self: &Arc<Self>,
        cx: Cx,
        command: DrillAnswer,
    ) -> Recorded<Result<DrillProved, Error>> {
        self.kit_change(cx, "ProveDrill", |service, cx| async move {
            service.drilled(&cx, &command).await
        })
        .await
    }

    async fn drilled(&self, cx: &Cx, command: &DrillAnswer) -> Result<(Made, DrillProved), Error> {
        let Some(Purpose::Drill { kit, epoch, answer, tasks }) =
            self.challenges.take(&command.challenge)
        else {
            return Err(Fault::KitProof.into());
        };
        if kit != command.kit || !same(&answer, &command.answer) {
            return Err(Fault::KitProof.into());
        }
        let snapshot = self.keyring.snapshot();
        let mut undone = Vec::new();
        for given in &tasks {
            if !self.is_done(&snapshot, given, command).await? {
                undone.push(format!("{} of {}", given.version, given.key));
            }
        }
        if !undone.is_empty() {
            let message = format!("not what the running key answers: {}", undone.join(", "));
            return Err(Fault::Field { field: "answers", message }.into());
        }
        let exercised = tasks.len();
        let said = said(&[
            ("kit", &kit.to_string()),
            ("epoch", &epoch.to_string()),
            ("exercised", &exercised.to_string()),
            ("took-ms", &command.took_ms.to_string()),
        ]);
        let (made, kit) = self.note_proof(cx, (kit, epoch), "ProveDrill", said).await?;
        Ok((made, DrillProved { kit, exercised }))
    }

    async fn is_done(
        &self,
        snapshot: &Snapshot,
        given: &GivenTask,
        command: &DrillAnswer,
    ) -> Result<bool, Error> {
        let answer = command.answers.iter().find(|(version, _)| *version == given.version);
        let entry = snapshot.keys().get(&given.key);
        Ok(match (answer, entry) {
            (_, None) => true,
            // It was destroyed meanwhile.
            (_, Some(entry)) if is_destroyed(entry) => true,
            (None, Some(_)) => false,
            (Some((_, answer)), Some(entry)) => {
                let (store, version) = (&*self.ports.store, given.version);
                let key = open_apart(store, &self.tenants, entry, version).await?;
                key.is_some_and(|key| given.task.is_done(&key, answer))
            }
        })
    }

    /// Tasks for versions that are drawn at random, each at most once.
    async fn draw_tasks(&self) -> Result<Vec<GivenTask>, Error> {
        let (entropy, store) = (&self.ports.entropy, &*self.ports.store);
        let mut given = Vec::new();
        for (version, entry) in self.draw_versions() {
            if let Some(opened) = open_apart(store, &self.tenants, &entry, version).await? {
                let task = Task::new(entropy, entry.tenant(), &opened);
                given.push(GivenTask { key: entry.id, version, task });
            }
        }
        Ok(given)
    }

    /// Of few keys each is drawn for sure; of many, as many as a drill takes.
    fn draw_versions(&self) -> Vec<(VersionId, Arc<KeyEntry>)> {
        let snapshot = self.keyring.snapshot();
        let few: Vec<_> = snapshot.keys().values().take(TASKS_MAX + 1).cloned().collect();
        let draw = || {
            let from = KeyId::random(&self.ports.entropy);
            let behind = snapshot.keys().range(from..).next();
            behind.or_else(|| snapshot.keys().iter().next()).map(|(_, entry)| entry.clone())
        };
        let entries: Vec<_> = match few.len() <= TASKS_MAX {
            true => few,
            false => (0..TASKS_MAX).filter_map(|_| draw()).collect(),
        };
        let mut drawn = BTreeMap::new();
        for entry in entries.iter().filter(|entry| !is_destroyed(entry)) {
            drawn.extend(entry.versions().map(|version| (version, entry.clone())));
        }
        drawn.into_iter().take(TASKS_MAX).collect()
    }
}

fn is_destroyed(entry: &KeyEntry) -> bool {
    matches!(entry.state, KeyState::Destroyed { .. })
}
