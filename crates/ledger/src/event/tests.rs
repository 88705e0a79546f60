//! One event, one encoding: round trips, every altered byte, and the vectors.

use proptest::prelude::*;

use super::*;
use crate::Value;

fn act() -> impl Strategy<Value = Act> {
    let ids = any::<([u8; 16], Option<[u8; 16]>, Option<[u8; 16]>)>();
    let front =
        prop_oneof![Just(Front::Aws), Just(Front::Native), Just(Front::Local), Just(Front::Job)];
    let operation = "[A-Za-z][A-Za-z0-9]{0,63}";
    let resource =
        proptest::option::of(any::<(u16, [u8; 16])>().prop_map(|(kind, id)| Resource { kind, id }));
    let outcome = prop_oneof![
        Just(Outcome::Succeeded),
        (1u8..).prop_map(|error_kind| Outcome::Refused { error_kind }),
        (1u8..).prop_map(|error_kind| Outcome::Failed { error_kind }),
    ];
    let rest = (any::<Option<[u8; 8]>>(), outcome, any::<Option<[u8; 32]>>(), attributes());
    (any::<i64>(), ids, front, operation, resource, rest).prop_map(
        |(at, (request, tenant, principal), front, operation, resource, rest)| Act {
            at,
            request: Some(request),
            tenant,
            principal,
            front,
            operation: Operation::new(&operation).unwrap(),
            resource,
            key_version: rest.0,
            outcome: rest.1,
            source: rest.2,
            attributes: rest.3,
        },
    )
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let value = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Clear),
        any::<[u8; 32]>().prop_map(Value::Mac),
        (any::<[u8; 32]>(), 4097u64..)
            .prop_map(|(sha256, len_bytes)| Value::Digest { sha256, len_bytes }),
    ];
    proptest::collection::vec(("[a-z][a-z0-9-]{0,20}", value), 0..6).prop_map(|pairs| {
        let mut attributes = Attributes::new();
        pairs.iter().for_each(|(name, value)| attributes.insert(name, value).unwrap());
        attributes
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (any::<u64>(), act())
            .prop_map(|(keyring_revision, act)| Event::Use { keyring_revision, act }),
        (1u64.., 0u16..u16::MAX, act()).prop_map(|(commit_seq, index, act)| {
            Event::State { place: StatePlace { commit_seq, index }, act }
        }),
        (any::<bool>(), act()).prop_map(|(anonymous, mut act)| {
            if anonymous {
                act.request = None;
            }
            Event::Node { act }
        }),
    ]
}

