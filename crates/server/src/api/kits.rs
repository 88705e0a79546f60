//! `/v1/kits`: make, prove, list, revoke recovery kits.
//!
//! Invariant: only public halves, ids, proofs and root-signed bytes pass here: no passphrase, seed
//! or printed secret has a field in which it could come.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use keystead_domain::{Account, Kit, KitId, parse_hex, to_hex};
use keystead_service::{
    CreateKit, DrillAnswer, DrillChallenge, DrillProved, Fault, KitChallenge, KitCreated,
    KitRevoked, ProveKit, Service,
};

use super::call::{Answer, Signed, field, finish};
use crate::{
    fields::Fields,
    json::{JsonText, Object},
};

/// `POST /v1/kits/challenge`
pub(super) async fn challenge_new(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, ()| service.kit_challenge(cx).await;
    let shown = |challenge: &[u8; 32]| {
        Answer::ok(JsonText::object(0, |o| {
            o.text("challenge", &to_hex(challenge));
        }))
    };
    signed.answer(service, "ChallengeNewKit", nothing, act, shown).await
}

/// `POST /v1/kits`
pub(super) async fn create(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.create_kit(cx, command).await;
    signed.answer(service, "CreateKit", parse_create, act, created).await
}

/// `GET /v1/kits`
pub(super) async fn list(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let parse = |signed: &Signed, _: &Account| signed.query(&[]).map(drop);
    let act = async |service: Arc<Service>, cx, ()| service.list_kits(cx).await;
    let shown = |kits: &Vec<Kit>| {
        Answer::ok(JsonText::object(0, |o| {
            o.list("kits", kits, write_kit);
        }))
    };
    signed.answer(service, "ListKits", parse, act, shown).await
}

/// `POST /v1/kits/{kit}/challenge`
pub(super) async fn challenge(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, kit| service.challenge_kit(cx, kit).await;
    let shown = |challenge: &KitChallenge| {
        Answer::ok(JsonText::object(0, |o| write_challenge(o, challenge)))
    };
    signed.answer(service, "ChallengeKit", parse_kit, act, shown).await
}

/// `POST /v1/kits/{kit}/proofs`
pub(super) async fn prove(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.prove_kit(cx, command).await;
    let shown = |kit: &Kit| Answer::ok(JsonText::object(0, |o| write_kit(o, kit)));
    signed.answer(service, "ProveKit", parse_prove, act, shown).await
}

/// `POST /v1/kits/{kit}/drill`
pub(super) async fn challenge_drill(
    State(service): State<Arc<Service>>,
    signed: Signed,
) -> Response {
    let act = async |service: Arc<Service>, cx, kit| service.challenge_drill(cx, kit).await;
    let shown = |drill: &DrillChallenge| {
        Answer::ok(JsonText::object(0, |o| {
            o.object("challenge", |o| write_challenge(o, &drill.challenge));
            o.list("tasks", &drill.tasks, |o, task| {
                o.text("key", &task.key.to_string()).text("version", &task.version.to_string());
                o.base64("given", &task.given);
            });
        }))
    };
    signed.answer(service, "ChallengeDrill", parse_kit, act, shown).await
}

/// `POST /v1/kits/{kit}/drills`
pub(super) async fn prove_drill(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, command| service.prove_drill(cx, command).await;
    let shown = |proved: &DrillProved| {
        Answer::ok(JsonText::object(0, |o| {
            o.object("kit", |o| write_kit(o, &proved.kit));
            o.integer("exercised", i64::try_from(proved.exercised).unwrap_or(i64::MAX));
        }))
    };
    signed.answer(service, "ProveDrill", parse_drill, act, shown).await
}

/// `POST /v1/kits/{kit}/revoke`
pub(super) async fn revoke(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let act = async |service: Arc<Service>, cx, kit| service.revoke_kit(cx, kit).await;
    signed.answer(service, "RevokeKit", parse_kit, act, revoked).await
}

fn nothing(signed: &Signed, _: &Account) -> Result<(), Fault> {
    finish(&signed.fields()?)
}

fn parse_kit(signed: &Signed, _: &Account) -> Result<KitId, Fault> {
    finish(&signed.fields()?)?;
    kit_of(signed)
}

/// The id in the path: `/v1/kits/<id>/…`.
fn kit_of(signed: &Signed) -> Result<KitId, Fault> {
    let text = signed.head.uri.path().split('/').nth(3).unwrap_or_default();
    text.parse().map_err(|_| Fault::Nothing { what: "kit", name: text.to_owned() })
}

