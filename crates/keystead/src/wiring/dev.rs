//! `dev`: a temporary instance on loopback, gone when it stops.
//!
//! Invariant: it differs from production in where things lie and in nothing else: real vaults, a
//! real kit, a real seal, in a folder that ends with the process. It says so in every place it can.

use std::{io::Write, net::SocketAddr, path::Path, time::Duration};

use keystead_archive::generate_passphrase;
use keystead_crypto::Entropy;
use keystead_server::Node;
use keystead_service::{Initialised, StartOptions, start};
use keystead_targets::VaultUrl;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{
    WiringRefused,
    ending::StopSignals,
    folder::DataFolder,
    init::{make, secret_text},
    machine,
    serve::{Front, bind, run, runtime},
    supervisor::Supervisor,
};
use crate::{
    exit::Exit,
    failed::Failed,
    output::{Form, warn},
    plan::NewKit,
    secrets::SecretText,
};

#[derive(Serialize)]
struct Answer<'a> {
    listening: &'a str,
    account: &'a str,
    access_key_id: &'a str,
    #[serde(serialize_with = "super::init::shown_once")]
    secret_access_key: Zeroizing<String>,
    folder: String,
    temporary: bool,
}

/// Makes, serves and forgets an instance.
pub(crate) fn dev(listen: SocketAddr, form: Form) -> Result<Exit, Failed> {
    let home = tempfile::Builder::new()
        .prefix("keystead-dev-")
        .tempdir()
        .map_err(|source| WiringRefused::Folder { path: std::env::temp_dir(), source })?;
    warn("`keystead dev` is temporary: everything it holds is deleted when it stops");
    let entropy = Entropy::os();
    let passphrase = SecretText::new(generate_passphrase(&entropy));
    let made = make_in(home.path(), &entropy, &passphrase)?;
    let folder = DataFolder::lock(&home.path().join("data"))?;
    let runtime = runtime()?;
    let site = folder.site(runtime.handle(), &passphrase)?;
    let served = runtime.block_on(async {
        let service = start(site, StartOptions::default()).await?;
        let account = service.account().to_string();
        let listener = bind(listen).await?;
        let address = listener.local_addr().map_err(WiringRefused::Server)?;
        let ready = || {
            let secret = secret_text(&made.access);
            let listening = format!("http://{address}");
            let answer = Answer {
                listening: &listening,
                account: &account,
                access_key_id: &made.access.access_key_id,
                secret_access_key: secret,
                folder: home.path().display().to_string(),
                temporary: true,
            };
            form.answer(&answer, || text(&answer))?;
            std::io::stdout().flush()
        };
        let node = Node::starting(machine::readings);
        node.serves(service.clone());
        let front = Front { service, node, listener, supervisor: Supervisor::none() };
        run(front, StopSignals::new()?, ready).await
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    served.map_err(Into::into)
}

fn make_in(
    home: &Path,
    entropy: &Entropy,
    passphrase: &SecretText,
) -> Result<Initialised, WiringRefused> {
    let vaults = [home.join("vault-a"), home.join("vault-b")];
    let plan = keystead_service::InitPlan {
        account: "000000000000".parse().expect("twelve digits"),
        vaults: vaults.iter().map(|path| vault(path)).collect::<Result<_, _>>()?,
        vaults_min: 2,
        admin: "developer".to_owned(),
    };
    let kit = NewKit {
        out: home.join("recovery.kit"),
        passphrase: SecretText::new(generate_passphrase(entropy)),
        secret_out: home.join("printed-secret.txt"),
    };
    make(plan, &home.join("data"), passphrase, kit).map(|(made, _)| made)
}

fn vault(path: &Path) -> Result<VaultUrl, WiringRefused> {
    let at = |source| WiringRefused::Folder { path: path.to_owned(), source };
    std::fs::create_dir(path).map_err(at)?;
    VaultUrl::directory(path).map_err(|_| at(std::io::ErrorKind::InvalidFilename.into()))
}

fn text(answer: &Answer<'_>) -> String {
    format!(
        "Temporary instance in {}; everything in it is deleted when this stops.\n\n\
         Paste into another terminal:\n\n  \
           export AWS_ENDPOINT_URL={}\n  \
           export AWS_ACCESS_KEY_ID={}\n  \
           export AWS_SECRET_ACCESS_KEY={}\n  \
           export AWS_DEFAULT_REGION=us-east-1\n  \
           aws kms create-key\n\n",
        answer.folder, answer.listening, answer.access_key_id, *answer.secret_access_key,
    )
}
