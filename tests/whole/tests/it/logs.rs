//! The ledgers of a vault, read whole by a stranger who has the root's public key alone.

use keystead_archive::names;
use keystead_crypto::VerifyingKey;
use keystead_service::{
    logs::{LogRead, LogsRefused, read_logs},
    restore::RestorePlan,
};
use keystead_targets::{MemoryVault, ObjectName, Vault};
use keystead_testkit::{FaultPlans, Folder};

use crate::{
    evidence::now,
    kit::KitForm,
    node::{bring_back, serve},
    prepared::Prepared,
};

fn read(
    vault: &MemoryVault,
    root: &VerifyingKey,
    older: Option<&[u8]>,
) -> Result<Vec<LogRead>, LogsRefused> {
    now(read_logs(&[vault], root, older, &mut |_, _, _| ()))
}

/// Every file of the ledgers.
fn files(vault: &MemoryVault) -> Vec<ObjectName> {
    let of_ledgers = format!("/{}/", names::LEDGER_FOLDER);
    let listed = now(vault.list("")).unwrap().into_iter().map(|object| object.name);
    listed.filter(|name| name.as_str().contains(&of_ledgers)).collect()
}

/// The largest checkpoint of all, as somebody copies it.
fn checkpoint(vault: &MemoryVault) -> Vec<u8> {
    let size = |name: &ObjectName| -> Option<u64> {
        let (_, size) = name.as_str().rsplit_once("/checkpoint/")?;
        size.parse().ok()
    };
    let largest = files(vault).into_iter().max_by_key(size).unwrap();
    now(vault.read(&largest)).unwrap().unwrap()
}

fn used(prepared: &Prepared) {
    prepared.run(async {
        let node = prepared.start().await;
        let key = prepared.notes.told().keys[0].key.id;
        for _ in 0..270 {
            node.client.encrypt(key, b"used").await.unwrap();
        }
        node.client.settled().await;
        prepared.wait_ms(2_000).await;
        node.kill();
    });
}

#[test]
fn no_altered_or_lost_file_of_a_ledger_goes_unnamed_or_changes_what_is_read() {
    let prepared = Prepared::new(2300, KitForm::Bare);
    used(&prepared);
    let (vault, root) = (&prepared.world.vaults[0], &prepared.operator.root);
    let kept = checkpoint(vault);
    let whole = read(vault, root, Some(&kept)).unwrap();
    assert!(whole[0].head.size > 270);
    let mut named = 0;
    for name in files(vault) {
        let bytes = now(vault.read(&name)).unwrap().unwrap();
        let mut altered = bytes.clone();
        *altered.last_mut().unwrap() ^= 1;
        let longer = [&bytes[..], b"x"].concat();
        for other in [Some(altered), Some(longer), Some(bytes[..bytes.len() / 2].to_vec()), None] {
            match &other {
                Some(other) => vault.replace(&name, other),
                None => vault.remove(&name),
            }
            match read(vault, root, Some(&kept)) {
                // What the walk does not need, or what only a smaller checkpoint needs.
                Ok(read) => assert_eq!(read, whole, "`{name}`"),
                Err(_) => named += 1,
            }
            match &other {
                Some(_) => vault.replace(&name, &bytes),
                None => now(vault.put_new(&name, &bytes)).map(drop).unwrap(),
            }
        }
    }
    // Two bundles of entries, two tiles, a certificate and a checkpoint at the least.
    assert!(named >= 4 * 6, "{named}");
    assert_eq!(read(vault, root, Some(&kept)).unwrap(), whole);
}

#[test]
fn the_logs_of_all_incarnations_are_read_and_each_is_the_one_that_the_next_follows() {
    let prepared = Prepared::with_real_kit(2310);
    used(&prepared);
    let (vault, root) = (&prepared.world.vaults[0], &prepared.operator.root);
    let kept = checkpoint(vault);
    let before = read(vault, root, None).unwrap();
    let process = prepared.process_over(&Folder::new(), &FaultPlans::default());
    prepared.run(async {
        let plan = RestorePlan { vaults: prepared.world.urls(), ..RestorePlan::default() };
        bring_back(&process, &prepared.operator, plan).await.unwrap();
        drop(serve(&process).await.unwrap());
        prepared.wait_ms(3_000).await;
    });
    process.kill();
    let mut after = read(vault, root, Some(&kept)).unwrap();
    assert_eq!(after.len(), 2);
    let at = after.iter().position(|log| !log.follows.is_empty()).unwrap();
    let last = after.swap_remove(at);
    assert_eq!(after, before);
    assert_eq!(last.follows, [(before[0].head.clone(), true)]);
    // Whoever takes the largest checkpoint of the old log away has cut it off.
    let largest = format!("/checkpoint/{}", before[0].head.size);
    let at = files(vault).into_iter().find(|name| name.as_str().ends_with(&largest)).unwrap();
    vault.remove(&at);
    let seen = read(vault, root, None).unwrap();
    assert!(seen.iter().any(|log| log.missing > 0), "a cut is counted: {seen:?}");
    let cut = read(vault, root, Some(&kept)).unwrap_err();
    assert!(matches!(cut, LogsRefused::Short { .. }), "{cut}");
    let vaults = [0, 1].map(|number| &prepared.world.vaults[number] as &dyn Vault);
    let both = now(read_logs(&vaults, root, Some(&kept), &mut |_, _, _| ())).unwrap();
    assert_eq!(both.len(), 2, "the other vault has the rest");
}

#[test]
fn another_root_has_no_ledger_there_and_a_foreign_checkpoint_is_of_none() {
    let prepared = Prepared::new(2320, KitForm::Bare);
    used(&prepared);
    let other = Prepared::new(2321, KitForm::Bare);
    used(&other);
    let (vault, root) = (&prepared.world.vaults[0], &prepared.operator.root);
    let foreign = read(vault, &other.operator.root, None).unwrap_err();
    assert!(matches!(foreign, LogsRefused::NoInstance), "{foreign}");
    for note in [checkpoint(&other.world.vaults[0]), b"junk".to_vec(), Vec::new()] {
        let refused = read(vault, root, Some(&note)).unwrap_err();
        assert!(matches!(refused, LogsRefused::OlderUnknown), "{refused}");
    }
}
