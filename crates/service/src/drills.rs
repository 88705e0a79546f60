//! Level 3, the part of the server: a custodian opens the backups with a kit, and shows by the keys
//! that came out of them that they are the running ones.
//!
//! Invariant: no key and no material crosses the wire: the server hands out tasks that only the
//! holder of each key can do, and checks the answers with the running key. A drill counts only where
//! the kit opened the epoch in force and every task was done.

use std::sync::Arc;

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
            let given = service.draw_tasks();
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
        let undone = tasks.iter().filter(|given| !self.is_done(&snapshot, given, command));
        let undone: Vec<String> =
            undone.map(|given| format!("{} of {}", given.version, given.key)).collect();
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

    fn is_done(&self, snapshot: &Snapshot, given: &GivenTask, command: &DrillAnswer) -> bool {
        let answer = command.answers.iter().find(|(version, _)| *version == given.version);
        let entry = snapshot.keys.get(&given.key);
        match (answer, entry) {
            (Some((_, answer)), Some(entry)) => {
                let key = open_apart(&self.tenants, entry, given.version);
                key.is_some_and(|key| given.task.is_done(&key, answer))
            }
            // It was destroyed meanwhile.
            (None, None) => true,
            _ => entry.is_some_and(|entry| is_destroyed(entry)),
        }
    }

    /// Draws versions at random, each at most once.
    fn draw_tasks(&self) -> Vec<GivenTask> {
        let snapshot = self.keyring.snapshot();
        let entropy = &self.ports.entropy;
        let mut drawn = std::collections::BTreeMap::new();
        // Of few keys each is drawn for sure; of many, as many as a drill takes.
        let few: Vec<_> = snapshot.keys.values().take(TASKS_MAX + 1).cloned().collect();
        let draws = if few.len() <= TASKS_MAX { few.len() } else { TASKS_MAX };
        for place in 0..draws {
            let entry = match few.len() <= TASKS_MAX {
                true => few[place].clone(),
                false => {
                    let from = KeyId::random(entropy);
                    let mut behind = snapshot.keys.range(from..);
                    let next = behind.next().or_else(|| snapshot.keys.iter().next());
                    let Some((_, entry)) = next else { break };
                    entry.clone()
                }
            };
            for version in &entry.key.versions {
                drawn.insert(version.id, entry.clone());
            }
        }
        let given = drawn.into_iter().filter_map(|(version, entry)| {
            let key = open_apart(&self.tenants, &entry, version)?;
            let task = Task::new(entropy, entry.key.tenant, &key);
            Some(GivenTask { key: entry.key.id, version, task })
        });
        given.take(TASKS_MAX).collect()
    }
}

fn is_destroyed(entry: &KeyEntry) -> bool {
    matches!(entry.key.state, KeyState::Destroyed { .. })
}
