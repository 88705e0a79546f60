//! `init`: a new instance, its kit and its profile.

use keystead_archive::OpenedKit;
use keystead_crypto::Entropy;
use keystead_domain::{Account, to_hex};
use keystead_service::{FirstAccess, Initialised, NewInstance};
use serde::Serialize;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

use super::{
    WiringRefused,
    folder::NewFolder,
    kit_files::{KitInMaking, sheet_path},
    serve::runtime,
};
use crate::{
    client::{self, Endpoint, Profile},
    exit::Exit,
    failed::Failed,
    output::{Form, warn},
    plan::{InitPlan, NewKit},
    secrets::SecretText,
};

/// The program as kits name it.
pub(super) const PROGRAM: &str = concat!("keystead ", env!("CARGO_PKG_VERSION"));

/// What `init --json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    instance: String,
    incarnation: String,
    account: String,
    access_key_id: &'a str,
    #[serde(serialize_with = "shown_once")]
    secret_access_key: Zeroizing<String>,
    kit_id: String,
    root_public_key: String,
    head: &'a str,
    data_dir: String,
    profile: String,
    kit: String,
    printed_secret: String,
    sheets: [String; 2],
}

/// Makes the instance.
pub(crate) fn init(plan: InitPlan, form: Form) -> Result<Exit, Failed> {
    let InitPlan { data_dir, vaults, vaults_min, passphrase, kit, account, listen, profile } = plan;
    let account = account.unwrap_or_else(random_account);
    if vaults.len() < 2 {
        warn("one vault is one place to lose: add a second one on another disk");
    }
    let places = Places { data_dir, profile, kit: kit.out.clone(), secret: kit.secret_out.clone() };
    let service_plan = keystead_service::InitPlan {
        account: account.clone(),
        vaults,
        vaults_min,
        admin: "administrator".to_owned(),
    };
    let (made, kit) = make(service_plan, &places.data_dir, &passphrase, kit)?;
    let profile = self::profile(Endpoint::of(listen), &account, &made.access, &made.root_public.0);
    client::write(&places.profile, &profile)?;
    answer(&places, &account, &made, &kit, form)?;
    Ok(Exit::Done)
}

/// Where everything went.
struct Places {
    data_dir: PathBuf,
    profile: PathBuf,
    kit: PathBuf,
    secret: PathBuf,
}

/// A profile for the first access key.
pub(super) fn profile(
    endpoint: Endpoint,
    account: &Account,
    access: &FirstAccess,
    root_public_key: &[u8; 32],
) -> Profile {
    let secret = access.secret_access_key.expose(|raw| {
        keystead_crypto::Secret::from_slice(raw).expect("a secret access key has 40 characters")
    });
    Profile {
        endpoint,
        account: account.clone(),
        access_key_id: access.access_key_id.clone(),
        secret_access_key: secret,
        root_public_key: *root_public_key,
    }
}

/// Founds an instance in a new folder; takes everything away again where that fails.
pub(super) fn make(
    plan: keystead_service::InitPlan,
    data_dir: &Path,
    passphrase: &SecretText,
    kit: NewKit,
) -> Result<(Initialised, OpenedKit), WiringRefused> {
    let folder = NewFolder::begin(data_dir)?;
    let mut kit = KitInMaking::new(&Entropy::os(), kit);
    match found(plan, passphrase, &folder, &mut kit) {
        Ok(founded) => folder.finish().map(|()| founded),
        Err(failed) => {
            kit.abandon();
            folder.abandon();
            Err(failed)
        }
    }
}

fn found(
    plan: keystead_service::InitPlan,
    passphrase: &SecretText,
    folder: &NewFolder,
    kit: &mut KitInMaking,
) -> Result<(Initialised, OpenedKit), WiringRefused> {
    let runtime = runtime()?;
    let site = folder.site(runtime.handle(), passphrase)?;
    let urls: Vec<String> = plan.vaults.iter().map(ToString::to_string).collect();
    let instance = NewInstance::new(&site.entropy, site.clock.now(), plan);
    let request = kit.request();
    let statement = instance.sign_kit(&request, PROGRAM);
    let opened = kit.write(&site.entropy, &statement, instance.id(), &urls)?;
    let founded = runtime.block_on(instance.found(&site, &request, &opened.seed))?;
    Ok((founded, opened))
}

fn random_account() -> Account {
    let number = u64::from_be_bytes(Entropy::os().array()) % 900_000_000_000 + 100_000_000_000;
    number.to_string().parse().expect("twelve digits")
}

fn answer(
    places: &Places,
    account: &Account,
    made: &Initialised,
    kit: &OpenedKit,
    form: Form,
) -> Result<(), Failed> {
    let shown = |path: &Path| path.display().to_string();
    let (kit_path, secret_path) = (&places.kit, &places.secret);
    let answer = Answer {
        instance: made.instance.to_string(),
        incarnation: made.incarnation.to_string(),
        account: account.to_string(),
        access_key_id: &made.access.access_key_id,
        secret_access_key: secret_text(&made.access),
        kit_id: kit.statement.kit.to_string(),
        root_public_key: to_hex(&made.root_public.0),
        head: &made.head,
        data_dir: shown(&places.data_dir),
        profile: shown(&places.profile),
        kit: shown(kit_path),
        printed_secret: shown(secret_path),
        sheets: [shown(&sheet_path(kit_path)), shown(&sheet_path(secret_path))],
    };
    Ok(form.answer(&answer, || text(&answer))?)
}

/// The one place where a secret access key leaves this program: on the answer of the command that
/// made it.
pub(super) fn shown_once<S: serde::Serializer>(
    secret: &Zeroizing<String>,
    to: S,
) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret)
}

/// The secret access key as the caller needs it.
pub(super) fn secret_text(access: &FirstAccess) -> Zeroizing<String> {
    access.secret_access_key.expose(|raw| Zeroizing::new(String::from_utf8_lossy(raw).into_owned()))
}

fn text(answer: &Answer<'_>) -> String {
    format!(
        "The instance `{}` is ready in {}\n\n  \
           account            {}\n  \
           access key id      {}\n  \
           secret access key  {}   (shown once; also in {})\n  \
           root public key    {}\n  \
           head               {}\n\n\
         The kit `{}` was written, opened again from its files, and opens the backups.\n  \
           kit                {}\n  \
           printed secret     {}\n\n\
         Now: print {} and {}, keep them in two places and the passphrase in a third,\n\
         take both secret files off this machine, then start the server:\n\n  \
           keystead serve --data-dir {}\n",
        answer.instance,
        answer.data_dir,
        answer.account,
        answer.access_key_id,
        *answer.secret_access_key,
        answer.profile,
        answer.root_public_key,
        answer.head,
        answer.kit_id,
        answer.kit,
        answer.printed_secret,
        answer.sheets[0],
        answer.sheets[1],
        answer.data_dir,
    )
}