pub(super) fn parse_create(signed: &Signed, _: &Account) -> Result<CreateKit, Fault> {
    let mut fields = signed.fields()?;
    let mut public = fields.blob("public")?.ok_or_else(|| field("public", "missing"))?;
    let command = CreateKit {
        kit: required(&mut fields, "kit")?
            .parse()
            .map_err(|_| field("kit", "not the id of a kit"))?,
        public: std::mem::take(&mut *public),
        proof_key: hex(&mut fields, "proof_key")?,
        challenge: hex(&mut fields, "challenge")?,
        proof: hex(&mut fields, "proof")?,
        program: required(&mut fields, "program")?,
    };
    if !(1..=64).contains(&command.program.len()) {
        return Err(field("program", "must have 1 to 64 bytes"));
    }
    finish(&fields)?;
    Ok(command)
}

pub(super) fn parse_prove(signed: &Signed, _: &Account) -> Result<ProveKit, Fault> {
    let mut fields = signed.fields()?;
    let (challenge, answer) = (hex(&mut fields, "challenge")?, hex(&mut fields, "answer")?);
    finish(&fields)?;
    Ok(ProveKit { kit: kit_of(signed)?, challenge, answer })
}

pub(super) fn parse_drill(signed: &Signed, _: &Account) -> Result<DrillAnswer, Fault> {
    let mut fields = signed.fields()?;
    let (challenge, answer) = (hex(&mut fields, "challenge")?, hex(&mut fields, "answer")?);
    let took_ms = milliseconds(&required(&mut fields, "took")?)
        .ok_or_else(|| field("took", "must be milliseconds, as in `1234ms`"))?;
    if !fields.has("answers") {
        return Err(field("answers", "missing"));
    }
    let mut answers = Vec::new();
    for mut one in fields.objects("answers")? {
        let version = required(&mut one, "version")?;
        let version = version
            .parse()
            .map_err(|_| field("answers", "`version` is not the id of a version"))?;
        let mut done =
            one.blob("answer")?.ok_or_else(|| field("answers", "`answer` is missing"))?;
        finish(&one)?;
        answers.push((version, std::mem::take(&mut *done)));
    }
    finish(&fields)?;
    Ok(DrillAnswer { kit: kit_of(signed)?, challenge, answer, answers, took_ms })
}

/// At most twelve digits without a zero in front, then `ms`.
fn milliseconds(text: &str) -> Option<u64> {
    let digits = text.strip_suffix("ms")?;
    let number: u64 = digits.parse().ok()?;
    (digits.len() <= 12 && number.to_string() == digits).then_some(number)
}

fn required(fields: &mut Fields, name: &'static str) -> Result<String, Fault> {
    fields.text(name)?.ok_or_else(|| field(name, "missing"))
}

fn hex<const N: usize>(fields: &mut Fields, name: &'static str) -> Result<[u8; N], Fault> {
    let text = required(fields, name)?;
    parse_hex(&text).ok_or_else(|| field(name, "not lowercase hex of the right length"))
}

fn created(made: &KitCreated) -> Answer {
    let body = JsonText::object(0, |o| {
        o.base64("statement", &made.statement);
        let vaults: Vec<&str> = made.vaults.iter().map(String::as_str).collect();
        o.texts("vaults", &vaults);
        o.object("challenge", |o| write_challenge(o, &made.challenge));
    });
    Answer { status: StatusCode::CREATED, ..Answer::ok(body) }
}

fn revoked(done: &KitRevoked) -> Answer {
    let still: Vec<String> = done.still_opens.iter().map(ToString::to_string).collect();
    let still: Vec<&str> = still.iter().map(String::as_str).collect();
    Answer::ok(JsonText::object(0, |o| {
        o.text("kit", &done.kit.to_string()).text("epoch", &done.epoch.to_string());
        o.texts("still_opens", &still);
    }))
}

fn write_challenge(o: &mut Object<'_>, challenge: &KitChallenge) {
    o.text("id", &to_hex(&challenge.id)).base64("epoch", &challenge.epoch);
    o.base64("slots", &challenge.slots).base64("sealed", &challenge.sealed);
}

fn write_kit(o: &mut Object<'_>, kit: &Kit) {
    o.text("kit", &kit.id.to_string()).text("fingerprint", &to_hex(&kit.fingerprint()));
    o.text("created_at", &kit.created_at.to_string());
    o.optional_text("revoked_at", kit.revoked_at.map(|at| at.to_string()).as_deref());
    let (epoch, at) = kit.proven.unzip();
    o.optional_text("proven_epoch", epoch.map(|epoch| epoch.to_string()).as_deref());
    o.optional_text("proven_at", at.map(|at| at.to_string()).as_deref());
}
