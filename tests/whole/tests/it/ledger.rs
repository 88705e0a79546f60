//! The ledger in the vaults: whole, signed, followed across restarts and restores, and a node that
//! finds another's stops.

use keystead_archive::{NodeCertificate, names};
use keystead_crypto::NotePublic;
use keystead_ledger::{
    Checkpoint, Leaf, Note, Origin, Succession, VerifierKey, Walk, checkpoint_size,
};
use keystead_service::{
    AuditDurability, Fault, LedgerFault, StartFailed, StartOptions, restore::RestorePlan,
};
use keystead_targets::{MemoryVault, ObjectName, Vault};
use keystead_testkit::{FaultPlans, Folder};

use crate::{
    evidence::now,
    kit::KitForm,
    node::{Operator, bring_back, options, serve, serve_with},
    prepared::Prepared,
};

/// Everything below the ledger folder of an incarnation, as a stranger finds it in a vault.
struct Found<'a> {
    vault: &'a MemoryVault,
    prefix: String,
    origin: Origin,
    keys: Vec<NotePublic>,
}

impl<'a> Found<'a> {
    fn of(vault: &'a MemoryVault, of: &Operator) -> Self {
        let ledgers = format!("{}/{}/{}/", of.instance, of.incarnation, names::LEDGER_FOLDER);
        let listed = now(vault.list(&ledgers)).unwrap();
        let certificates = listed.iter().filter(|l| l.name.as_str().contains("/certificate/"));
        let certificates: Vec<NodeCertificate> = certificates
            .map(|listed| now(vault.read(&listed.name)).unwrap().unwrap())
            .map(|bytes| NodeCertificate::verify(&bytes, &of.root).unwrap())
            .collect();
        let node = certificates[0].node;
        let origin = Origin::new(&format!("{}/{}/{node}", of.instance, of.incarnation)).unwrap();
        let keys = certificates.iter().map(|of| of.checkpoints_key).collect();
        Self { vault, prefix: format!("{ledgers}{node}/"), origin, keys }
    }

    fn name(&self, path: &str) -> ObjectName {
        format!("{}{path}", self.prefix).parse().unwrap()
    }

    /// The largest checkpoint, verified.
    fn checkpoint(&self) -> Checkpoint {
        let listed = now(self.vault.list(&format!("{}checkpoint/", self.prefix))).unwrap();
        let sizes =
            listed.iter().filter_map(|l| checkpoint_size(&l.name.as_str()[self.prefix.len()..]));
        let path = format!("checkpoint/{}", sizes.max().unwrap());
        let bytes = now(self.vault.read(&self.name(&path))).unwrap().unwrap();
        let note = Note::parse(&bytes).unwrap();
        let by = |key: &NotePublic| Checkpoint::verify(&note, &self.origin, *key).ok();
        self.keys.iter().find_map(by).expect("a certified key signed it")
    }

    /// Every entry, walked from the checkpoint down.
    fn entries(&self) -> Vec<Leaf> {
        let mut walk = Walk::new(&self.checkpoint());
        let mut leaves = Vec::new();
        while let Some(tile) = walk.wants() {
            let bytes = now(self.vault.read(&self.name(&tile.to_string()))).unwrap();
            let bytes = bytes.unwrap_or_else(|| panic!("`{tile}` is missing"));
            let entries = walk.give(&bytes).unwrap();
            leaves.extend(entries.iter().map(|entry| Leaf::from_bytes(entry.to_vec()).unwrap()));
        }
        leaves
    }

    fn key(&self) -> VerifierKey {
        VerifierKey::of_log(&self.origin, self.keys[0])
    }
}

#[test]
fn every_vault_holds_the_whole_ledger_under_a_signed_checkpoint() {
    let prepared = Prepared::new(1700, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        prepared.world.vaults[2].away();
        let key = prepared.notes.told().keys[0].key.id;
        for _ in 0..300 {
            node.client.encrypt(key, b"used").await.unwrap();
        }
        prepared.wait_ms(2_000).await;
        let status = node.client.status().await.unwrap();
        assert!(status.ledger_shipped >= 300, "{}", status.ledger_shipped);
        assert_eq!(status.audit_rpo_ms, 1_000);
        assert!(status.vaults[2].ledger_entries < 300);
        prepared.world.vaults[2].back();
        prepared.wait_ms(65_000).await;
        node.client.settled().await;
        prepared.wait_ms(2_000).await;
        node.kill();
    });
    let wholes: Vec<Vec<Leaf>> = prepared
        .world
        .vaults
        .iter()
        .map(|vault| Found::of(vault, &prepared.operator).entries())
        .collect();
    assert!(wholes[0].len() > 300);
    assert!(wholes.iter().all(|whole| *whole == wholes[0]), "all vaults hold the same");
    let found = Found::of(&prepared.world.vaults[0], &prepared.operator);
    assert_eq!(found.keys.len(), 2, "one certificate for each process of the node");
    assert_eq!(found.key().name().as_str(), found.origin.as_str());
    prepared.verify();
}

