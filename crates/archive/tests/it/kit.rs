//! Recovery kits and printed secrets of `kit.json`.

use keystead_archive::{
    FactorFailed, Kit, KitPin, KitRefused, LineProblem, PrintedRefused, PrintedSecret,
};
use keystead_crypto::VerifyingKey;
use keystead_domain::InstanceId;
use serde_json::Value;

use crate::{Vector, list, vectors};

fn file() -> Value {
    serde_json::from_str(include_str!("../../../../tests/vectors/kit.json"))
        .expect("vectors are JSON")
}

fn reason(why: &KitRefused) -> &'static str {
    match why {
        KitRefused::Damaged => "damaged",
        KitRefused::Newer { .. } => "newer version",
        KitRefused::Malformed(_) => "malformed",
        KitRefused::ForeignInstance { .. } => "foreign instance",
        KitRefused::ForeignRoot => "foreign root",
        KitRefused::BadSignature => "bad signature",
        KitRefused::Factor(FactorFailed::OtherKit { .. }) => "other kit",
        KitRefused::Factor(_) => "no answer",
        KitRefused::NoSlot { .. } => "no slot",
        KitRefused::Kdf(_) => "no memory",
        KitRefused::WrongPassphraseOrFactor => "wrong passphrase or factor",
        KitRefused::Altered => "altered",
    }
}

#[test]
fn kits_open_to_their_seed_or_are_refused() {
    for vector in vectors(&file()) {
        let printed = PrintedSecret::parse(vector.text("printed")).unwrap();
        assert!(printed.secret().same_as(&vector.secret("factor")));
        let instance = vector.has("expect_instance");
        let root = vector.has("expect_root");
        let pin = KitPin {
            instance: instance.then(|| InstanceId::from_bytes(vector.array("expect_instance"))),
            root: root.then(|| VerifyingKey(vector.array("expect_root"))),
        };
        let passphrase = vector.text("passphrase").as_bytes();
        let opened = Kit::open(&vector.bytes("kit"), passphrase, &printed, pin);
        let Some(opened) = vector.judge(opened, reason) else { continue };
        assert!(opened.seed.secret().same_as(&vector.secret("seed")));
        assert_eq!(opened.prove(&vector.array("challenge")).0, vector.array("proof"));
        let said = Vector(&vector.0["statement"]);
        let statement = &opened.statement;
        assert_eq!(statement.kit.as_bytes(), &said.array("kit"));
        assert_eq!(statement.instance.as_bytes(), &said.array("instance"));
        assert_eq!(statement.root.0, said.array("root_key"));
        assert_eq!(statement.fingerprint(), said.array("fingerprint"));
        assert_eq!(statement.proof_key.0, said.array("proof_key"));
        assert_eq!(statement.program_version, said.text("program_version"));
        assert_eq!(opened.slot.slot.as_bytes(), &said.array("slot"));
    }
}

fn printed_reason(why: &PrintedRefused) -> &'static str {
    match why {
        PrintedRefused::KitLine => "kit line",
        PrintedRefused::LineCount { .. } => "line count",
        PrintedRefused::OtherKit { .. } => "other kit",
        PrintedRefused::Checksum => "checksum",
        PrintedRefused::Line { problem, .. } => match problem {
            LineProblem::WordCount { .. } => "word count",
            LineProblem::Number => "number",
            LineProblem::UnknownWord { .. } => "unknown word",
            LineProblem::CheckWord => "check word",
        },
    }
}

#[test]
fn printed_secrets_are_read_or_refused_by_their_line() {
    for vector in list(&file(), "printed") {
        let read = PrintedSecret::parse(vector.text("text"));
        if let Err(PrintedRefused::Line { line, .. }) = &read {
            assert_eq!(*line as u64, vector.number("line"), "{}", vector.name());
        }
        if let Some(printed) = vector.judge(read, printed_reason) {
            assert_eq!(printed.kit().as_bytes(), &vector.array("kit"));
            assert!(printed.secret().same_as(&vector.secret("secret")));
        }
    }
}
