//! Starts over state that went back in time.

use keystead_service::StartFailed;
use keystead_testkit::Folder;

use crate::{kit::KitForm, prepared::Prepared};

/// An instance that has gone on by two keys, and its folder as it was before.
fn advanced(seed: u64) -> (Prepared, Folder) {
    let prepared = Prepared::new(seed, KitForm::Bare);
    let before = prepared.folder.copied();
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        node.works().await;
        node.client.settled().await;
        node.kill();
    });
    (prepared, before)
}

fn refusal(prepared: &Prepared, folder: &Folder) -> StartFailed {
    let refused = prepared.run(prepared.try_start(folder)).unwrap_err();
    let hint = refused.hint().unwrap();
    assert!(hint.contains("keystead restore run"), "{hint}");
    refused
}

#[test]
fn a_rolled_back_database_is_refused_naming_restore() {
    let (prepared, before) = advanced(800);
    let mixed = Folder { store: before.store.clone(), ..prepared.folder.copied() };
    let refused = refusal(&prepared, &mixed);
    assert!(matches!(refused, StartFailed::DatabaseBehind { .. }), "{refused}");
}

#[test]
fn a_rolled_back_database_is_refused_although_no_vault_answers() {
    let (prepared, before) = advanced(810);
    prepared.world.vaults.iter().for_each(keystead_targets::MemoryVault::away);
    let mixed = Folder { store: before.store.clone(), ..prepared.folder.copied() };
    let refused = refusal(&prepared, &mixed);
    assert!(matches!(refused, StartFailed::DatabaseBehind { .. }), "{refused}");
}

#[test]
fn a_rolled_back_folder_is_refused_since_the_vaults_are_ahead() {
    let (prepared, before) = advanced(820);
    let refused = refusal(&prepared, &before);
    assert!(matches!(refused, StartFailed::RolledBack { .. }), "{refused}");
}

#[test]
fn a_rolled_back_folder_is_refused_although_a_single_vault_shows_it() {
    let (prepared, before) = advanced(830);
    prepared.world.vaults[0].away();
    prepared.world.vaults[1].away();
    let refused = refusal(&prepared, &before);
    assert!(matches!(refused, StartFailed::RolledBack { .. }), "{refused}");
}

#[test]
fn a_rolled_back_folder_that_saw_no_vault_at_start_is_fenced_when_one_comes_back() {
    let (prepared, before) = advanced(840);
    prepared.world.vaults.iter().for_each(keystead_targets::MemoryVault::away);
    prepared.run(async {
        let mut node = prepared.try_start(&before).await.unwrap();
        node.client.notes = crate::client::Notes::default();
        let refused = node.client.list().await.unwrap_err();
        assert!(matches!(refused.fault, keystead_service::Fault::Fenced { .. }), "{refused}");
        prepared.world.vaults.iter().for_each(keystead_targets::MemoryVault::back);
        prepared.wait_ms(31_000).await;
        let state = node.process_state().await;
        assert!(state.starts_with("fenced: "), "{state}");
    });
    prepared.verify();
}

#[test]
fn a_folder_without_journal_or_database_is_refused_and_not_begun_anew() {
    let (prepared, _) = advanced(850);
    let without_store = Folder { store: Default::default(), ..prepared.folder.copied() };
    let refused = prepared.run(prepared.try_start(&without_store)).unwrap_err();
    assert!(matches!(refused, StartFailed::NoInstance), "{refused}");
    let without_journal = Folder { journal: Default::default(), ..prepared.folder.copied() };
    let refused = prepared.run(prepared.try_start(&without_journal)).unwrap_err();
    assert!(matches!(refused, StartFailed::Journal(_)), "{refused}");
}
