//! `restore run`: from vaults and a kit to a new data folder.

use std::{fmt::Write, time::Instant};

use keystead_archive::OpenedKit;
use keystead_crypto::Entropy;
use keystead_domain::to_hex;
use keystead_service::restore::{
    ExpectedHead, Freshness, Loss, Reading, Restored, Staged, Watcher, read,
};
use keystead_targets::VaultUrl;
use serde::Serialize;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use super::{
    WiringRefused,
    folder::NewFolder,
    init::{self, PROGRAM, secret_text},
    kit_files::{self, KitInMaking},
    serve::runtime,
    world::reading_site,
};
use crate::{
    client::{self, Endpoint},
    exit::Exit,
    failed::Failed,
    output::{
        Form,
        progress::{Progress, Total},
        warn,
    },
    plan::{self, Effects, RestorePlan},
    secrets::SecretText,
};

/// What `restore run --json` prints.
#[derive(Serialize)]
struct Answer {
    instance: String,
    root_public_key: String,
    kit_id: String,
    restored_head: String,
    restored_head_at: String,
    /// The number of the recovery point that the state begins from; 1 is the base.
    from_point: u64,
    freshness: String,
    vaults_read: usize,
    vaults_configured: usize,
    keys: usize,
    versions: usize,
    wraps: usize,
    bytes: u64,
    seconds: f64,
    abandoned: Vec<String>,
    isolated: bool,
    #[serde(flatten)]
    access: Option<Access>,
}

/// The new instance; absent from a drill.
#[derive(Serialize)]
struct Access {
    account: String,
    access_key_id: String,
    #[serde(serialize_with = "super::init::shown_once")]
    secret_access_key: Zeroizing<String>,
    incarnation: String,
    head: String,
    data_dir: String,
    profile: String,
}

/// Shows a restore's steps.
pub(super) struct Shown(Progress);

impl Shown {
    pub(super) fn new() -> Self {
        Self(Progress::new())
    }

    pub(super) fn done(&self) {
        self.0.done();
    }
}

impl Watcher for Shown {
    fn phase(&self, name: &'static str, total: u64) {
        self.0.phase(name, if total == 0 { Total::Unknown } else { Total::Items(total) });
    }

    fn phase_bytes(&self, name: &'static str, total_bytes: u64) {
        self.0.phase(name, Total::Bytes(total_bytes));
    }

    fn advance(&self, by: u64) {
        self.0.advance(by);
    }

    fn warn(&self, text: String) {
        warn(&text);
    }
}

/// Restores.
pub(crate) fn restore(plan: RestorePlan, form: Form) -> Result<Exit, Failed> {
    let began = Instant::now();
    let shown = Shown::new();
    let runtime = runtime()?;
    shown.0.phase("open the kit", Total::Unknown);
    let kit = kit_files::open(&plan.kit)?;
    let site = reading_site(runtime.handle());
    let reading = read(site, &kit, service_plan(&plan), &shown);
    let staged = runtime.block_on(reading).map_err(WiringRefused::from)?;
    let mut answer = Answer::of(staged.reading(), &kit);
    match plan.effects {
        Effects::Isolated => answer.isolated = true,
        Effects::Real => bring_back(plan, &runtime, staged, &kit, &shown, &mut answer)?,
    }
    shown.done();
    answer.seconds = began.elapsed().as_secs_f64();
    form.answer(&answer, || text(&answer))?;
    Ok(Exit::Done)
}

fn service_plan(plan: &RestorePlan) -> keystead_service::restore::RestorePlan {
    keystead_service::restore::RestorePlan {
        vaults: plan.vaults.clone(),
        without: plan.without_vaults.clone(),
        to: plan.to,
        expect_head: plan.expect_head.as_ref().map(|head| ExpectedHead {
            incarnation: head.incarnation,
            sequence: head.sequence,
            hash_prefix: to_hex(&head.hash_start),
        }),
        loss: match plan.loss {
            plan::Loss::Refused => Loss::Refused,
            plan::Loss::Accepted => Loss::Accepted,
        },
    }
}

