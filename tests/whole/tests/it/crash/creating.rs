//! Keys are made while one durable operation goes wrong.

use keystead_domain::KeySpec;

use crate::{client::Client, crash::matrix};

async fn make_two(client: Client) {
    for name in ["one", "two"] {
        // What was not acknowledged may fail; what was is noted.
        let Ok(view) = client.create(name).await else { continue };
        drop(client.encrypt(view.key.id, name.as_bytes()).await);
    }
    client.clone().settled_if_it_can().await;
}

/// One of each that signs or makes MACs.
async fn make_others(client: Client) {
    for spec in &KeySpec::ALL[1..] {
        let Ok(view) = client.create_as(*spec, "other").await else { continue };
        drop(client.use_once(&view.key, b"other").await);
    }
    client.clone().settled_if_it_can().await;
}

#[test]
fn no_acknowledged_key_is_lost_whatever_goes_wrong_while_keys_are_made() {
    matrix::run(100, 60, |client, _| make_two(client));
}

#[test]
fn no_acknowledged_key_of_any_spec_is_lost_whatever_goes_wrong_while_keys_are_made() {
    matrix::run(120, 60, |client, _| make_others(client));
}
