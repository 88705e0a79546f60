//! Makes a kit's files on the custodian's machine and opens them again before they count.
//!
//! Invariant: seed, passphrase and printed secret never leave this process; only the public half
//! and a signed statement pass between kit and instance. Each file is new and never was open to
//! others; files of a kit that came to nothing are taken away again.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use keystead_archive::{
    Kit, KitDraft, KitPin, KitSheet, OpenedKit, PrintedSecret, kit_sheet, secret_sheet,
};
use keystead_crypto::{Argon2Cost, Entropy};
use keystead_domain::{InstanceId, KitId};

use super::WiringRefused;
use crate::plan::{NewKit, UsedKit};

/// A kit that is being made.
#[derive(Debug)]
pub(super) struct KitInMaking {
    draft: KitDraft,
    printed: PrintedSecret,
    plan: NewKit,
    written: Vec<PathBuf>,
}

impl KitInMaking {
    /// Draws the kit's seed and printed secret.
    pub(super) fn new(entropy: &Entropy, plan: NewKit) -> Self {
        let id = KitId::random(entropy);
        let draft = KitDraft::new(entropy, id);
        Self { draft, printed: PrintedSecret::random(entropy, id), plan, written: Vec::new() }
    }

    /// What the instance may know of it.
    pub(super) fn request(&self) -> keystead_service::NewKit {
        let request = self.draft.request();
        keystead_service::NewKit {
            id: request.kit,
            public: request.public,
            proof_key: request.proof_key,
        }
    }

    /// Proves over a server's challenge that this process holds the kit's seed.
    pub(super) fn prove(&self, challenge: &[u8; 32]) -> keystead_crypto::Signature {
        self.draft.prove(challenge)
    }

    /// Writes kit, printed secret and both sheets, then opens the kit from its files.
    pub(super) fn write(
        &mut self,
        entropy: &Entropy,
        statement: &[u8],
        instance: InstanceId,
        vaults: &[String],
    ) -> Result<OpenedKit, WiringRefused> {
        let bytes = self.plan.passphrase.expose(|passphrase| {
            let factors: [&dyn keystead_archive::Factor; 1] = [&self.printed];
            let cost = Argon2Cost::FLOOR;
            self.draft.finish(entropy, statement, passphrase.as_bytes(), &factors, cost)
        })?;
        let (out, secret_out) = (self.plan.out.clone(), self.plan.secret_out.clone());
        self.put(&out, &bytes)?;
        self.put(&secret_out, self.printed.to_file().as_bytes())?;
        let file_name = out.file_name().unwrap_or_default().to_string_lossy();
        let sheet = KitSheet { kit: &bytes, file_name: &file_name, vaults };
        let page = kit_sheet(&sheet)?;
        self.put(&sheet_path(&out), page.as_bytes())?;
        let page = secret_sheet(&self.printed, instance);
        self.put(&sheet_path(&secret_out), page.as_bytes())?;
        self.open_again(instance)
    }

    /// From the files, as the worst day will.
    fn open_again(&self, instance: InstanceId) -> Result<OpenedKit, WiringRefused> {
        let text = read(&self.plan.secret_out)?;
        let text = zeroize::Zeroizing::new(text);
        let text = std::str::from_utf8(&text)
            .map_err(|_| WiringRefused::NotText { path: self.plan.secret_out.clone() })?;
        let printed = PrintedSecret::parse(text)?;
        let bytes = read(&self.plan.out)?;
        let pin = KitPin { instance: Some(instance), root: None };
        self.plan
            .passphrase
            .expose(|passphrase| Kit::open(&bytes, passphrase.as_bytes(), &printed, pin))
            .map_err(Into::into)
    }

    /// Takes the files of a kit away that no instance will ever know.
    pub(super) fn abandon(&self) {
        for path in &self.written {
            if let Err(failed) = std::fs::remove_file(path) {
                tracing::warn!(file = %path.display(), %failed, "a useless kit file stays");
            }
        }
    }

    fn put(&mut self, path: &Path, bytes: &[u8]) -> Result<(), WiringRefused> {
        let at = |source| WiringRefused::File { path: path.to_owned(), source };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = file.as_mut().map_err(|failed| at(failed.kind().into()))?;
        self.written.push(path.to_owned());
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at)
    }
}

/// Opens a kit that a custodian brought.
pub(super) fn open(used: &UsedKit) -> Result<OpenedKit, WiringRefused> {
    let bytes = read(&used.path)?;
    let printed = used.secret.expose(PrintedSecret::parse)?;
    let opened = used
        .passphrase
        .expose(|passphrase| Kit::open(&bytes, passphrase.as_bytes(), &printed, KitPin::default()));
    Ok(opened?)
}

/// The printable page beside a file.
pub(super) fn sheet_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".html");
    PathBuf::from(name)
}

fn read(path: &Path) -> Result<Vec<u8>, WiringRefused> {
    std::fs::read(path).map_err(|source| WiringRefused::File { path: path.to_owned(), source })
}
