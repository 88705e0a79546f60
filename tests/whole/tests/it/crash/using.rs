//! Keys are used by several clients at once while one durable operation goes wrong.

use crate::{client::Client, crash::matrix};

async fn use_keys(client: Client) {
    let key = client.notes.told().keys[0].key.id;
    let uses = (0..3_u8).map(|number| {
        let client = client.clone();
        async move {
            for round in 0..2 {
                drop(client.encrypt(key, &[number, round]).await);
                drop(client.data_key(key).await);
                let sealed = client.notes.told().sealed.last().cloned();
                if let Some(sealed) = sealed
                    && let Ok(plaintext) = client.decrypt(&sealed).await
                {
                    assert_eq!(plaintext, sealed.plaintext);
                }
            }
        }
    });
    futures_util::future::join_all(uses).await;
}

#[test]
fn no_answer_is_without_its_event_whatever_goes_wrong_while_keys_are_used() {
    matrix::run(200, 20, |client, _| use_keys(client));
}
