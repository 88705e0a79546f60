//! The document is the one that was reviewed, and does not contradict itself.

use std::collections::BTreeSet;

use super::*;

/// From the package's folder, where tests run.
const REVIEWED: &str = "../../docs/reference/openapi.json";

#[test]
fn the_document_is_the_one_that_was_reviewed() {
    if std::env::var_os("KEYSTEAD_BLESS").is_some() {
        std::fs::write(REVIEWED, text()).unwrap();
    }
    let reviewed = std::fs::read_to_string(REVIEWED).unwrap_or_default();
    assert!(
        reviewed == text(),
        "docs/reference/openapi.json is stale: set KEYSTEAD_BLESS=1 and run again"
    );
}

#[test]
fn no_route_and_no_operation_stands_twice() {
    let places: BTreeSet<_> = routes().map(|route| (route.path, route.verb.name())).collect();
    let operations: BTreeSet<_> = routes().map(|route| route.operation).collect();
    assert_eq!((places.len(), operations.len()), (routes().count(), routes().count()));
}

#[test]
fn every_operation_is_counted_by_its_name() {
    let known = keystead_service::metrics::known_operations();
    let missing: Vec<_> =
        routes().map(|of| of.operation).filter(|of| !known.contains(of)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn a_path_has_the_parameters_that_are_described() {
    for route in routes() {
        let in_path: Vec<_> =
            route.path.split('/').filter_map(|part| part.strip_prefix('{')).collect();
        let described: Vec<_> =
            route.path_parameters.iter().map(|member| format!("{}}}", member.name)).collect();
        assert_eq!(in_path, described, "{}", route.path);
    }
}

#[test]
fn rivals_are_members() {
    for route in routes() {
        let names: Vec<_> = route.members.unwrap_or_default().iter().map(|m| m.name).collect();
        assert!(route.rivals.iter().all(|rival| names.contains(rival)), "{}", route.operation);
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_referred_to() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    found.insert(reference.clone());
                }
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let (document, mut found) = (document(), BTreeSet::new());
    references(&document, &mut found);
    let place = |kind: &str| document["components"][kind].as_object().unwrap().clone();
    let known = ["schemas", "responses"].into_iter().flat_map(|kind| {
        place(kind).into_iter().map(move |(name, _)| format!("#/components/{kind}/{name}"))
    });
    assert_eq!(found, known.collect());
}

#[test]
fn every_error_that_a_fault_can_be_is_in_the_document() {
    let described: BTreeSet<_> = routes()
        .flat_map(Route::errors)
        .flat_map(|(status, of)| of.into_iter().map(move |of| format!("{status} {}", of.kind)))
        .collect();
    for fault in crate::matrix::faults() {
        let row = super::super::problem::row(&keystead_service::Error::from(fault));
        assert!(described.contains(&row), "{row}");
    }
}
