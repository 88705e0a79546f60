//! Makes a passphrase and writes it where it was asked for.
//!
//! Invariant: the file is new and was never open to others; it is on disk before anything is sealed
//! under what it holds.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use keystead_archive::generate_passphrase;
use keystead_crypto::Entropy;

use crate::secrets::{IntakeRefused, SecretText};

/// Makes a passphrase and writes it with one newline to `path`, a new file of mode 0600.
pub(crate) fn write_made(path: &Path, entropy: &Entropy) -> Result<SecretText, IntakeRefused> {
    let secret = SecretText::new(generate_passphrase(entropy));
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        secret.expose(|text| file.write_all(text.as_bytes()))?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write().map_err(|source| IntakeRefused::Unwritable { path: path.to_owned(), source })?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{Reference, Use, read};
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn what_is_made_reads_back_as_a_new_passphrase_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        let made = write_made(&path, &Entropy::os()).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        let again = read(&Reference::File(path.clone()), Use::NewPassphrase).unwrap();
        assert!(made.repeats(&again));
        assert!(matches!(
            write_made(&path, &Entropy::os()),
            Err(IntakeRefused::Unwritable { source, .. })
                if source.kind() == io::ErrorKind::AlreadyExists
        ));
    }
}
