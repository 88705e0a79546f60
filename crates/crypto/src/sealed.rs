//! Our own values sealed under our own keys: bodies of aggregates, materials, wrap records,
//! entries.
//!
//! Invariant: a [`Sealed`] names the key version that opens it and opens only in the
//! [`SealContext`] it was made for; there is no trial decryption. Roles are types: a backup key
//! cannot open a body that a master key sealed, because their extract labels differ.

use std::marker::PhantomData;

use zeroize::Zeroizing;

use crate::{
    Entropy, KeyVersion, OpenFailed, Secret,
    bytes::{Malformed, Writer},
    envelope,
    hash::sha512,
    kdf::Prk,
    labels,
};

/// What a key is for; one key, one role.
pub trait Role {
    /// The extract label.
    const LABEL: &'static str;
}

/// What is inside a [`Sealed`].
pub trait Content {
    /// The expand label.
    const LABEL: &'static str;
}

macro_rules! labelled {
    ($trait:ident: $($(#[$doc:meta])* $name:ident = $label:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {}
        impl $trait for $name {
            const LABEL: &'static str = labels::$label;
        }
    )*};
}

labelled! { Role:
    /// Opened by the seal; wraps tenant master keys.
    RootWrap = ROOT_WRAP;
    /// A tenant's master key; seals all that the tenant has in the database.
    MasterWrap = MASTER_WRAP;
    /// A tenant's backup key; seals its entries in segments and recovery points.
    BackupWrap = BACKUP_WRAP;
}

labelled! { Content:
    /// An aggregate's canonical body.
    Body = BODY;
    /// A key version's material.
    Material = MATERIAL;
    /// A wrap record's data key.
    DataKey = DATA_KEY;
    /// A lease of a data key.
    Lease = LEASE;
    /// A tenant's entry in a segment or recovery point.
    Entry = ENTRY;
}

/// The place for which a value is sealed; moved elsewhere it does not open.
#[derive(Debug, Clone)]
pub struct SealContext(Vec<u8>);

impl SealContext {
    /// `tenant` owns the value; `kind` and `id` name its row; `revision` is its state, or 0.
    #[must_use]
    pub fn new(tenant: &[u8; 16], kind: &str, id: &[u8], revision: u64) -> Self {
        let mut w = Writer::new();
        w.raw(tenant).text(kind).bytes(id).u64(revision);
        Self(w.finish())
    }
}

/// Bytes that open only under the key version they name; the type says what is inside.
pub struct Sealed<C> {
    bytes: Vec<u8>,
    content: PhantomData<fn() -> C>,
}

impl<C> Sealed<C> {
    /// Takes bytes that a store or a vault gave back.
    ///
    /// # Errors
    /// [`Malformed`] where they are no envelope of a version that this program reads.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, Malformed> {
        if let Some(newer) = envelope::newer_envelope(&bytes) {
            return Err(newer);
        }
        envelope::named_key(&bytes).ok_or(Malformed::BadValue { field: "sealed value" })?;
        Ok(Self { bytes, content: PhantomData })
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The key version that opens it.
    #[must_use]
    pub fn sealed_under(&self) -> KeyVersion {
        envelope::named_key(&self.bytes).expect("checked when it was made")
    }
}

impl<C> Clone for Sealed<C> {
    fn clone(&self) -> Self {
        Self { bytes: self.bytes.clone(), content: PhantomData }
    }
}

impl<C> PartialEq for Sealed<C> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<C> Eq for Sealed<C> {}

impl<C> std::fmt::Debug for Sealed<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} bytes)", self.bytes.len())
    }
}

/// A key of one role, ready to seal and open.
#[derive(Debug)]
pub struct SealKey<R> {
    prk: Prk,
    id: KeyVersion,
    role: PhantomData<fn() -> R>,
}

