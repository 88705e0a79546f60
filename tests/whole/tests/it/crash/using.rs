//! Keys are used by several clients at once while one durable operation goes wrong.

use crate::{client::Client, crash::matrix};

async fn use_keys(client: Client) {
    let keys: Vec<_> = client.notes.told().keys.iter().map(|view| view.key.clone()).collect();
    let (key, others) = (keys[0].id, &keys[1..]);
    let uses = (0..3_u8).map(|number| {
        let client = client.clone();
        async move {
            for round in 0..2 {
                drop(client.encrypt(key, &[number, round]).await);
                drop(client.data_key(key).await);
                for other in others {
                    drop(client.use_once(other, &[number, round]).await);
                }
                let sealed = client.notes.told().sealed.last().cloned();
                if let Some(sealed) = sealed
                    && let Ok(plaintext) = client.decrypt(&sealed).await
                {
                    assert_eq!(plaintext, sealed.plaintext);
                }
                let signed = client.notes.told().signed.last().cloned();
                if let Some(mut signed) = signed {
                    drop(client.verify(&signed).await);
                    signed.message.push(0);
                    client.verify(&signed).await.unwrap_err();
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
