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
