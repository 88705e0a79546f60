//! Aliases: unique names that move from key to key.

use keystead_domain::{BadAlias, KeyId, KeyName};
use keystead_ledger::Value;
use keystead_service::{AliasChange, ErrorKind, Fault, KeyChange};
use keystead_targets::MemoryVault;

use crate::{evidence::events, kit::KitForm, prepared::Prepared};

fn create(target: KeyId) -> AliasChange {
    AliasChange::Create { target: KeyName::Id(target) }
}

fn update(target: KeyId) -> AliasChange {
    AliasChange::Update { target: KeyName::Id(target) }
}

#[test]
fn a_name_is_made_moved_and_deleted_and_is_one_keys_at_a_time() {
    let prepared = Prepared::new(1800, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let client = &node.client;
        let one = prepared.notes.told().keys[0].key.id;
        let two = client.create("two").await.unwrap().key.id;
        client.alias("alias/phi", create(one)).await.unwrap();
        client.alias("alias/ph", create(two)).await.unwrap();
        assert_eq!(client.named("alias/phi").await.unwrap(), one);
        assert_eq!(client.named("alias/ph").await.unwrap(), two, "one name begins another");
        let sealed = prepared.notes.told().sealed[0].clone();
        let moved = client.re_encrypt(&sealed, "alias/ph").await.unwrap();
        assert_eq!(client.decrypt(&moved).await.unwrap(), sealed.plaintext);
        let event = events(&prepared.folder)
            .into_iter()
            .rfind(|event| event.act().operation.as_str() == "ReEncrypt");
        let destination = Value::Clear(two.to_string().into_bytes());
        let act = event.unwrap().act().clone();
        assert!(act.attributes.named("destination").eq([destination]), "both keys are named");
        assert_eq!(act.resource.unwrap().id, *one.as_bytes());
        for target in [one, two] {
            let refused = client.alias("alias/phi", create(target)).await.unwrap_err();
            assert!(matches!(refused.fault, Fault::AliasExists { .. }), "{refused}");
            assert_eq!(refused.kind(), ErrorKind::Conflict);
        }
        client.alias("alias/phi", update(two)).await.unwrap();
        assert_eq!(client.named("alias/phi").await.unwrap(), two);
        assert_eq!(client.aliases(Some(two)).await.unwrap().aliases.len(), 2);
        assert_eq!(client.aliases(Some(one)).await.unwrap().aliases.len(), 0);
        client.alias("alias/phi", AliasChange::Delete).await.unwrap();
        for change in [AliasChange::Delete, update(one)] {
            let refused = client.alias("alias/phi", change).await.unwrap_err();
            assert!(matches!(refused.fault, Fault::NoAlias { .. }), "{refused}");
        }
        assert!(client.named("alias/phi").await.is_err());
        client.alias("alias/phi", create(one)).await.unwrap();
        client.settled().await;
        node.kill();
        let node = prepared.start().await;
        assert_eq!(node.client.named("alias/phi").await.unwrap(), one, "a restart keeps it");
        node.client.everything_opens().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn names_and_keys_that_cannot_be_are_refused() {
    let prepared = Prepared::new(1810, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let client = &node.client;
        let key = prepared.notes.told().keys[0].key.id;
        for (name, why) in [
            ("phi", BadAlias::Identifier),
            ("alias/aws/s3", BadAlias::Reserved),
            ("alias/a:b", BadAlias::Characters { text: "alias/a:b".to_owned() }),
        ] {
            let refused = client.alias(name, create(key)).await.unwrap_err();
            assert!(matches!(refused.fault, Fault::AliasName(bad) if bad == why), "{name}");
        }
        let nobody = KeyId::from_bytes([9; 16]);
        let refused = client.alias("alias/x", create(nobody)).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::NoKey { .. }), "{refused}");
        let doom = KeyChange::ScheduleDeletion { window_days: 7 };
        client.change(key, doom).await.unwrap();
        let refused = client.alias("alias/x", create(key)).await.unwrap_err();
        assert!(matches!(refused.fault, Fault::KeyState { .. }), "{refused}");
        client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn of_many_that_make_one_name_at_once_one_does() {
    let prepared = Prepared::new(1820, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let key = prepared.notes.told().keys[0].key.id;
        let made = (0..5).map(|_| node.client.alias("alias/one", create(key)));
        let made = futures_util::future::join_all(made).await;
        // Whoever comes while the first one waits for the vaults waits with it.
        assert!(made.iter().any(Result::is_ok));
        for refused in made.into_iter().filter_map(Result::err) {
            assert!(matches!(refused.fault, Fault::AliasExists { .. }), "{refused}");
        }
        assert_eq!(node.client.aliases(None).await.unwrap().aliases.len(), 1);
        node.client.settled().await;
        node.kill();
    });
    prepared.verify();
}

#[test]
fn a_name_is_deleted_at_once_and_made_only_below_the_watermark() {
    let prepared = Prepared::new(1830, KitForm::Bare);
    prepared.run(async {
        let node = prepared.start().await;
        let client = &node.client;
        let key = prepared.notes.told().keys[0].key.id;
        client.alias("alias/old", create(key)).await.unwrap();
        client.settled().await;
        prepared.world.vaults.iter().for_each(MemoryVault::away);
        let late = client.alias("alias/old", AliasChange::Delete).await.unwrap_err();
        let Fault::EffectiveNotVaulted { change } = late.fault else { panic!("{late}") };
        assert!(client.named("alias/old").await.is_err());
        let again = client.alias("alias/old", AliasChange::Delete).await.unwrap_err();
        assert!(
            matches!(again.fault, Fault::EffectiveNotVaulted { change: of } if of == change),
            "{again}"
        );
        for _ in 0..2 {
            let late = client.alias("alias/new", create(key)).await.unwrap_err();
            assert!(matches!(late.fault, Fault::NotYetVaulted { .. }), "{late}");
        }
        assert!(client.named("alias/new").await.is_err());
        prepared.world.vaults.iter().for_each(MemoryVault::back);
        client.settled().await;
        assert_eq!(client.named("alias/new").await.unwrap(), key);
        assert!(client.named("alias/old").await.is_err());
        node.kill();
    });
    prepared.verify();
}
