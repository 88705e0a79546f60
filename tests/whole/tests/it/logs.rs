//! The ledgers of a vault, read whole by a stranger who has the root's public key alone.

use keystead_archive::names;
use keystead_crypto::VerifyingKey;
use keystead_ledger::{LogProof, Note, OlderProof, ProofExtra};
use keystead_service::{
    logs::{Ledgers, LogRead, LogsRefused, ProofTiles, proven, read_logs},
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

#[test]
fn two_signed_histories_in_two_vaults_are_a_fork() {
    // A copy of the folder that goes on while no vault of the first one is seen: both sign.
    let prepared = Prepared::new(2330, KitForm::Bare);
    let other = prepared.copied(2331);
    used(&prepared);
    used(&other);
    let root = &prepared.operator.root;
    let (one, two) = (&prepared.world.vaults[0], &other.world.vaults[0]);
    assert!(read(one, root, None).is_ok() && read(two, root, None).is_ok());
    let vaults = [one as &dyn Vault, two as &dyn Vault];
    let forked = now(read_logs(&vaults, root, None, &mut |_, _, _| ())).unwrap_err();
    assert!(matches!(forked, LogsRefused::Forked { .. }), "{forked}");
    let kept = read(one, root, Some(&checkpoint(two))).unwrap_err();
    let rewritten = matches!(kept, LogsRefused::Rewritten { .. } | LogsRefused::OlderUnknown);
    assert!(rewritten, "{kept}");
}

#[test]
fn every_entry_is_proved_and_no_altered_byte_of_a_proof_proves_anything() {
    let prepared = Prepared::new(2340, KitForm::Bare);
    used(&prepared);
    let (vault, root) = (&prepared.world.vaults[0], &prepared.operator.root);
    let vaults = [vault as &dyn Vault];
    let ledgers = now(Ledgers::find(&vaults, root)).unwrap();
    let log = &ledgers.logs()[0];
    let mut tiles = ProofTiles::default();
    let smaller = files(vault).into_iter().find(|name| name.as_str().contains("/checkpoint/"));
    let smaller = now(vault.read(&smaller.unwrap())).unwrap().unwrap();
    let (was, certificate) = now(log.certificate_of(&smaller)).unwrap();
    let mut last = Vec::new();
    for index in 0..log.head().size {
        let (leaf, hashes) =
            (now(log.entry(index)).unwrap(), now(log.prove(index, log.head().size, &mut tiles)));
        let growth = now(log.prove_growth(was.size(), log.head().size)).unwrap();
        let (checkpoint, certificate) = (smaller.clone(), certificate.clone());
        let older = Some(OlderProof { checkpoint, certificate, growth });
        let leaf = leaf.as_bytes().to_vec();
        let extra = ProofExtra { leaf, certificate: log.certificate().to_vec(), older };
        let checkpoint = Note::parse(log.note()).unwrap();
        let extra = Some(extra.encode());
        let proof = LogProof { extra, index, hashes: hashes.unwrap(), checkpoint };
        last = proof.to_string().into_bytes();
        let proven = proven(&last, root, Some(&smaller)).unwrap();
        assert_eq!((proven.index, proven.head), (index, log.head().clone()));
    }
    for at in 0..last.len() {
        let mut other = last.clone();
        other[at] ^= 1;
        assert!(proven(&other, root, None).is_err(), "byte {at}");
        assert!(proven(&last[..at], root, None).is_err(), "cut at {at}");
    }
    let stranger = Prepared::new(2341, KitForm::Bare);
    assert!(proven(&last, &stranger.operator.root, None).is_err());
    assert!(now(log.entry(log.head().size)).is_err());
}

#[test]
fn a_vault_that_missed_an_earlier_incarnation_gets_its_ledger_from_the_others() {
    let prepared = Prepared::with_real_kit(2350);
    prepared.run(async {
        let node = prepared.start().await;
        node.works().await;
        node.client.settled().await;
        prepared.world.vaults[2].away();
        node.works().await;
        prepared.wait_ms(3_000).await;
        node.kill();
    });
    let root = &prepared.operator.root;
    prepared.world.vaults[2].back();
    let (whole, part) = (&prepared.world.vaults[0], &prepared.world.vaults[2]);
    let size = |vault: &MemoryVault| read(vault, root, None).unwrap()[0].head.size;
    assert!(size(part) < size(whole));
    let process = prepared.process_over(&Folder::new(), &FaultPlans::default());
    prepared.run(async {
        let plan = RestorePlan { vaults: prepared.world.urls(), ..RestorePlan::default() };
        bring_back(&process, &prepared.operator, plan).await.unwrap();
        let service = serve(&process).await.unwrap();
        prepared.wait_ms(10_000).await;
        drop(service);
    });
    process.kill();
    let (whole, part) = (read(whole, root, None).unwrap(), read(part, root, None).unwrap());
    assert_eq!((part.len(), part[0].missing), (2, 0));
    assert_eq!(part, whole);
}