impl<R: Role> SealKey<R> {
    /// From the raw key of that version.
    #[must_use]
    pub fn new(id: KeyVersion, key: &Secret<32>) -> Self {
        let prk = key.expose(|key| Prk::extract(R::LABEL.as_bytes(), &[key]));
        Self { prk, id, role: PhantomData }
    }

    /// Which version this is.
    #[must_use]
    pub fn id(&self) -> KeyVersion {
        self.id
    }

    /// Seals `plaintext` for its place.
    #[must_use]
    pub fn seal<C: Content>(
        &self,
        entropy: &Entropy,
        context: &SealContext,
        plaintext: &[u8],
    ) -> Sealed<C> {
        let context = sha512(&context.0);
        let bytes = envelope::encrypt(&self.prk, C::LABEL, self.id, entropy, &context, plaintext);
        Sealed { bytes, content: PhantomData }
    }

    /// Opens what was sealed for the same place.
    ///
    /// # Errors
    /// [`OpenFailed`].
    pub fn open<C: Content>(
        &self,
        context: &SealContext,
        sealed: &Sealed<C>,
    ) -> Result<Zeroizing<Vec<u8>>, OpenFailed> {
        envelope::decrypt(&self.prk, C::LABEL, self.id, &sha512(&context.0), &sealed.bytes)
    }

    /// Seals a secret of fixed length.
    #[must_use]
    pub fn seal_secret<C: Content, const N: usize>(
        &self,
        entropy: &Entropy,
        context: &SealContext,
        secret: &Secret<N>,
    ) -> Sealed<C> {
        secret.expose(|bytes| self.seal(entropy, context, bytes))
    }

    /// Opens a secret of fixed length.
    ///
    /// # Errors
    /// [`OpenFailed`], also where the length differs.
    pub fn open_secret<C: Content, const N: usize>(
        &self,
        context: &SealContext,
        sealed: &Sealed<C>,
    ) -> Result<Secret<N>, OpenFailed> {
        Secret::from_slice(&self.open(context, sealed)?).ok_or(OpenFailed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: KeyVersion = KeyVersion { key: [1; 16], version: [2; 8] };

    #[test]
    fn a_value_moved_to_another_place_role_or_kind_does_not_open() {
        let entropy = Entropy::os();
        let raw = entropy.secret::<32>();
        let master = SealKey::<MasterWrap>::new(ID, &raw);
        let here = SealContext::new(&[7; 16], "key", b"id", 3);
        let sealed: Sealed<Body> = master.seal(&entropy, &here, b"value");
        assert_eq!(&**master.open(&here, &sealed).unwrap(), b"value");
        assert_eq!(sealed.sealed_under(), ID);
        for there in [
            SealContext::new(&[8; 16], "key", b"id", 3),
            SealContext::new(&[7; 16], "kit", b"id", 3),
            SealContext::new(&[7; 16], "key", b"ie", 3),
            SealContext::new(&[7; 16], "key", b"id", 4),
        ] {
            assert_eq!(master.open(&there, &sealed), Err(OpenFailed));
        }
        let backup = SealKey::<BackupWrap>::new(ID, &raw);
        assert!(backup.open(&here, &sealed).is_err());
        let as_entry = Sealed::<Entry>::from_bytes(sealed.as_bytes().to_vec()).unwrap();
        assert!(master.open(&here, &as_entry).is_err());
    }

    #[test]
    fn every_altered_bit_is_refused() {
        let entropy = Entropy::os();
        let key = SealKey::<MasterWrap>::new(ID, &entropy.secret());
        let here = SealContext::new(&[0; 16], "key", b"", 0);
        let sealed: Sealed<Body> = key.seal(&entropy, &here, b"v");
        for bit in 0..sealed.as_bytes().len() * 8 {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let opened = Sealed::<Body>::from_bytes(bytes).map(|s| key.open(&here, &s).is_ok());
            assert!(!opened.unwrap_or(false), "bit {bit}");
        }
    }
}
