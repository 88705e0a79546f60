//! The kinds of aggregate: what a change set puts and deletes, and what a seal context names.
//!
//! Invariant: a number is never reused; it is in every segment that was ever written.

use keystead_crypto::bytes::{Malformed, Reader, Writer};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// A kind of aggregate.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind, in order of its number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its number in formats and databases.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// Its name, as seal contexts and people see it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The kind with this number.
            #[must_use]
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    /// The instance's settings: account, vault list, how many vaults must confirm.
    Instance = 1, "instance";
    /// A tenant and its own keys.
    Tenant = 2, "tenant";
    /// A key with its versions.
    Key = 3, "key";
    /// A principal's access key; its secret is a material row of its own.
    AccessKey = 4, "access-key";
    /// A backup epoch, signed by the root.
    Epoch = 5, "epoch";
    /// The signed, numbered set of roots.
    RecipientSet = 6, "recipient-set";
    /// A recovery kit as the inventory knows it.
    Kit = 7, "kit";
    /// A backup vault.
    Vault = 8, "vault";
    /// A wrap record of the event store.
    WrapRecord = 9, "wrap-record";
    /// How many wrap records a tenant has, and their chain.
    WrapLog = 10, "wrap-log";
    /// A command that was sent under an idempotency key, and what it made.
    IdempotencyKey = 11, "idempotency-key";
    /// A name of a key that can be moved to another one.
    Alias = 12, "alias";
    /// A recovery point as the inventory knows it.
    Point = 13, "point";
}

impl Kind {
    /// Appends the number.
    pub fn write(self, w: &mut Writer) {
        w.u16(self.number());
    }

    /// Takes the number.
    ///
    /// # Errors
    /// [`Malformed::BadValue`] for a kind that this program does not know.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::from_number(r.u16()?).ok_or(Malformed::BadValue { field: "aggregate kind" })
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
