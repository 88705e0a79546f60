//! `kit create|verify|list|revoke`: the custodian's side.
//!
//! Invariant: a kit is made and opened in this process; the server sees its public half and what
//! the open kit answers. `kit verify` needs no server: it reads the vaults as the worst day will,
//! and tells the server what it proved where one answers.

use keystead_archive::OpenedKit;
use keystead_crypto::{Entropy, VerifyingKey};
use keystead_domain::{InstanceId, parse_hex, to_hex};
use keystead_service::{
    KitChallenge, RestoreSite, restore,
    status::{RecordRefused, StatusRecord},
};
use keystead_targets::VaultUrl;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

use super::{
    WiringRefused,
    init::PROGRAM,
    kit_files::{self, KitInMaking, sheet_path},
    restore::Shown,
    serve::runtime,
    world::{Adapters, OsClock},
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
    let opaque = KitChallenge {
        id: parse_hex(&challenge.id).ok_or(WiringRefused::Answer { what: "challenge" })?,
        epoch: unbase64(&challenge.epoch, "epoch")?,
        slots: unbase64(&challenge.slots, "slots")?,
        sealed: unbase64(&challenge.sealed, "sealed")?,
    };
    let answer = opaque
        .open(&kit.seed, &kit.statement.root)
        .map_err(|refused| WiringRefused::Challenge { refused })?;
    let body = json!({ "challenge": challenge.id, "answer": to_hex(&answer) });
    let path = format!("/v1/kits/{}/proofs", kit.statement.kit);
    let _: Value = client.create(&path, &body)?;
    Ok(())
}

/// Opens a kit, then everything that it opens, from the vaults alone.
pub(crate) fn verify(
    plan: &KitVerifyPlan,
    client: Result<Client, ProfileRefused>,
    form: Form,
) -> Result<Exit, Failed> {
    let kit = kit_files::open(&plan.kit)?;
    let vaults = vaults(plan, kit.statement.instance)?;
    let runtime = runtime()?;
    let shown = Shown::new();
    let site = RestoreSite {
        vaults: Arc::new(Adapters(runtime.handle().clone())),
        clock: Arc::new(OsClock::new()),
        entropy: Entropy::os(),
    };
    let read_only = restore::RestorePlan {
        vaults,
        loss: restore::Loss::Accepted,
        ..restore::RestorePlan::default()
    };
    let staged = runtime
        .block_on(restore::read(site, &kit, read_only, &shown))
        .map_err(WiringRefused::from)?;
    shown.done();
    let reading = staged.reading();
    let answer = Verified {
        kit_id: kit.statement.kit.to_string(),
        instance: kit.statement.instance.to_string(),
        head: reading.head.clone(),
        head_at: reading.head_at.to_string(),
        keys: reading.keys,
        versions: reading.versions,
        wraps: reading.wraps,
        recorded: record(client, &kit),
    };
    form.answer(&answer, || verified(&answer))?;
    Ok(Exit::Done)
}

fn verified(answer: &Verified) -> String {
    format!(
        "{} opens instance {}: {} keys, {} versions, {} wrapped data keys opened, up to {} ({})\n",
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
    let path = plan.data_dir.clone().unwrap_or_default().join("status.json");
    let read = std::fs::read_to_string(&path);
    let text = read.map_err(|source| WiringRefused::File { path: path.clone(), source })?;
    let read = StatusRecord::read(&text);
    if let Err(RecordRefused::Newer(newer)) = read {
        return Err(WiringRefused::NewerRecord { path, newer });
    }
    let record = read
        .ok()
        .filter(|record| record.report.instance == instance.to_string())
        .ok_or(WiringRefused::NoRecord { path })?;
    let urls = record.report.vaults.iter().filter_map(|vault| vault.url.parse().ok());
    Ok(urls.collect())
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
