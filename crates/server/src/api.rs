//! `/v1`, the front that Keystead's own command line uses: JSON in snake_case, signed with the
//! scope service `keystead`, errors as RFC 9457 problems.
//!
//! Invariant: one file a resource, one handler a route, each of them a parser, one call of the
//! service and an encoder handed to [`call`]; each route stands in the table of [`openapi`].
//! Unknown members and parameters are refused: a field that was spelt wrong must not be a field
//! that was not there.

mod accesses;
mod aliases;
mod backups;
mod call;
mod changes;
mod data_keys;
mod identity;
mod keys;
mod kits;
mod openapi;
mod problem;
mod signatures;
mod status;
#[cfg(test)]
mod tests;
mod uses;
mod wraps;

use std::sync::Arc;

use axum::{Router, extract::State, response::Response};
use keystead_service::{Fault, Service};

use call::Signed;

/// The routes under `/v1`: those of the table, from which the document is made too.
pub(crate) fn routes() -> Router<Arc<Service>> {
    openapi::routes().fold(Router::new(), |router, route| route.add_to(router))
}

/// Whatever no route answers; who asked is proved first, so strangers learn nothing of routes.
pub(crate) async fn no_route(State(service): State<Arc<Service>>, signed: Signed) -> Response {
    let name = format!("{} {}", signed.head.method, signed.head.uri.path());
    let error = Fault::Nothing { what: "route", name }.into();
    signed.refuse(&service, "", error).await
}

/// Every parser of this front over one request, whose sender counts as proved.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn parse_every(uri: &str, body: &[u8]) {
    use axum::http::Request;
    use keystead_domain::{PrincipalId, RequestId, TenantId};
    use keystead_service::{Cx, Front, Principal};

    let account: keystead_domain::Account = "123456789012".parse().expect("twelve digits");
    let Ok(request) = Request::builder().uri(uri).body(()) else { return };
    let principal = Arc::new(Principal {
        id: PrincipalId::from_bytes([1; 16]),
        tenant: TenantId::from_bytes([2; 16]),
        account: account.clone(),
        access_key_id: "AKIDEXAMPLE".into(),
        name: "admin".into(),
    });
    let (request, head) = (RequestId::from_bytes([3; 16]), request.into_parts().0);
    let cx = Cx { request, front: Front::Native, principal, source: "127.0.0.1".into() };
    let signed = Signed::new(cx, head, keystead_service::Wiped::new(body.to_vec()));
    let _ = keys::parse_create(&signed, &account);
    let _ = keys::parse_list(&signed, &account);
    let _ = keys::parse_describe(&signed, &account);
    let _ = uses::parse_encrypt(&signed, &account);
    let _ = uses::parse_decrypt(&signed, &account);
    let _ = signatures::parse_sign(&signed, &account);
    let _ = signatures::parse_verify(&signed, &account);
    let _ = signatures::parse_public_key(&signed, &account);
    let _ = signatures::parse_generate_mac(&signed, &account);
    let _ = signatures::parse_verify_mac(&signed, &account);
    let _ = wraps::parse_put(&signed, &account);
    let _ = wraps::parse_describe(&signed, &account);
    let _ = wraps::parse_unwrap(&signed, &account);
    let _ = wraps::parse_list(&signed, &account);
    let _ = data_keys::parse_generate(&signed, &account);
    let _ = data_keys::parse_lease(&signed, &account);
    let _ = data_keys::parse_unwrap(&signed, &account);
    let _ = backups::parse_create(&signed, &account);
    let _ = backups::parse_verify(&signed, &account);
    let _ = backups::parse_restore(&signed, &account);
    let _ = accesses::parse_reading(&signed, &account);
    let _ = accesses::parse_foreign(&signed, &account);
    let _ = accesses::parse_import(&signed, &account);
    let _ = kits::parse_create(&signed, &account);
    let _ = kits::parse_prove(&signed, &account);
    let _ = kits::parse_drill(&signed, &account);
    let _ = changes::bare(&signed, &account, keystead_service::KeyChange::Enable);
    let _ = changes::parse_deletion(&signed, &account);
    let _ = changes::parse_description(&signed, &account);
    let _ = changes::parse_tag(&signed, &account);
    let _ = changes::parse_untag(&signed, &account);
    let _ = changes::parse_rotation(&signed, &account);
    let _ = changes::parse_rotate(&signed, &account);
    let _ = aliases::parse_create(&signed, &account);
    let _ = aliases::parse_update(&signed, &account);
    let _ = aliases::parse_delete(&signed, &account);
    let _ = aliases::parse_list(&signed, &account);
    let _ = status::no_command(&signed, &account);
}

#[cfg(test)]
pub(crate) use problem::row;
