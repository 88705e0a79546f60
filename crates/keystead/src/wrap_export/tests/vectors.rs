//! `tests/vectors/wrap-export.json`, which is normative for every reader.

use keystead_archive::ObjectRefused;
use keystead_crypto::bytes::Malformed;
use keystead_domain::{parse_hex, to_hex};
use serde_json::Value;

use crate::wrap_export::*;

fn reason(refused: &ExportRefused) -> &'static str {
    match refused {
        ExportRefused::Statement(ObjectRefused::Malformed(Malformed::Version { .. }))
        | ExportRefused::Newer { .. } => "newer version",
        ExportRefused::OtherTenant { .. } => "other tenant",
        ExportRefused::Twice { .. } => "twice",
        ExportRefused::Uncounted { .. } => "uncounted",
        ExportRefused::Missing { .. } => "missing",
        ExportRefused::OutOfOrder { .. } => "out of order",
        ExportRefused::Altered { .. } => "altered",
        ExportRefused::OtherChain => "other chain",
        ExportRefused::Statement(ObjectRefused::BadSignature { .. }) => "bad signature",
        ExportRefused::Statement(ObjectRefused::OtherNode { .. }) => "other node",
        ExportRefused::Statement(ObjectRefused::OtherType { .. }) => "other type",
        ExportRefused::Malformed { .. } | ExportRefused::Statement(_) => "malformed",
    }
}

/// The first and the last record that a refusal is about.
fn records(refused: &ExportRefused) -> Option<[u64; 2]> {
    match *refused {
        ExportRefused::Missing { from, to } => Some([from, to]),
        ExportRefused::OtherTenant { record }
        | ExportRefused::Twice { record }
        | ExportRefused::Uncounted { record, .. }
        | ExportRefused::OutOfOrder { record, .. }
        | ExportRefused::Altered { record } => Some([record, record]),
        _ => None,
    }
}

#[test]
fn every_vector_is_taken_or_refused_as_it_says() {
    let file = include_str!("../../../../../tests/vectors/wrap-export.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() > 40);
    for vector in vectors {
        let name = &vector["name"];
        let root = VerifyingKey(parse_hex(vector["root_key"].as_str().unwrap()).unwrap());
        let text = vector["file"].as_str().unwrap();
        match (verify(text.as_bytes(), &root, |_| {}).unwrap(), &vector["refused"]) {
            (Ok(stated), Value::Null) => {
                assert_eq!(vector["count"], stated.count, "{name}");
                assert_eq!(vector["chain"], to_hex(&stated.chain), "{name}");
            }
            (Err(refused), why) => {
                assert_eq!(*why, reason(&refused), "{name}: {refused}");
                let about = records(&refused).map_or(Value::Null, Value::from);
                assert_eq!(vector["records"], about, "{name}: {refused}");
            }
            (Ok(_), why) => panic!("{name} was taken: {why}"),
        }
    }
}