/// Closes the old incarnation and founds the new one in a new folder.
fn bring_back(
    plan: RestorePlan,
    runtime: &Runtime,
    staged: Staged,
    kit: &OpenedKit,
    shown: &Shown,
    answer: &mut Answer,
) -> Result<(), Failed> {
    let RestorePlan { vaults, data_dir, passphrase, new_kit, listen, profile, .. } = plan;
    if let Some(profile) = &profile {
        client::require_place(profile, &kit.statement.root.0)?;
    }
    let account = staged.account().clone();
    let folder = NewFolder::begin(&data_dir)?;
    let mut making = new_kit.map(|new| KitInMaking::new(&Entropy::os(), new));
    let founding = Founding { runtime, kit, folder: &folder, vaults: &vaults, shown };
    let restored = match founding.found(staged, &passphrase, making.as_mut()) {
        Ok(restored) => restored,
        Err(failed) => {
            making.iter().for_each(KitInMaking::abandon);
            folder.abandon();
            return Err(failed.into());
        }
    };
    folder.finish()?;
    *answer = Answer::of(&restored.reading, kit);
    if let Some(making) = making {
        answer.kit_id = making.request().id.to_string();
    }
    let endpoint = Endpoint::of(listen);
    let made = init::profile(endpoint, &account, &restored.access, &kit.statement.root.0);
    if let Some(path) = &profile {
        client::write(path, &made)?;
    }
    answer.access = Some(Access {
        account: account.to_string(),
        access_key_id: restored.access.access_key_id.clone(),
        secret_access_key: secret_text(&restored.access),
        incarnation: restored.incarnation.to_string(),
        head: restored.head,
        data_dir: data_dir.display().to_string(),
        profile: profile.map(|path| path.display().to_string()).unwrap_or_default(),
    });
    Ok(())
}

/// What a founding needs beside what was staged.
struct Founding<'a> {
    runtime: &'a Runtime,
    kit: &'a OpenedKit,
    folder: &'a NewFolder,
    vaults: &'a [VaultUrl],
    shown: &'a Shown,
}

impl Founding<'_> {
    fn found(
        &self,
        staged: Staged,
        passphrase: &SecretText,
        making: Option<&mut KitInMaking>,
    ) -> Result<Restored, WiringRefused> {
        let (runtime, shown) = (self.runtime, self.shown);
        let closed = runtime.block_on(staged.close(self.kit, shown))?;
        let site = self.folder.site(runtime.handle(), passphrase)?;
        let Some(making) = making else {
            let found = closed.found(&site, None, &self.kit.seed, shown);
            return Ok(runtime.block_on(found)?);
        };
        shown.0.phase("make and test the new kit", Total::Unknown);
        let request = making.request();
        let statement = closed.staged().sign_kit(&request, site.clock.now(), PROGRAM);
        let urls: Vec<String> = self.vaults.iter().map(ToString::to_string).collect();
        let instance = self.kit.statement.instance;
        let opened = making.write(&site.entropy, &statement, instance, &urls)?;
        let found = closed.found(&site, Some(&request), &opened.seed, shown);
        Ok(runtime.block_on(found)?)
    }
}

impl Answer {
    fn of(reading: &Reading, kit: &OpenedKit) -> Self {
        let statement = &kit.statement;
        Self {
            instance: statement.instance.to_string(),
            root_public_key: to_hex(&statement.root.0),
            kit_id: statement.kit.to_string(),
            restored_head: reading.head.clone(),
            restored_head_at: reading.head_at.to_string(),
            from_point: reading.point,
            freshness: freshness(&reading.freshness),
            vaults_read: reading.vaults_read,
            vaults_configured: reading.vaults_configured,
            keys: reading.keys,
            versions: reading.versions,
            wraps: reading.wraps,
            bytes: reading.bytes,
            seconds: 0.0,
            abandoned: reading.abandoned.clone(),
            isolated: false,
            access: None,
        }
    }
}

fn freshness(freshness: &Freshness) -> String {
    match freshness {
        Freshness::ProvenByVaults => "proven by the vaults that were read".to_owned(),
        Freshness::ProvenByExpectedHead => "proven by the expected head".to_owned(),
        Freshness::Unproven { alive_until } => {
            format!("unproven, server alive until {alive_until}")
        }
    }
}

fn text(answer: &Answer) -> String {
    let mut text = format!(
        "Restored {} keys ({} versions) and {} wrap records of instance `{}`\n\n  \
           from head      {} ({})\n  \
           from point     {}, then segments\n  \
           freshness      {}\n  \
           vaults read    {} of {}, {} bytes, {:.1} s\n",
        answer.keys,
        answer.versions,
        answer.wraps,
        answer.instance,
        answer.restored_head,
        answer.restored_head_at,
        answer.from_point,
        answer.freshness,
        answer.vaults_read,
        answer.vaults_configured,
        answer.bytes,
        answer.seconds,
    );
    for name in &answer.abandoned {
        let _ = writeln!(text, "  abandoned      {name}");
    }
    match &answer.access {
        None => text.push_str("\nThis was a drill: nothing was written, closed or revoked.\n"),
        Some(access) => text.push_str(&next_steps(access, &answer.kit_id)),
    }
    text
}

fn next_steps(access: &Access, kit: &str) -> String {
    format!(
        "\n  account            {}\n  \
           access key id      {}\n  \
           secret access key  {}   (shown once; also in {})\n  \
           kit                {kit}\n  \
           head               {}\n\n\
         Now start the server:\n\n  keystead serve --data-dir {}\n",
        access.account,
        access.access_key_id,
        *access.secret_access_key,
        access.profile,
        access.head,
        access.data_dir,
    )
}
