//! Makes a folder or bucket a vault of one instance.
//!
//! Invariant: a configured vault without this record is *away*, never new, so that an unmounted or
//! emptied folder is not taken for a fresh one and filled again.

use keystead_crypto::{
    SigningKey, VerifyingKey,
    bytes::{Malformed, Reader, Writer},
};
use keystead_domain::{InstanceId, Timestamp, VaultId};

use crate::{
    ObjectRefused, ObjectType,
    record::{self, Record},
};

/// What a vault says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultRecord {
    /// Whose vault it is.
    pub instance: InstanceId,
    /// Which one.
    pub vault: VaultId,
    /// Its failure domain; 1 to 255 bytes.
    pub domain: String,
    /// When it was added.
    pub created_at: Timestamp,
}

impl VaultRecord {
    /// Signs it as the root.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] for a domain that is empty or over 255 bytes.
    pub fn issue(&self, root: &SigningKey) -> Result<Vec<u8>, Malformed> {
        record::issue(self, root)
    }

    /// Verifies one under the root's key.
    ///
    /// # Errors
    /// [`ObjectRefused`].
    pub fn verify(bytes: &[u8], root: &VerifyingKey) -> Result<Self, ObjectRefused> {
        record::verify(bytes, root)
    }
}

impl Record for VaultRecord {
    const OBJECT: ObjectType = ObjectType::Vault;

    fn write(&self, w: &mut Writer) {
        self.instance.write(w);
        self.vault.write(w);
        w.text(&self.domain);
        record::write_time(w, self.created_at);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            instance: InstanceId::read(r)?,
            vault: VaultId::read(r)?,
            domain: record::read_text(r, 1, "failure domain")?,
            created_at: record::read_time(r)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn a_vault_record_reads_back_and_needs_a_domain() {
        let world = World::new(1);
        let record = VaultRecord {
            instance: world.instance,
            vault: VaultId::random(&world.entropy),
            domain: "dev-8-1".into(),
            created_at: world.now,
        };
        let bytes = record.issue(&world.root).unwrap();
        assert_eq!(VaultRecord::verify(&bytes, &world.root.public()), Ok(record.clone()));
        for domain in [String::new(), "x".repeat(256)] {
            let found = VaultRecord { domain, ..record.clone() }.issue(&world.root);
            assert_eq!(found, Err(Malformed::BadValue { field: "failure domain" }));
        }
    }
}
