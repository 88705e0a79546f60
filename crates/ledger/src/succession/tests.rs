//! What the first entry of an origin may say.

use super::*;
use crate::{Act, Front, Operation, Outcome};

fn origin(node: &str) -> Origin {
    Origin::new(&format!("ins/inc/{node}")).unwrap()
}

fn head(node: &str, size: u64) -> Head {
    Head { origin: origin(node), size, root: [7; 32] }
}

fn event(attributes: Attributes) -> Event {
    Event::Node {
        act: Act {
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
            attributes,
        },
    }
}

#[test]
fn what_an_origin_follows_reads_back() {
    let one = origin("new");
    let none = Succession::read(&one, &event(Attributes::new())).unwrap();
    assert_eq!(none.heads().count(), 0);
    let made = Succession::new().after(&one, head("a", 5)).unwrap();
    let made = made.after(&one, head("b", 9)).unwrap().with_unknown_tail(9).unwrap();
    let found = Succession::read(&one, &event(made.attributes())).unwrap();
    let wanted = [(&head("a", 5), false), (&head("b", 9), true)];
    assert_eq!(found.heads().collect::<Vec<_>>(), wanted);
}

#[test]
fn no_origin_follows_itself_or_another_twice() {
    let one = origin("new");
    let refused = |node| SuccessionRefused::Origin { origin: origin(node) };
    assert_eq!(Succession::new().after(&one, head("new", 5)), Err(refused("new")));
    let made = Succession::new().after(&one, head("a", 5)).unwrap();
    assert_eq!(made.clone().after(&one, head("a", 6)), Err(refused("a")));
    let found = Succession::read(&origin("a"), &event(made.attributes()));
    assert_eq!(found, Err(refused("a")));
    assert_eq!(made.with_unknown_tail(6), Err(SuccessionRefused::Tail { size: 6 }));
}

#[test]
fn attributes_that_are_not_what_they_say_are_refused() {
    let one = origin("new");
    let long = [written(&head("a", 5)), vec![0]].concat();
    for (name, value) in [
        (PREVIOUS_HEAD, Value::Clear(long)),
        (PREVIOUS_HEAD, Value::Clear(vec![])),
        (PREVIOUS_HEAD, Value::Mac([0; 32])),
        (TAIL_UNKNOWN_AFTER, Value::Clear(vec![0; 7])),
        (TAIL_UNKNOWN_AFTER, Value::Clear(vec![0; 9])),
        (TAIL_UNKNOWN_AFTER, Value::Mac([0; 32])),
    ] {
        let attributes = Attributes::new().with(name, &value).unwrap();
        let found = Succession::read(&one, &event(attributes));
        assert_eq!(found, Err(SuccessionRefused::Attribute { name }), "{value:?}");
    }
    let Event::Node { act } = event(Attributes::new()) else { unreachable!() };
    let of_use = Event::Use { keyring_revision: 1, act };
    assert_eq!(Succession::read(&one, &of_use), Err(SuccessionRefused::NotOfNode));
}
