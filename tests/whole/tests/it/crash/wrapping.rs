//! Data keys are wrapped by several clients at once while one durable operation goes wrong.

use crate::{client::Client, crash::matrix};

async fn wrap(client: Client) {
    let put = (0..3_u8).map(|number| {
        let client = client.clone();
        async move {
            for subject in ["shared".to_owned(), format!("of {number}")] {
                // What was not answered may or may not be there; asking again tells.
                if client.put_wrap(&subject).await.is_err() {
                    drop(client.put_wrap(&subject).await);
                }
            }
        }
    });
    futures_util::future::join_all(put).await;
    client.settled_if_it_can().await;
}

#[test]
fn no_subject_loses_its_data_key_or_gets_a_second_one_whatever_goes_wrong() {
    matrix::run(700, 40, |client, _| wrap(client));
}