#[test]
fn a_restored_log_names_the_head_of_the_one_before_and_that_its_tail_is_not_known() {
    let prepared = Prepared::with_real_kit(1710);
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        node.client.settled().await;
        prepared.wait_ms(2_000).await;
        node.kill();
    });
    let before = Found::of(&prepared.world.vaults[0], &prepared.operator).checkpoint();
    let process = prepared.process_over(&Folder::new(), &FaultPlans::default());
    let operator = prepared.run(async {
        let plan = RestorePlan { vaults: prepared.world.urls(), ..RestorePlan::default() };
        let (operator, _) = bring_back(&process, &prepared.operator, plan).await.unwrap();
        let service = serve(&process).await.unwrap();
        prepared.wait_ms(3_000).await;
        drop(service);
        operator
    });
    process.kill();
    let after = Found::of(&prepared.world.vaults[1], &operator);
    let first = after.entries()[0].event();
    let past = Succession::read(&after.origin, &first).unwrap();
    let named: Vec<_> = past.heads().collect();
    assert_eq!(named, [(before.head(), true)]);
}

#[test]
fn where_events_must_be_vaulted_no_answer_goes_out_before_they_are() {
    let prepared = Prepared::new(1720, KitForm::Bare);
    let process = prepared.process(&FaultPlans::default());
    prepared.run(async {
        let vaulted = StartOptions { audit_durability: AuditDurability::Vaulted, ..options() };
        let service = serve_with(&process, vaulted).await.unwrap();
        let client = prepared.client(&service);
        let key = prepared.notes.told().keys[0].key.id;
        client.encrypt(key, b"used").await.unwrap();
        let status = client.status().await.unwrap();
        assert_eq!(status.audit_rpo_ms, 0);
        prepared.world.vaults.iter().for_each(MemoryVault::away);
        let late = client.encrypt(key, b"used").await.unwrap_err();
        let not_vaulted = matches!(late.fault, Fault::Ledger { reason: LedgerFault::NotVaulted });
        assert!(not_vaulted, "{late}");
        prepared.world.vaults.iter().for_each(MemoryVault::back);
        prepared.wait_ms(40_000).await;
        client.encrypt(key, b"used").await.unwrap();
    });
    process.kill();
}

#[test]
fn junk_in_a_vaults_ledger_stops_no_node_and_a_later_checkpoint_of_its_own_does() {
    let prepared = Prepared::new(1730, KitForm::Bare);
    let before = prepared.folder.copied();
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        node.client.settled().await;
        prepared.wait_ms(2_000).await;
        node.kill();
    });
    let found = Found::of(&prepared.world.vaults[0], &prepared.operator);
    now(prepared.world.vaults[0].put_new(&found.name("checkpoint/999999"), b"junk")).unwrap();
    prepared.run(async {
        let node = prepared.start().await;
        prepared.wait_ms(5_000).await;
        node.works().await;
        node.client.settled().await;
        node.kill();
    });
    // The segments do not tell: only the ledger went on, in a folder that was copied before.
    let ledger_only = Folder { journal: before.journal.clone(), ..prepared.folder.copied() };
    prepared.run(async {
        let refused = prepared.try_start(&ledger_only).await.map(drop).unwrap_err();
        assert!(matches!(refused, StartFailed::JournalBehind { .. }), "{refused}");
    });
    // With the vaults away nobody can tell at the start; the first one that comes back does.
    let first = Folder { data: before.data.clone(), ..ledger_only };
    prepared.run(async {
        prepared.world.vaults.iter().for_each(MemoryVault::away);
        let node = prepared.try_start(&first).await.unwrap();
        prepared.world.vaults.iter().for_each(MemoryVault::back);
        prepared.wait_ms(65_000).await;
        let refused = node.client.list().await.unwrap_err();
        assert!(matches!(refused.fault, Fault::Fenced { .. }), "{refused}");
        node.kill();
    });
}
