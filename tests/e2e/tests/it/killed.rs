//! `kill -9` under load, again and again: what was acknowledged is there after each restart.
//!
//! 50 rounds; the nightly form sets `KEYSTEAD_KILL_ROUNDS=1000`. The moment of each kill is a
//! number of acknowledgements, so that it falls into other work in every round.

use std::{
    sync::mpsc::{Sender, channel},
    thread,
    time::Instant,
};

use keystead_driver::Kms;

use crate::world::{World, create_key, decrypt, encrypt, list_keys};

const THREADS: usize = 4;
const CIPHERTEXTS_PER_KEY: usize = 3;

/// What a client was told is done.
#[derive(Default)]
struct Acknowledged {
    keys: Vec<String>,
    /// Blobs with what they hold.
    ciphertexts: Vec<(String, String)>,
}

impl Acknowledged {
    fn add(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.ciphertexts.extend(other.ciphertexts);
    }

    fn assert_there(&self, kms: &Kms<'_>, round: usize) {
        for (blob, text) in &self.ciphertexts {
            let opened = decrypt(kms, blob).unwrap_or_else(|failed| panic!("{round}: {failed}"));
            assert_eq!(&opened, text, "round {round}");
        }
    }
}

#[test]
fn what_was_acknowledged_survives_every_kill_and_the_loss_of_the_machine() {
    let rounds = std::env::var("KEYSTEAD_KILL_ROUNDS").map_or(50, |text| text.parse().unwrap());
    let world = World::new();
    let began = Instant::now();
    let mut all = Acknowledged::default();
    let mut last = Acknowledged::default();
    for round in 0..rounds {
        let serving = world.serve();
        let kms = world.kms(&serving);
        let listed = list_keys(&kms);
        let lost: Vec<_> = all.keys.iter().filter(|key| !listed.contains(*key)).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
        // Those of before were read when they were new; all are read once more in the end.
        last.assert_there(&kms, round);
        let (told, acknowledgements) = channel();
        // 7 and 31 have no common factor, so the moments go through all of 1 to 31.
        let moment = 1 + (round * 7) % 31;
        last = thread::scope(|scope| {
            let work = |thread| {
                let (world, serving, told) = (&world, &serving, told.clone());
                move || load(&world.kms(serving), (round, thread), &told)
            };
            let clients: Vec<_> = (0..THREADS).map(|thread| scope.spawn(work(thread))).collect();
            acknowledgements.iter().take(moment).for_each(drop);
            serving.kill_now();
            let mut acknowledged = Acknowledged::default();
            clients.into_iter().for_each(|client| acknowledged.add(client.join().unwrap()));
            acknowledged
        });
        all.keys.extend(last.keys.iter().cloned());
        all.ciphertexts.extend(last.ciphertexts.iter().cloned());
    }
    let (keys, ciphertexts) = (all.keys.len(), all.ciphertexts.len());
    assert!(keys >= rounds && ciphertexts >= rounds, "{keys} keys, {ciphertexts} ciphertexts");
    let restored = world.restored(
        &world
            .restore()
            .drop("--vault")
            .add("--vault", &world.url("a"))
            .add("--vault", &world.url("c")),
    );
    let listed = list_keys(&restored.kms());
    assert!(all.keys.iter().all(|key| listed.contains(key)));
    all.assert_there(&restored.kms(), rounds);
    let seconds = began.elapsed().as_secs();
    eprintln!("{rounds} kills, {keys} keys, {ciphertexts} ciphertexts, {seconds} s");
}

/// Makes keys and ciphertexts until the server is gone; says each time that something is done.
fn load(kms: &Kms<'_>, name: (usize, usize), told: &Sender<()>) -> Acknowledged {
    let mut done = Acknowledged::default();
    loop {
        let Ok(key) = create_key(kms) else { return done };
        done.keys.push(key.clone());
        // Nobody listens any more once the moment has come.
        let _ = told.send(());
        for number in 0..CIPHERTEXTS_PER_KEY {
            let text = format!("{name:?} {number} under {key}");
            let Ok(blob) = encrypt(kms, &key, &text) else { return done };
            done.ciphertexts.push((blob, text));
            let _ = told.send(());
        }
    }
}
