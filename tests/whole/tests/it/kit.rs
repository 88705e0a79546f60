//! The kit of a test's operator: a bare seed where nobody restores, a real kit where somebody does.
//!
//! Invariant: a real kit is made and opened as a client does it, key derivation included, once for
//! each instance; a bare seed costs nothing, and thousands of instances are founded.

use keystead_archive::{Kit, KitDraft, KitPin, OpenedKit, PrintedSecret};
use keystead_crypto::{Argon2Cost, Entropy, RecipientSeed, SigningKey};
use keystead_domain::KitId;
use keystead_service::{NewInstance, NewKit};

const PASSPHRASE: &[u8] = b"gravel-otter-lunar-sphinx-mend";

/// Which kit an instance is founded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KitForm {
    Bare,
    Real,
}

/// A kit in the hands of its custodian.
#[derive(Debug)]
pub(crate) enum HeldKit {
    Bare(RecipientSeed),
    Real(Box<OpenedKit>),
}

impl HeldKit {
    /// Makes a kit for an instance that is about to be founded.
    pub(crate) fn make(
        form: KitForm,
        entropy: &Entropy,
        instance: &NewInstance,
    ) -> (NewKit, HeldKit) {
        match form {
            KitForm::Bare => {
                let seed = RecipientSeed::random(entropy);
                let proof_key = SigningKey::from_seed(entropy.secret()).public();
                let id = KitId::random(entropy);
                (NewKit { id, public: seed.public(), proof_key }, Self::Bare(seed))
            }
            KitForm::Real => Self::make_real(entropy, instance),
        }
    }

    fn make_real(entropy: &Entropy, instance: &NewInstance) -> (NewKit, HeldKit) {
        let draft = KitDraft::new(entropy, KitId::random(entropy));
        let request = draft.request();
        let kit = NewKit { id: request.kit, public: request.public, proof_key: request.proof_key };
        let statement = instance.sign_kit(&kit, "0.0.0");
        let printed = PrintedSecret::random(entropy, kit.id);
        let file =
            draft.finish(entropy, &statement, PASSPHRASE, &[&printed], Argon2Cost::FLOOR).unwrap();
        let opened = Kit::open(&file, PASSPHRASE, &printed, KitPin::default()).unwrap();
        (kit, Self::Real(Box::new(opened)))
    }

    /// The private half.
    pub(crate) fn seed(&self) -> &RecipientSeed {
        match self {
            Self::Bare(seed) => seed,
            Self::Real(kit) => &kit.seed,
        }
    }

    /// The opened kit.
    pub(crate) fn opened(&self) -> &OpenedKit {
        match self {
            Self::Bare(_) => panic!("this test prepared a bare seed and restores"),
            Self::Real(kit) => kit,
        }
    }
}
