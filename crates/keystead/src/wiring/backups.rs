//! `backup create|list|info|verify|check-format|test-decrypt`.
//!
//! Invariant: what is verified here is verified from the bytes, whatever a server says of them; a
//! finding is printed and makes the exit code 7. A kit is opened in this process and writes
//! nothing.

mod failed;
mod shown;

use std::{fs, path::Path, sync::Arc};

use keystead_archive::{Inspected, Outline, SegmentHeader, inspect, names::ObjectKind, outline};
use keystead_crypto::VerifyingKey;
use keystead_domain::PointId;
use keystead_service::{
    backups::{read_point, verify_vaults},
    restore::{PointSource, open_point},
};
use keystead_targets::{VaultOpener, VaultUrl};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{
    WiringRefused, kit_files,
    record::{record_in, vaults_of},
    restore::Shown,
    serve::runtime,
    world::{Adapters, reading_site},
};
use crate::{
    cli::{BackupCommand, BackupCreateArgs, RootPublicKey, Target},
    client::{Client, ProfileRefused},
    exit::Exit,
    failed::Failed,
    new_file::NewFile,
    output::Form,
    plan::{BackupDecryptPlan, Desk, Places},
};

pub(crate) use failed::BackupFailed;

type Server = Result<Client, ProfileRefused>;

/// Runs a `backup` command.
pub(crate) fn backup(
    command: &BackupCommand,
    desk: &mut Desk<'_>,
    client: Server,
    form: Form,
) -> Result<Exit, Failed> {
    match command {
        BackupCommand::Create(args) => {
            let places = Places::make(&args.places, desk);
            create(args, &places, &client?, form)
        }
        BackupCommand::List => list(&client?, form),
        BackupCommand::Info(args) => {
            let places = Places::make(&args.places, desk);
            info(&args.target, &places, client, form)
        }
        BackupCommand::Verify(args) => {
            let places = Places::make(&args.places, desk);
            match &args.target {
                Some(target) => verify(target, &places, client, form),
                None => verify_all(&client?, form),
            }
        }
        BackupCommand::CheckFormat(args) => {
            let places = Places::make(&args.places, desk);
            check_format(&args.target, &places, client, form)
        }
        BackupCommand::TestDecrypt(args) => {
            test_decrypt(&BackupDecryptPlan::make(args, desk)?, form)
        }
    }
}

fn create(
    args: &BackupCreateArgs,
    places: &Places,
    client: &Client,
    form: Form,
) -> Result<Exit, Failed> {
    let out = match (&args.file, &args.output) {
        (Some(one), Some(other)) if one != other => return Err(BackupFailed::TwoFiles.into()),
        (one, other) => one.as_ref().or(other.as_ref()),
    };
    // Before a point is made that could not be kept where it was asked for.
    let file = out.map(|path| NewFile::begin(path)).transpose()?;
    let kind = if args.full { "full" } else { "metadata" };
    let made: Value = client.create("/v1/points", &json!({ "kind": kind }))?;
    if let Some(mut file) = file {
        let point = made["point"].as_str().and_then(|text| text.parse().ok());
        let point: PointId = point.ok_or(WiringRefused::Answer { what: "point" })?;
        let root = VerifyingKey(*client.root_public_key());
        let (_, bytes) = from_vaults(&named_vaults(places, Some(client))?, root, point)?;
        let digest = keystead_domain::to_hex(&keystead_archive::object_hash(&bytes));
        if made["sha256"].as_str() != Some(&digest) {
            return Err(BackupFailed::OtherPoint { point }.into());
        }
        file.write(&bytes)?;
        file.finish()?;
    }
    form.answer(&made, || shown::made(&made, out.map(|path| &**path)))?;
    Ok(Exit::Done)
}

fn list(client: &Client, form: Form) -> Result<Exit, Failed> {
    let answer: Value = client.read("/v1/points", &[])?;
    form.answer(&answer, || shown::points(&answer))?;
    Ok(Exit::Done)
}

/// Both levels, by the server.
fn verify_all(client: &Client, form: Form) -> Result<Exit, Failed> {
    let run = |level: &str| -> Result<Value, Failed> {
        Ok(client.create("/v1/verifications", &json!({ "level": level }))?)
    };
    let runs = [run("integrity")?, run("recovery")?];
    let is_sound = runs.iter().all(|run| run["findings"].as_array().is_some_and(Vec::is_empty));
    form.answer(&json!({ "verifications": runs }), || shown::runs(&runs))?;
    Ok(if is_sound { Exit::Done } else { Exit::Corrupt })
}

fn info(target: &Target, places: &Places, client: Server, form: Form) -> Result<Exit, Failed> {
    let (outline, name) = match target {
        Target::Vault(_) => return verify(target, places, client, form),
        Target::File(path) => (read_outline(path, &read_file(path)?)?, path.display().to_string()),
        Target::Point(point) => {
            let root = root(places, client)?;
            let (_, bytes) = from_vaults(&named_vaults(places, None)?, root, *point)?;
            (read_outline(Path::new(&point.to_string()), &bytes)?, point.to_string())
        }
    };
    let answer = shown::outline_value(&name, &outline);
    form.answer(&answer, || shown::outline(&name, &outline))?;
    Ok(Exit::Done)
}

fn check_format(
    target: &Target,
    places: &Places,
    client: Server,
    form: Form,
) -> Result<Exit, Failed> {
    info(target, places, client, form)
}

