//! Two runs from one seed are equal, byte for byte: the property that every other test here rests
//! on.

use std::sync::Arc;

use keystead_domain::KeySpec;
use keystead_testkit::{Draws, FaultPlans, Folder, World};

use crate::{
    client::{Client, Notes},
    evidence::{everything, verify_all},
    kit::KitForm,
    node::{Operator, init, serve, within},
};

const CLIENTS: u64 = 4;
const ROUNDS: u64 = 6;

/// One client's day: keys, ciphertexts, data keys and refusals, chosen by its own draws.
async fn day(client: Client, mut draws: Draws) {
    let first = client.create("mine").await.unwrap().key.id;
    for _ in 0..ROUNDS {
        match draws.below(8) {
            0 => drop(client.create("another").await.unwrap()),
            1 => drop(client.data_key(first).await.unwrap()),
            2 => drop(client.list().await.unwrap()),
            3 => drop(client.encrypt(first, &[]).await.unwrap_err()),
            // Several clients meet at the same few subjects.
            4 => drop(client.put_wrap(&format!("{}", draws.below(4))).await.unwrap()),
            5 => another_spec(&client, &mut draws).await,
            // Whoever made them: signatures differ from run to run, and nothing durable does.
            6 => sign_again(&client).await,
            _ => drop(client.encrypt(first, b"a document").await.unwrap()),
        }
        let sealed = client.notes.told().sealed.last().cloned();
        if let Some(sealed) = sealed {
            assert_eq!(client.decrypt(&sealed).await.unwrap(), sealed.plaintext);
        }
    }
}

/// A key that signs or makes MACs, used once.
async fn another_spec(client: &Client, draws: &mut Draws) {
    let others = &KeySpec::ALL[1..];
    let spec = others[usize::try_from(draws.below(others.len() as u64)).unwrap()];
    let key = client.create_as(spec, "of another spec").await.unwrap().key;
    client.use_once(&key, b"a document").await.unwrap();
}

async fn sign_again(client: &Client) {
    let signed = client.notes.told().signed.last().cloned();
    if let Some(mut signed) = signed {
        client.use_once(&signed.key, b"another document").await.unwrap();
        client.verify(&signed).await.unwrap();
        signed.by[0] ^= 1;
        client.verify(&signed).await.unwrap_err();
    }
}

/// The whole course of one seed: everything durable afterwards, as bytes.
fn course(seed: u64) -> Vec<(String, Vec<u8>)> {
    let world = World::new(seed, 3);
    let folder = Folder::new();
    let process = world.process(&folder, &FaultPlans::default());
    let (urls, notes) = (world.urls(), Notes::default());
    let process = Arc::new(process);
    let (inner, told, sim) = (process.clone(), notes.clone(), world.sim.clone());
    let operator: Arc<Operator> = within(&process, async move {
        let operator = Arc::new(init(&inner, urls, 2, KitForm::Bare).await.unwrap());
        let service = serve(&inner).await.unwrap();
        let days = (0..CLIENTS).map(|number| {
            let client = Client::new(&service, &operator, &sim, &told);
            day(client, Draws::new(seed ^ (number << 8)))
        });
        futures_util::future::join_all(days).await;
        operator
    })
    .expect("nobody killed it");
    verify_all(&world, &folder, &operator, &notes);
    everything(&world, &folder)
}

#[test]
fn two_runs_from_one_seed_are_equal_and_another_seed_differs() {
    let one = course(1);
    assert!(one.len() > 60, "vaults, files and rows: {}", one.len());
    let again = course(1);
    for (one, again) in one.iter().zip(&again) {
        assert_eq!(one.0, again.0);
        assert!(one.1 == again.1, "`{}` differs", one.0);
    }
    assert_eq!(one.len(), again.len());
    assert_ne!(one, course(2));
}

#[test]
fn whatever_the_interleaving_all_promises_hold() {
    for seed in 10..30 {
        course(seed);
    }
}
