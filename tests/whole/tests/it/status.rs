//! What a fresh node says of itself.

use std::sync::Arc;

use keystead_testkit::{FaultPlans, Folder, World};

use crate::{
    client::{Client, Notes},
    node::{init, serve, within},
};

#[test]
fn a_fresh_node_names_its_kit_and_head_and_owes_its_vaults_nothing() {
    let world = World::new(7, 3);
    let folder = Folder::new();
    let process = Arc::new(world.process(&folder, &FaultPlans::default()));
    let (urls, notes, sim) = (world.urls(), Notes::default(), world.sim.clone());
    let inner = process.clone();
    within(&process, async move {
        let operator = Arc::new(init(&inner, urls, 2).await.unwrap());
        let service = serve(&inner).await.unwrap();
        let client = Client::new(&service, &operator, &sim, &notes);
        let fresh = client.status().await.unwrap();
        assert_eq!(fresh.head, operator.head);
        assert_eq!(fresh.kits[0].kit, operator.kit_id.to_string());
        assert_eq!((fresh.commit_seq, fresh.watermark), (1, 1));
        client.create("one").await.unwrap();
        let later = client.status().await.unwrap();
        assert_ne!(later.head, operator.head);
        assert_eq!((later.commit_seq, later.watermark, later.keys), (2, 2, 1));
    })
    .expect("nobody killed it");
}
