//! Every answer has exactly one event, also where the server is killed between any two of them.
//!
//! Clients do what comes out of a seed; the kill comes after a number of answers. What the journal
//! holds in the end is compared with what each client was told, by the id of the request.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    thread,
    time::Instant,
};

use base64_simd::STANDARD;
use keystead_driver::{Access, Answered, CallFailed, Kms, Native, Serving};
use keystead_journal::{FileDisk, Journal, Limits};
use keystead_ledger::{Event, Front, Leaf, Outcome};
use serde_json::{Value, json};

use crate::world::World;

const CLIENTS: u64 = 16;
const ROUNDS: u64 = 20;

/// What one request came to.
struct Asked {
    operation: &'static str,
    /// Whether it was signed with the right secret.
    is_proven: bool,
    /// What came back, where anything did.
    answer: Option<Answered>,
}

/// A client with a seed of its own, and what it knows.
struct Client<'w> {
    kms: Kms<'w>,
    native: Native<'w>,
    forger: Kms<'w>,
    seed: u64,
    keys: Vec<String>,
    blobs: Vec<String>,
}

impl<'w> Client<'w> {
    fn new(serving: &Serving, world: &'w World, forged: &'w Access, seed: u64) -> Self {
        let (at, access) = (serving.endpoint(), &world.access);
        let (kms, forger) = (Kms::new(at, access), Kms::new(at, forged));
        let native = Native::new(at, access);
        Self { kms, native, forger, seed, keys: Vec::new(), blobs: Vec::new() }
    }

    /// The next number below `end` (xorshift64).
    fn below(&mut self, end: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.seed % end
    }

    fn one_of(&mut self, known: impl Fn(&Self) -> &Vec<String>) -> String {
        let end = known(self).len().max(1) as u64;
        let at = usize::try_from(self.below(end)).unwrap();
        known(self).get(at).cloned().unwrap_or_else(|| "alias/none".to_owned())
    }

    /// Asks for something, lawful or not.
    fn step(&mut self) -> Asked {
        let (key, blob) = (self.one_of(|of| &of.keys), self.one_of(|of| &of.blobs));
        let text = STANDARD.encode_to_string(self.below(u64::MAX).to_string());
        match self.below(16) {
            0 => self.kms("CreateKey", &json!({})),
            1..=3 => self.kms("Encrypt", &json!({ "KeyId": key, "Plaintext": text })),
            4 | 5 => self.kms("Decrypt", &json!({ "CiphertextBlob": blob })),
            6 => self.kms("GenerateDataKey", &json!({ "KeyId": key, "KeySpec": "AES_256" })),
            7 => self.kms("DescribeKey", &json!({ "KeyId": key })),
            8 => self.kms("ListKeys", &json!({ "Limit": self.seed % 20 })),
            9 => self.kms("DisableKey", &json!({ "KeyId": key })),
            10 => self.kms("EnableKey", &json!({ "KeyId": key })),
            11 => {
                let tags = json!([{ "TagKey": "round", "TagValue": text }]);
                self.kms("TagResource", &json!({ "KeyId": key, "Tags": tags }))
            }
            12 => {
                let name = format!("alias/a{}", self.seed);
                self.kms("CreateAlias", &json!({ "AliasName": name, "TargetKeyId": key }))
            }
            13 => asked("Encrypt", true, self.kms.ask("Encrypt", b"{\"KeyId\":".to_vec())),
            14 => asked("CreateKey", true, self.native.ask("POST", "/v1/keys", b"{}".to_vec())),
            _ => asked("Decrypt", false, self.forger.ask("Decrypt", b"{}".to_vec())),
        }
    }

    fn kms(&mut self, operation: &'static str, body: &Value) -> Asked {
        let asked = asked(operation, true, self.kms.ask(operation, body.to_string().into_bytes()));
        let answer = asked.answer.as_ref().map_or(&Value::Null, |answer| &answer.body);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        self.keys.extend(text(&answer["KeyMetadata"]["KeyId"]));
        self.blobs.extend(text(&answer["CiphertextBlob"]));
        asked
    }
}