proptest! {
    #[test]
    fn an_event_reads_back_equal(event in event()) {
        let leaf = event.encode().unwrap();
        prop_assert_eq!(Event::decode(leaf.as_bytes()), Ok(event.clone()));
        let place = match event {
            Event::State { place, .. } => Some(place),
            _ => None,
        };
        prop_assert_eq!(leaf.place(), place);
    }

    #[test]
    fn what_decodes_is_what_encodes(event in event(), at in any::<usize>(), to in any::<u8>()) {
        let mut bytes = event.encode().unwrap().as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = to;
        if let Ok(other) = Event::decode(&bytes) {
            let again = other.encode().unwrap();
            prop_assert_eq!(again.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(event) = Event::decode(&bytes) {
            let again = event.encode().unwrap();
            prop_assert_eq!(again.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn no_part_and_no_more_of_a_leaf_is_a_leaf(event in event(), cut in any::<usize>()) {
        let bytes = event.encode().unwrap().as_bytes().to_vec();
        prop_assert!(Event::decode(&bytes[..cut % bytes.len()]).is_err());
        let longer = [&bytes[..], &[0]].concat();
        prop_assert_eq!(Event::decode(&longer), Err(Malformed::Trailing { extra: 1 }));
    }

    #[test]
    fn placing_alters_the_place_alone(act in act(), commit_seq in 1u64.., index in 0u16..9) {
        let place = StatePlace { commit_seq, index };
        let event = StateEvent { act: act.clone() };
        let unplaced = event.encode_unplaced().unwrap();
        prop_assert_eq!(StateEvent::decode_unplaced(&unplaced), Ok(event));
        let leaf = crate::place(&unplaced, place).unwrap();
        prop_assert_eq!(leaf.event(), Event::State { place, act });
        prop_assert!(StateEvent::decode_unplaced(leaf.as_bytes()).is_err());
        prop_assert!(Event::decode(&unplaced).is_err());
    }
}

fn plain() -> Act {
    Act {
        at: 0,
        request: None,
        tenant: None,
        principal: None,
        front: Front::Local,
        operation: Operation::new("NodeStarted").unwrap(),
        resource: None,
        key_version: None,
        outcome: Outcome::Succeeded,
        source: None,
        attributes: Attributes::new(),
    }
}

#[test]
fn only_the_node_acts_without_a_request() {
    let act = plain();
    assert!(Event::Node { act: act.clone() }.encode().is_ok());
    let anonymous = Event::Use { keyring_revision: 1, act: act.clone() };
    assert_eq!(anonymous.encode(), Err(EventRefused::NoRequest));
    assert_eq!(StateEvent { act }.encode_unplaced(), Err(EventRefused::NoRequest));
}

#[test]
fn what_no_leaf_can_hold_is_refused_by_name() {
    let mut act = Act { request: Some([1; 16]), ..plain() };
    for (commit_seq, index) in [(0, 0), (0, 1), (1, u16::MAX)] {
        let place = StatePlace { commit_seq, index };
        let refused = Event::State { place, act: act.clone() }.encode();
        assert_eq!(refused, Err(EventRefused::Place { commit_seq, index }));
        let unplaced = StateEvent { act: act.clone() }.encode_unplaced().unwrap();
        assert!(crate::place(&unplaced, place).is_err());
    }
    act.outcome = Outcome::Failed { error_kind: 0 };
    assert_eq!(Event::Node { act: act.clone() }.encode(), Err(EventRefused::Outcome));
    act.outcome = Outcome::Succeeded;
    for n in 0..16 {
        act.attributes.insert(&format!("a{n}"), &Value::of(&[0; 4096])).unwrap();
    }
    let too_long = Event::Node { act }.encode();
    assert!(matches!(too_long, Err(EventRefused::TooLong { len_bytes: 65_536.. })), "{too_long:?}");
    for bad in ["", "1a", "a b", "é", "create-key", &"a".repeat(65)] {
        assert!(Operation::new(bad).is_err(), "{bad}");
    }
}

/// One case of `tests/vectors/ledger-leaf.json`.
fn vectors() -> Vec<serde_json::Value> {
    let text = include_str!("../../../../tests/vectors/ledger-leaf.json");
    let file: serde_json::Value = serde_json::from_str(text).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn unhex(value: &serde_json::Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the vectors call a refusal.
fn word(malformed: Malformed) -> &'static str {
    match malformed {
        Malformed::Truncated { .. } => "truncated",
        Malformed::Trailing { .. } => "trailing",
        Malformed::Version { .. } => "version",
        Malformed::BadValue { field: "leaf length" } => "too-long",
        Malformed::BadValue { field } => field,
    }
}

fn described(act: &Act, mut event: serde_json::Value) -> serde_json::Value {
    let id = |id: Option<&[u8]>| id.map(hex);
    let (result, error_kind) = match act.outcome {
        Outcome::Succeeded => ("succeeded", None),
        Outcome::Refused { error_kind } => ("refused", Some(error_kind)),
        Outcome::Failed { error_kind } => ("failed", Some(error_kind)),
    };
    let mut outcome = serde_json::json!({ "result": result });
    if let Some(kind) = error_kind {
        outcome["error_kind"] = kind.into();
    }
    let attributes = act.attributes.iter().map(|(name, value)| match value {
        Value::Clear(bytes) => serde_json::json!({ "name": name, "clear": hex(&bytes) }),
        Value::Mac(mac) => serde_json::json!({ "name": name, "mac": hex(&mac) }),
        Value::Digest { sha256, len_bytes } => {
            serde_json::json!({ "name": name, "digest": hex(&sha256), "len_bytes": len_bytes })
        }
    });
    event["at"] = act.at.into();
    event["request"] = id(act.request.as_ref().map(|b| &b[..])).into();
    event["tenant"] = id(act.tenant.as_ref().map(|b| &b[..])).into();
    event["principal"] = id(act.principal.as_ref().map(|b| &b[..])).into();
    event["front"] = format!("{:?}", act.front).to_lowercase().into();
    event["operation"] = act.operation.as_str().into();
    event["resource"] = act.resource.map_or(
        serde_json::Value::Null,
        |resource| serde_json::json!({ "kind": resource.kind, "id": hex(&resource.id) }),
    );
    event["key_version"] = id(act.key_version.as_ref().map(|b| &b[..])).into();
    event["outcome"] = outcome;
    event["source"] = id(act.source.as_ref().map(|b| &b[..])).into();
    event["attributes"] = attributes.collect();
    event
}

fn described_event(event: &Event) -> serde_json::Value {
    let kind = match event {
        Event::Use { keyring_revision, .. } => {
            serde_json::json!({ "kind": "use", "keyring_revision": keyring_revision })
        }
        Event::State { place: StatePlace { commit_seq, index }, .. } => {
            serde_json::json!({ "kind": "state", "commit_seq": commit_seq, "index": index })
        }
        Event::Node { .. } => serde_json::json!({ "kind": "node" }),
    };
    described(event.act(), kind)
}

#[test]
fn the_vectors_hold() {
    let (mut good, mut bad) = (0, 0);
    for case in vectors() {
        let name = case["name"].as_str().unwrap();
        let mut bytes = unhex(&case["bytes"]);
        let zeros = case["zeros_appended"].as_u64().unwrap_or(0);
        bytes.resize(bytes.len() + usize::try_from(zeros).unwrap(), 0);
        let found = match case["form"].as_str().unwrap() {
            "leaf" => check_leaf(name, &bytes, &case),
            "unplaced" => check_unplaced(name, &bytes, &case),
            other => panic!("{name}: form {other}"),
        };
        match found {
            Ok(event) => {
                assert_eq!(event, case["event"], "{name}");
                good += 1;
            }
            Err(malformed) => {
                assert_eq!(case["error"], word(malformed), "{name}: {malformed}");
                bad += 1;
            }
        }
    }
    assert!(good >= 16 && bad >= 50, "{good} good, {bad} bad");
}

fn check_leaf(
    name: &str,
    bytes: &[u8],
    case: &serde_json::Value,
) -> Result<serde_json::Value, Malformed> {
    let leaf = Leaf::from_bytes(bytes.to_vec())?;
    assert_eq!(case["leaf_hash"], hex(&leaf.hash()), "{name}");
    let event = Event::decode(bytes)?;
    assert_eq!(event.encode().unwrap().as_bytes(), bytes, "{name}");
    Ok(described_event(&event))
}

fn check_unplaced(
    name: &str,
    bytes: &[u8],
    case: &serde_json::Value,
) -> Result<serde_json::Value, Malformed> {
    let event = StateEvent::decode_unplaced(bytes)?;
    assert_eq!(event.encode_unplaced().unwrap(), bytes, "{name}");
    let placed = &case["placed"];
    let index = u16::try_from(placed["index"].as_u64().unwrap()).unwrap();
    let place = StatePlace { commit_seq: placed["commit_seq"].as_u64().unwrap(), index };
    let leaf = crate::place(bytes, place).unwrap();
    assert_eq!(leaf.as_bytes(), unhex(&placed["leaf"]), "{name}");
    assert_eq!(placed["leaf_hash"], hex(&leaf.hash()), "{name}");
    Ok(described(&event.act, serde_json::json!({ "kind": "state" })))
}
