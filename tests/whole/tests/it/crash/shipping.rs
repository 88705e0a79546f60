//! A vault is away, comes back and catches up while one durable operation goes wrong.

use std::sync::Arc;

use keystead_testkit::Process;

use crate::{client::Client, crash::matrix};

async fn ship(client: Client, process: Arc<Process>) {
    let sim = process.sim().clone();
    process.vault(2).away();
    drop(client.create("while one is away").await);
    sim.sleep_ms(2_000).await;
    drop(client.create("while it is still away").await);
    process.vault(2).back();
    client.settled_if_it_can().await;
}

#[test]
fn nothing_is_lost_whatever_goes_wrong_while_a_vault_catches_up() {
    matrix::run(500, 70, ship);
}