fn asked(operation: &'static str, is_proven: bool, result: Result<Answered, CallFailed>) -> Asked {
    match result {
        Ok(answer) => Asked { operation, is_proven, answer: Some(answer) },
        Err(CallFailed::Silence { .. }) => Asked { operation, is_proven, answer: None },
        Err(other) => panic!("{other}"),
    }
}

/// Asks until the server is gone; says each time that an answer came.
fn load(mut client: Client<'_>, told: &Sender<()>) -> Vec<Asked> {
    let mut all = Vec::new();
    loop {
        all.push(client.step());
        if all.last().unwrap().answer.is_none() {
            return all;
        }
        // Nobody listens any more once the moment has come.
        let _ = told.send(());
    }
}

/// One life of the server, ended by SIGKILL after some answers.
fn round(world: &World, forged: &Access, number: u64) -> Vec<Asked> {
    let serving = world.serve();
    let (told, answers) = channel();
    let moment = usize::try_from(40 + (number * 97) % 211).unwrap();
    thread::scope(|scope| {
        let clients: Vec<_> = (1..=CLIENTS)
            .map(|of| Client::new(&serving, world, forged, number * 1_000_003 + of * 7919))
            .map(|client| (client, told.clone()))
            .map(|(client, told)| scope.spawn(move || load(client, &told)))
            .collect();
        answers.iter().take(moment).for_each(drop);
        serving.kill_now();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// The journal's events of requests, by the request's id as hex.
fn events(world: &World) -> BTreeMap<String, Vec<Event>> {
    let disk = FileDisk::open(&world.at("one/data/journal")).unwrap();
    let journal = Journal::open(Arc::new(disk), Limits::default()).unwrap();
    journal.verify().unwrap();
    let mut found = BTreeMap::<String, Vec<Event>>::new();
    for event in journal.read(0, usize::MAX).unwrap().iter().map(Leaf::event) {
        let Some(request) = event.act().request else { continue };
        let hex = request.iter().map(|byte| format!("{byte:02x}")).collect();
        found.entry(hex).or_default().push(event);
    }
    found
}

#[test]
fn each_answer_has_one_event_and_each_lost_answer_at_most_one() {
    let (world, began) = (World::new(), Instant::now());
    let forged = world.access.forged();
    let asked: Vec<Asked> = (0..ROUNDS).flat_map(|number| round(&world, &forged, number)).collect();
    let mut found = events(&world);
    let (mut answered, mut unproven) = (0, 0);
    let mut lost = BTreeMap::<&str, usize>::new();
    for Asked { operation, is_proven, answer } in &asked {
        let Some(answer) = answer else {
            *lost.entry(operation).or_default() += 1;
            continue;
        };
        let events = found.remove(&answer.request).unwrap_or_default();
        if !is_proven {
            assert!(events.is_empty(), "{operation} {answer:?}: {events:?}");
            unproven += 1;
            continue;
        }
        assert_eq!(events.len(), 1, "{operation} {answer:?}: {events:?}");
        let act = events[0].act();
        assert_eq!(act.operation.as_str(), *operation, "{answer:?}");
        let succeeded = act.outcome == Outcome::Succeeded;
        assert_eq!(succeeded, (200..300).contains(&answer.status), "{answer:?}: {act:?}");
        answered += 1;
    }
    // What is left belongs to requests whose answer a kill cut off; jobs have no client.
    let mut unanswered = 0;
    for (request, events) in found {
        assert_eq!(events.len(), 1, "{request}: {events:?}");
        let act = events[0].act();
        if act.front == Front::Job || act.principal.is_none() {
            continue;
        }
        unanswered += 1;
        let left = lost.get_mut(act.operation.as_str()).filter(|left| **left > 0);
        *left.unwrap_or_else(|| panic!("nobody asked for {request}: {act:?}")) -= 1;
    }
    let silent = asked.iter().filter(|asked| asked.answer.is_none()).count();
    assert_eq!(silent as u64, CLIENTS * ROUNDS, "each client lost the answer of its last request");
    assert!(answered > 40 * ROUNDS && unproven > 0, "{answered} {unproven}");
    let seconds = began.elapsed().as_secs();
    eprintln!("{answered} answers, {unproven} unproven, {unanswered} unanswered, {seconds} s");
}
