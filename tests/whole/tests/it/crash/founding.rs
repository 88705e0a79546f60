//! `init` dies or fails at each of its durable operations.

use std::sync::Arc;

use keystead_service::StartFailed;
use keystead_testkit::{FaultPlans, Folder, Process, World};

use super::matrix::{Case, cases};
use crate::{
    client::{Client, Notes},
    evidence::verify_all,
    kit::KitForm,
    node::{Operator, init, serve, within},
};

const SEED: u64 = 300;

struct Attempt {
    world: World,
    folder: Folder,
    process: Arc<Process>,
    founded: Option<Arc<Operator>>,
}

fn attempt(plans: &FaultPlans) -> Attempt {
    let (world, folder) = (World::new(SEED, 3), Folder::new());
    let process = Arc::new(world.process(&folder, plans));
    let (inner, urls) = (process.clone(), world.urls());
    let founded = within(&process, async move { init(&inner, urls, 2, KitForm::Bare).await.ok() });
    Attempt { world, folder, process, founded: founded.flatten().map(Arc::new) }
}

/// An instance that was acknowledged, or that is whole although nobody was told, serves.
fn serves(world: &World, folder: &Folder, operator: Option<&Arc<Operator>>) {
    let process = Arc::new(world.process(folder, &FaultPlans::default()));
    let (inner, notes) = (process.clone(), Notes::default());
    let (told, known) = (notes.clone(), operator.cloned());
    within(&process, async move {
        let started = serve(&inner).await;
        let Some(operator) = known else {
            match started {
                // Nobody holds its credential, but it is no damaged instance.
                Ok(_) | Err(StartFailed::NoInstance) => return,
                Err(other) => panic!("an unfinished init is answered with: {other}"),
            }
        };
        let client = Client::new(&started.unwrap(), &operator, inner.sim(), &told);
        let key = client.create("the first").await.unwrap().key.id;
        client.encrypt(key, b"a document").await.unwrap();
        client.settled().await;
        client.everything_opens().await;
    })
    .expect("nothing goes wrong in this process");
    process.kill();
    if let Some(operator) = operator {
        verify_all(world, folder, operator, &notes);
    }
}

fn check(case: Case) {
    let Attempt { world, folder, process, founded } = attempt(&case.plans());
    process.crash(case.loss());
    serves(&world, &folder, founded.as_ref());
    if founded.is_some() {
        return;
    }
    // The operator tries again with an empty folder and the same vaults.
    let fresh = Folder::new();
    let process = Arc::new(world.process(&fresh, &FaultPlans::default()));
    let (inner, urls) = (process.clone(), world.urls());
    let operator =
        within(&process, async move { init(&inner, urls, 2, KitForm::Bare).await.unwrap() });
    process.kill();
    serves(&world, &fresh, Some(&Arc::new(operator.unwrap())));
}

#[test]
fn an_init_that_fails_anywhere_leaves_no_damaged_instance_and_can_be_repeated() {
    let Attempt { world, folder, process, founded } = attempt(&FaultPlans::default());
    let durable = process.durable();
    process.kill();
    serves(&world, &folder, Some(&founded.expect("nothing goes wrong")));
    let cases = cases(&durable);
    assert!(cases.len() > 100, "{durable:?}");
    for case in cases {
        eprintln!("case {case:?}");
        check(case);
    }
}
