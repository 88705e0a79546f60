//! Another node took over: a closing or a later incarnation in a vault.

use keystead_service::{Fault, FenceReason, StartFailed, restore::RestorePlan};
use keystead_testkit::{FaultPlans, Folder};

use crate::{
    evidence::everything,
    node::{Operator, bring_back},
    prepared::Prepared,
};

async fn restore(prepared: &Prepared) -> Operator {
    let process = prepared.process_over(&Folder::new(), &FaultPlans::default());
    let plan = RestorePlan { vaults: prepared.world.urls(), ..RestorePlan::default() };
    let (operator, _) = bring_back(&process, &prepared.operator, plan).await.unwrap();
    process.kill();
    operator
}

#[test]
fn a_node_that_meets_a_closing_is_fenced_within_half_a_minute() {
    let prepared = Prepared::with_real_kit(900);
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        node.client.settled().await;
        restore(&prepared).await;
        prepared.wait_ms(31_000).await;
        let refused = node.client.create("x").await.unwrap_err();
        assert!(
            matches!(
                refused.fault,
                Fault::Fenced { reason: FenceReason::Closed | FenceReason::LaterIncarnation }
            ),
            "{refused}"
        );
        assert!(refused.hint().unwrap().contains("restore run"));
    });
}

#[test]
fn a_node_that_writes_on_after_a_closing_acknowledges_nothing_more() {
    let prepared = Prepared::with_real_kit(910);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        restore(&prepared).await;
        // It does not know yet: the vaults tell it by refusing its next segment.
        let answer = node.client.create("x").await;
        assert!(
            !matches!(&answer, Ok(view) if view.vaulted == keystead_service::Vaulted::Yes),
            "{answer:?}"
        );
    });
}

#[test]
fn one_vault_that_shows_a_closing_or_a_later_incarnation_refuses_a_start() {
    let prepared = Prepared::with_real_kit(920);
    prepared.run(restore(&prepared));
    for alone in 0..3 {
        let left = prepared.copied(alone);
        for (number, vault) in (0..).zip(&left.world.vaults) {
            if number != alone {
                vault.away();
            }
        }
        let refused = left.run(left.try_start(&left.folder)).unwrap_err();
        assert!(matches!(refused, StartFailed::Superseded { .. }), "{refused}");
        assert!(refused.hint().unwrap().contains("not this folder"));
    }
}

#[test]
fn a_vault_that_missed_the_closing_does_not_bring_an_old_node_back() {
    let prepared = Prepared::with_real_kit(930);
    let stale = prepared.world.vaults[2].snapshot();
    prepared.run(restore(&prepared));
    prepared.world.vaults[2].restore(&stale);
    prepared.world.vaults[0].away();
    prepared.world.vaults[1].away();
    prepared.run(async {
        // This vault alone knows nothing of the restore, and one vault is not enough to act.
        let node = prepared.start().await;
        let refused = node.client.list().await.unwrap_err();
        let unseen = Fault::Fenced { reason: FenceReason::Unseen };
        assert_eq!(refused.fault.to_string(), unseen.to_string());
        prepared.world.vaults[0].back();
        prepared.world.vaults[1].back();
        prepared.wait_ms(31_000).await;
        let refused = node.client.list().await.unwrap_err();
        assert!(
            matches!(
                refused.fault,
                Fault::Fenced { reason: FenceReason::Closed | FenceReason::LaterIncarnation }
            ),
            "{refused}"
        );
    });
}

#[test]
fn a_node_that_lagged_behind_its_own_outbox_is_refused_after_a_restore() {
    // Its last segment reached no vault; a closing lies in its place now.
    let prepared = Prepared::with_real_kit(940);
    prepared.run(async {
        let node = prepared.start().await;
        node.client.settled().await;
        prepared.world.vaults.iter().for_each(keystead_targets::MemoryVault::away);
        // An empty segment is built every five minutes.
        prepared.wait_ms(6 * 60 * 1000).await;
        node.kill();
        prepared.world.vaults.iter().for_each(keystead_targets::MemoryVault::back);
        restore(&prepared).await;
    });
    let refused = prepared.run(prepared.try_start(&prepared.folder)).unwrap_err();
    assert!(matches!(refused, StartFailed::Superseded { .. }), "{refused}");
}

#[test]
fn a_refused_start_writes_nothing() {
    let prepared = Prepared::with_real_kit(950);
    prepared.run(restore(&prepared));
    let before = everything(&prepared.world, &prepared.folder);
    prepared.run(prepared.try_start(&prepared.folder)).unwrap_err();
    assert_eq!(before, everything(&prepared.world, &prepared.folder));
}
