//! `kit create|verify|list|revoke`: the custodian's side.
//!
//! Invariant: a kit is made and opened in this process; the server sees its public half and what
//! the open kit answers. `kit verify` needs no server: it reads the vaults as the worst day will,
//! and tells the server what it proved where one answers.

use keystead_archive::OpenedKit;
use keystead_crypto::{Entropy, VerifyingKey};
use keystead_domain::{InstanceId, parse_hex, to_hex};
use keystead_service::{DrillTask, KitChallenge, restore};
use keystead_targets::VaultUrl;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

use super::{
    WiringRefused,
    init::PROGRAM,
    kit_files::{self, KitInMaking, sheet_path},
    record::{record_in, vaults_of},
    restore::Shown,
    serve::runtime,
    world::reading_site,
};
use crate::{
    client::{Client, ProfileRefused},
    exit::Exit,
    failed::Failed,
    output::{Form, Table, warn},
    plan::{KitRevokePlan, KitVerifyPlan, NewKit},
};

#[derive(Deserialize)]
struct Created {
    statement: String,
    vaults: Vec<String>,
    challenge: Challenge,
}

#[derive(Deserialize)]
struct Challenge {
    id: String,
    epoch: String,
    slots: String,
    sealed: String,
}

#[derive(Deserialize)]
struct Listed {
    kits: Vec<KitRow>,
}

