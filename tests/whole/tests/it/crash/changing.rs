//! Keys are changed, rotated, named and destroyed while one durable operation goes wrong.

use keystead_domain::{KeyId, KeyName};
use keystead_service::{AliasChange, KeyChange};

use crate::{client::Client, crash::matrix, kit::KitForm, prepared::Prepared};

fn first(client: &Client) -> KeyId {
    client.notes.told().keys[0].key.id
}

async fn disable_rotate_and_name(client: Client) {
    let key = first(&client);
    for change in [KeyChange::Disable, KeyChange::Enable] {
        drop(client.change(key, change).await);
    }
    drop(client.rotate(key).await);
    drop(client.encrypt(key, b"under whichever version").await);
    let target = KeyName::Id(key);
    drop(client.alias("alias/one", AliasChange::Create { target }).await);
    drop(client.alias("alias/one", AliasChange::Delete).await);
    client.settled_if_it_can().await;
}

async fn doom_and_take_back(client: Client) {
    let key = first(&client);
    drop(client.change(key, KeyChange::ScheduleDeletion { window_days: 7 }).await);
    drop(client.change(key, KeyChange::CancelDeletion).await);
    drop(client.change(key, KeyChange::Enable).await);
    client.settled_if_it_can().await;
}

/// Longer than the job waits between two looks.
async fn wait_for_the_job(client: Client) {
    client.settled_if_it_can().await;
    client.waits_ms(70_000).await;
    client.settled_if_it_can().await;
    // What the job did, nobody answered.
    let key = first(&client);
    client.notes.told().unsure.insert(key);
}

#[test]
fn no_acknowledged_change_of_a_key_is_lost_whatever_goes_wrong() {
    matrix::run(800, 60, |client, _| disable_rotate_and_name(client));
}

#[test]
fn no_doom_is_lost_and_none_comes_back_that_was_taken_back_whatever_goes_wrong() {
    matrix::run(810, 40, |client, _| doom_and_take_back(client));
}

#[test]
fn what_is_due_is_destroyed_whole_or_not_at_all_whatever_goes_wrong() {
    let prepared = Prepared::new(820, KitForm::Bare);
    let key = prepared.notes.told().keys[0].key.id;
    prepared.run(async {
        let node = prepared.start().await;
        let doom = KeyChange::ScheduleDeletion { window_days: 7 };
        node.client.change(key, doom).await.unwrap();
        node.client.settled().await;
        node.kill();
    });
    prepared.notes.told().unsure.insert(key);
    prepared.later(8);
    matrix::run_over(&prepared, 820, 30, |client, _| wait_for_the_job(client));
}