fn verify(target: &Target, places: &Places, client: Server, form: Form) -> Result<Exit, Failed> {
    let root = root(places, client)?;
    match target {
        Target::Vault(url) => {
            let mut urls = vec![url.clone()];
            urls.extend(places.vaults.iter().filter(|other| *other != url).cloned());
            verify_urls(&urls, root, form)
        }
        Target::Point(point) => {
            let (header, bytes) = from_vaults(&named_vaults(places, None)?, root, *point)?;
            verified(&point.to_string(), &header, bytes.len(), form)
        }
        Target::File(path) => {
            let bytes = read_file(path)?;
            let header = verified_header(path, &bytes, root)?;
            verified(&path.display().to_string(), &header, bytes.len(), form)
        }
    }
}

fn verify_urls(urls: &[VaultUrl], root: VerifyingKey, form: Form) -> Result<Exit, Failed> {
    let (runtime, opener) = opener()?;
    let progress = Shown::new();
    let run = runtime.block_on(verify_vaults(&opener, urls, root, &progress));
    let found = run.map_err(BackupFailed::from)?;
    progress.done();
    form.answer(&shown::vaults_value(&found), || shown::vaults(&found))?;
    Ok(if found.findings.is_empty() { Exit::Done } else { Exit::Corrupt })
}

fn verified(name: &str, header: &SegmentHeader, bytes: usize, form: Form) -> Result<Exit, Failed> {
    let found = Outline {
        object: keystead_archive::ObjectType::RecoveryPoint,
        bytes,
        link: Some(header.clone()),
    };
    let mut answer = shown::outline_value(name, &found);
    answer["verified"] = Value::Bool(true);
    form.answer(&answer, || format!("{name} verifies\n\n{}", shown::outline(name, &found)))?;
    Ok(Exit::Done)
}

/// A file counts as the recovery point that it says it is, once that is signed.
fn verified_header(
    path: &Path,
    bytes: &[u8],
    root: VerifyingKey,
) -> Result<SegmentHeader, BackupFailed> {
    let refused = |what: String| BackupFailed::File { path: path.to_owned(), what };
    let said = outline(bytes).map_err(|refusal| refused(refusal.to_string()))?;
    let header = said.link.ok_or_else(|| refused(format!("it is a {}", said.object)))?;
    let kind = ObjectKind::Point {
        instance: header.instance,
        incarnation: header.incarnation,
        number: header.sequence,
    };
    match inspect(&kind, bytes, &root) {
        Ok(Inspected::Link(header)) => Ok(*header),
        Ok(_) => Err(refused("it is no recovery point".to_owned())),
        Err(refusal) => Err(refused(refusal.to_string())),
    }
}

fn test_decrypt(plan: &BackupDecryptPlan, form: Form) -> Result<Exit, Failed> {
    let source = match &plan.target {
        Target::Point(point) => PointSource::Vault(*point),
        Target::File(path) => PointSource::Bytes(read_file(path)?),
        Target::Vault(_) => return Err(BackupFailed::VaultNotOpened.into()),
    };
    let urls = named_vaults(&plan.places, None)?;
    let kit = kit_files::open(&plan.kit)?;
    let runtime = runtime()?;
    let site = reading_site(runtime.handle());
    let progress = Shown::new();
    let opened = runtime
        .block_on(open_point(&site, &kit, &urls, source, &progress))
        .map_err(WiringRefused::from)?;
    progress.done();
    form.answer(&shown::opened_value(&opened), || shown::opened(&opened))?;
    Ok(if opened.findings.is_empty() { Exit::Done } else { Exit::Corrupt })
}

fn opener() -> Result<(Runtime, Arc<dyn VaultOpener>), Failed> {
    let runtime = runtime()?;
    let opener = Arc::new(Adapters(runtime.handle().clone()));
    Ok((runtime, opener))
}

fn from_vaults(
    urls: &[VaultUrl],
    root: VerifyingKey,
    point: PointId,
) -> Result<(SegmentHeader, Vec<u8>), Failed> {
    let (runtime, opener) = opener()?;
    let read = runtime.block_on(read_point(&opener, urls, root, point));
    Ok(read.map_err(BackupFailed::from)?)
}

fn read_outline(path: &Path, bytes: &[u8]) -> Result<Outline, BackupFailed> {
    let what = |refused: keystead_archive::ObjectRefused| refused.to_string();
    let path = path.to_owned();
    outline(bytes).map_err(|refused| BackupFailed::File { path, what: what(refused) })
}

fn read_file(path: &Path) -> Result<Vec<u8>, WiringRefused> {
    fs::read(path).map_err(|source| WiringRefused::File { path: path.to_owned(), source })
}

/// The key that everything is verified under.
fn root(places: &Places, client: Server) -> Result<VerifyingKey, Failed> {
    Ok(VerifyingKey(match places.root {
        Some(RootPublicKey(root)) => root,
        None => *client.map_err(BackupFailed::NoRoot)?.root_public_key(),
    }))
}

/// The vaults that were named, those that the data folder's record lists, or those that the server
/// names.
fn named_vaults(places: &Places, client: Option<&Client>) -> Result<Vec<VaultUrl>, Failed> {
    if !places.vaults.is_empty() {
        return Ok(places.vaults.clone());
    }
    let urls = match (&places.data_dir, client) {
        (Some(folder), _) => vaults_of(&record_in(folder)?),
        (None, Some(client)) => urls(&client.read("/v1/status", &[])?),
        (None, None) => Vec::new(),
    };
    match urls.is_empty() {
        true => Err(BackupFailed::NoVaults.into()),
        false => Ok(urls),
    }
}

fn urls(status: &Value) -> Vec<VaultUrl> {
    let vaults = status["vaults"].as_array().map(Vec::as_slice).unwrap_or_default();
    vaults.iter().filter_map(|vault| vault["url"].as_str()?.parse().ok()).collect()
}