#[derive(Deserialize, Serialize)]
struct KitRow {
    kit: String,
    fingerprint: String,
    created_at: String,
    revoked_at: Option<String>,
    proven_epoch: Option<String>,
    proven_at: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Revoked {
    kit: String,
    epoch: String,
    still_opens: Vec<String>,
}

/// What `kit verify` found.
#[derive(Serialize)]
struct Verified {
    kit_id: String,
    instance: String,
    head: String,
    head_at: String,
    keys: usize,
    versions: usize,
    wraps: usize,
    /// Whether the server took the proof into its inventory.
    recorded: bool,
    /// How long it took until everything was open, in milliseconds.
    took_ms: u64,
    /// Recovered keys that did what the running ones do; absent where no drill was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    exercised: Option<u64>,
}

/// What a drill begins with.
#[derive(Deserialize)]
struct Drill {
    challenge: Challenge,
    tasks: Vec<Task>,
}

#[derive(Deserialize)]
struct Task {
    key: String,
    version: String,
    given: String,
}

/// Makes a kit for the running instance.
pub(crate) fn create(plan: NewKit, client: &Client, form: Form) -> Result<Exit, Failed> {
    let entropy = Entropy::os();
    let places = [plan.out.clone(), plan.secret_out.clone()];
    let mut making = KitInMaking::new(&entropy, plan);
    match make(&mut making, client, &entropy) {
        Ok(opened) => {
            let kit = opened.statement.kit.to_string();
            let shown = |path: &std::path::Path| path.display().to_string();
            let answer = json!({
                "kit_id": kit,
                "kit": shown(&places[0]),
                "printed_secret": shown(&places[1]),
                "sheets": [shown(&sheet_path(&places[0])), shown(&sheet_path(&places[1]))],
            });
            let text = || format!("{kit} was made, opened again, and proven to the server\n");
            form.answer(&answer, text)?;
            Ok(Exit::Done)
        }
        Err(failed) => {
            making.abandon();
            Err(failed)
        }
    }
}

fn make(making: &mut KitInMaking, client: &Client, entropy: &Entropy) -> Result<OpenedKit, Failed> {
    let request = making.request();
    let asked: Value = client.create("/v1/kits/challenge", &json!({}))?;
    let challenge = asked["challenge"].as_str().and_then(parse_hex::<32>);
    let challenge = challenge.ok_or(WiringRefused::Answer { what: "challenge" })?;
    let body = json!({
        "kit": request.id.to_string(),
        "public": base64(request.public.as_bytes()),
        "proof_key": to_hex(&request.proof_key.0),
        "challenge": to_hex(&challenge),
        "proof": to_hex(&making.prove(&challenge).0),
        "program": PROGRAM,
    });
    let created: Created = client.create("/v1/kits", &body)?;
    let statement = unbase64(&created.statement, "statement")?;
    let root = VerifyingKey(*client.root_public_key());
    let signed = keystead_archive::KitStatement::verify(&statement, &root)
        .map_err(|_| WiringRefused::Answer { what: "statement" })?;
    let opened = making.write(entropy, &statement, signed.instance, &created.vaults)?;
    prove(client, &opened, &created.challenge)?;
    Ok(opened)
}

/// Opens a challenge with an open kit and sends what was in it.
fn prove(client: &Client, kit: &OpenedKit, challenge: &Challenge) -> Result<(), Failed> {
    let answer = open(challenge, kit)?;
    let body = json!({ "challenge": challenge.id, "answer": to_hex(&answer) });
    let path = format!("/v1/kits/{}/proofs", kit.statement.kit);
    let _: Value = client.create(&path, &body)?;
    Ok(())
}

/// What was sealed in a challenge.
fn open(challenge: &Challenge, kit: &OpenedKit) -> Result<[u8; 32], Failed> {
    let opaque = KitChallenge {
        id: parse_hex(&challenge.id).ok_or(WiringRefused::Answer { what: "challenge" })?,
        epoch: unbase64(&challenge.epoch, "epoch")?,
        slots: unbase64(&challenge.slots, "slots")?,
        sealed: unbase64(&challenge.sealed, "sealed")?,
    };
    let opened = opaque.open(&kit.seed, &kit.statement.root);
    Ok(opened.map_err(|refused| WiringRefused::Challenge { refused })?)
}

/// Opens a kit, then everything that it opens, from the vaults alone.
pub(crate) fn verify(
    plan: &KitVerifyPlan,
    client: Result<Client, ProfileRefused>,
    form: Form,
) -> Result<Exit, Failed> {
    let began = Instant::now();
    let kit = kit_files::open(&plan.kit)?;
    let vaults = vaults(plan, kit.statement.instance)?;
    let runtime = runtime()?;
    let shown = Shown::new();
    let site = reading_site(runtime.handle());
    let read_only = restore::RestorePlan {
        vaults,
        loss: restore::Loss::Accepted,
        ..restore::RestorePlan::default()
    };
    let staged = runtime
        .block_on(restore::read(site, &kit, read_only, &shown))
        .map_err(WiringRefused::from)?;
    shown.done();
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let exercised = match plan.drill {
        true => Some(drill(client.as_ref(), &kit, &staged, took_ms)?),
        false => None,
    };
    let reading = staged.reading();
    let answer = Verified {
        kit_id: kit.statement.kit.to_string(),
        instance: kit.statement.instance.to_string(),
        head: reading.head.clone(),
        head_at: reading.head_at.to_string(),
        keys: reading.keys,
        versions: reading.versions,
        wraps: reading.wraps,
        recorded: exercised.is_some() || record(client, &kit),
        took_ms,
        exercised,
    };
    form.answer(&answer, || verified(&answer))?;
    Ok(Exit::Done)
}

/// Does the server's tasks with the recovered keys; says how many there were.
fn drill(
    client: Result<&Client, &ProfileRefused>,
    kit: &OpenedKit,
    staged: &restore::Staged,
    took_ms: u64,
) -> Result<u64, Failed> {
    let client = client.map_err(|refused| WiringRefused::NoServer { why: refused.to_string() })?;
    let path = format!("/v1/kits/{}", kit.statement.kit);
    let begun: Drill = client.create(&format!("{path}/drill"), &json!({}))?;
    let tasks = begun.tasks.iter().map(task).collect::<Result<Vec<_>, _>>()?;
    let answer = open(&begun.challenge, kit)?;
    let answers: Vec<Value> = staged
        .answers(&tasks)
        .iter()
        .map(|(version, done)| json!({"version": version.to_string(), "answer": base64(done)}))
        .collect();
    let body = json!({
        "challenge": begun.challenge.id, "answer": to_hex(&answer), "answers": answers,
        "took": format!("{took_ms}ms"),
    });
    let done: Value = client.create(&format!("{path}/drills"), &body)?;
    Ok(done["exercised"].as_u64().ok_or(WiringRefused::Answer { what: "exercised" })?)
}

fn task(task: &Task) -> Result<DrillTask, WiringRefused> {
    let unusable = WiringRefused::Answer { what: "tasks" };
    let (key, version) = (task.key.parse().ok(), task.version.parse().ok());
    let (Some(key), Some(version)) = (key, version) else { return Err(unusable) };
    Ok(DrillTask { key, version, given: unbase64(&task.given, "tasks")? })
}

fn verified(answer: &Verified) -> String {
    let drilled = answer.exercised.map_or(String::new(), |exercised| {
        format!(
            "The drill is on record: {exercised} recovered keys did what the running keys do; \
             everything was open after {:.1} s\n",
            Duration::from_millis(answer.took_ms).as_secs_f64()
        )
    });
    drilled
        + &format!(
            "{} opens instance {}: {} keys, {} versions, {} wrapped data keys opened, up to \
             {} ({})\n",
            answer.kit_id,
            answer.instance,
            answer.keys,
            answer.versions,
            answer.wraps,
            answer.head,
            answer.head_at,
        )
}

/// Tells the server; a kit is as good without one.
fn record(client: Result<Client, ProfileRefused>, kit: &OpenedKit) -> bool {
    let told = client.map_err(Failed::from).and_then(|client| {
        let path = format!("/v1/kits/{}/challenge", kit.statement.kit);
        let challenge: Challenge = client.create(&path, &json!({}))?;
        prove(&client, kit, &challenge)
    });
    if let Err(failed) = &told {
        warn(&format!("the proof is not in the server's inventory: {failed}"));
    }
    told.is_ok()
}

/// The vaults that were named, or those that the data folder's record lists.
fn vaults(plan: &KitVerifyPlan, instance: InstanceId) -> Result<Vec<VaultUrl>, WiringRefused> {
    if !plan.vaults.is_empty() {
        return Ok(plan.vaults.clone());
    }
    let folder = plan.data_dir.clone().unwrap_or_default();
    let record = record_in(&folder)?;
    match record.report.instance == instance.to_string() {
        true => Ok(vaults_of(&record)),
        false => Err(WiringRefused::NoRecord { path: folder.join("status.json") }),
    }
}

/// Lists the inventory.
pub(crate) fn list(client: &Client, form: Form) -> Result<Exit, Failed> {
    let answer: Value = client.read("/v1/kits", &[])?;
    let listed: Listed = client.typed(answer.clone())?;
    form.answer(&answer, || {
        let mut table = Table::new(["KIT", "MADE", "LAST PROVEN", "REVOKED", "FINGERPRINT"]);
        for kit in &listed.kits {
            let proven = kit.proven_at.as_deref().unwrap_or("never");
            let revoked = kit.revoked_at.as_deref().unwrap_or("");
            table.row([&kit.kit, &kit.created_at, proven, revoked, &kit.fingerprint]);
        }
        table.text()
    })?;
    Ok(Exit::Done)
}

/// Revokes a kit.
pub(crate) fn revoke(plan: &KitRevokePlan, client: &Client, form: Form) -> Result<Exit, Failed> {
    let path = format!("/v1/kits/{}/revoke", plan.kit);
    let answer: Value = client.create(&path, &json!({}))?;
    let done: Revoked = client.typed(answer.clone())?;
    form.answer(&answer, || {
        format!(
            "{} is revoked; epoch {} began without it.\nA copy of the kit could still open what \
             was sealed to: {}\n",
            done.kit,
            done.epoch,
            done.still_opens.join(", "),
        )
    })?;
    Ok(Exit::Done)
}

fn base64(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

fn unbase64(text: &str, what: &'static str) -> Result<Vec<u8>, WiringRefused> {
    base64_simd::STANDARD.decode_to_vec(text).map_err(|_| WiringRefused::Answer { what })
}
