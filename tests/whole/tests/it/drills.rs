//! Level 3: a custodian with a kit shows that the recovered keys are the running ones.
//!
//! Invariant: a drill counts only where the kit opened the epoch in force and every recovered key
//! did its task; it is answered once, and is on record.

use keystead_domain::VersionId;
use keystead_ledger::Event;
use keystead_service::{
    DrillAnswer, DrillChallenge, Fault, RestoreSite,
    restore::{self, Loss, RestorePlan},
};
use keystead_testkit::{FaultPlans, Folder};

use crate::{
    evidence::events,
    node::{Unwatched, site},
    prepared::{BEFORE, Prepared},
};

/// What an honest custodian answers.
async fn answers(prepared: &Prepared, begun: &DrillChallenge) -> DrillAnswer {
    let process = prepared.process_over(&Folder::new(), &FaultPlans::default());
    let site = site(&process);
    let site = RestoreSite {
        vaults: site.vaults,
        tasks: site.tasks,
        clock: site.clock,
        entropy: site.entropy,
    };
    let kit = prepared.operator.kit.opened();
    let plan = RestorePlan {
        vaults: prepared.world.urls(),
        loss: Loss::Accepted,
        ..RestorePlan::default()
    };
    let staged = restore::read(site, kit, plan, &Unwatched).await.unwrap();
    let answer = begun.challenge.open(&kit.seed, &kit.statement.root).unwrap();
    DrillAnswer {
        kit: kit.statement.kit,
        challenge: begun.challenge.id,
        answer,
        answers: staged.answers(&begun.tasks),
        took_ms: 1234,
    }
}

#[test]
fn a_drill_counts_where_kit_and_every_recovered_key_did_what_they_must() {
    let prepared = Prepared::with_real_kit(2500);
    let kit = prepared.operator.kit.opened().statement.kit;
    prepared.run(async {
        let node = prepared.start().await;
        let key = prepared.notes.told().keys[0].key.id;
        node.client.rotate(key).await.unwrap();
        node.client.settled().await;
        let begun = node.client.challenge_drill(kit).await.unwrap();
        assert_eq!(begun.tasks.len(), BEFORE + 1, "each version of few keys");
        let answer = answers(&prepared, &begun).await;
        let proved = node.client.prove_drill(answer.clone()).await.unwrap();
        assert_eq!(proved.exercised, BEFORE + 1);
        assert!(proved.kit.proven.is_some());
        let refused = node.client.prove_drill(answer).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::KitProof), "a challenge is answered once");
        node.client.settled().await;
        node.kill();
    });
    let on_record = events(&prepared.folder).into_iter().any(|event| match event {
        Event::State { act, .. } => {
            act.operation.as_str() == "ProveDrill" && act.attributes.named("took-ms").count() == 1
        }
        _ => false,
    });
    assert!(on_record);
}

#[test]
fn a_wrong_answer_a_missing_one_and_a_kit_that_opens_nothing_do_not_count() {
    let prepared = Prepared::with_real_kit(2510);
    let kit = prepared.operator.kit.opened().statement.kit;
    prepared.run(async {
        let node = prepared.start().await;
        let before = node.client.status().await.unwrap().kits[0].proven_at.clone();
        for spoilt in 0..BEFORE {
            let begun = node.client.challenge_drill(kit).await.unwrap();
            let mut answer = answers(&prepared, &begun).await;
            let (version, done) = answer.answers[spoilt].clone();
            let bad = match spoilt {
                0 => Vec::new(),
                _ => done.iter().map(|byte| byte ^ 1).collect(),
            };
            answer.answers[spoilt] = (version, bad);
            let refused = node.client.prove_drill(answer).await.unwrap_err();
            let Fault::Field { field: "answers", message } = &refused.fault else {
                panic!("{refused}")
            };
            assert!(message.contains(&version.to_string()), "{message}");
        }
        let begun = node.client.challenge_drill(kit).await.unwrap();
        let mut answer = answers(&prepared, &begun).await;
        answer.answers[0].0 = VersionId::from_bytes([3; 8]);
        node.client.prove_drill(answer).await.unwrap_err();
        let begun = node.client.challenge_drill(kit).await.unwrap();
        let answer = DrillAnswer { answer: [0; 32], ..answers(&prepared, &begun).await };
        let refused = node.client.prove_drill(answer).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::KitProof), "{refused}");
        let stranger = keystead_domain::KitId::from_bytes([5; 16]);
        let refused = node.client.challenge_drill(stranger).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::Nothing { what: "kit", .. }), "{refused}");
        let after = node.client.status().await.unwrap().kits[0].proven_at.clone();
        assert_eq!(before, after, "no proof was noted");
        node.client.settled().await;
        node.kill();
    });
}
