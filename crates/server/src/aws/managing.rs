//! The part of the KMS operations that manages keys: each parsed, called and encoded in one arm.
//!
//! Invariant: the last match is exhaustive without a wildcard, so that an operation that is listed
//! and run nowhere does not compile.

use std::sync::Arc;

use keystead_service::{AliasChange, Cx, KeyChange, Service};

use super::{
    aliases, exception::Exception, keys, kms::encode, manage, operation::Operation, place::Place,
    policies, rotation, tags, unread::Unread,
};
use crate::json::JsonText;

type Outcome = Result<Result<JsonText, Exception>, Unread>;

pub(super) async fn run(
    service: &Arc<Service>,
    cx: Cx,
    place: &Place,
    operation: Operation,
    body: &[u8],
) -> Outcome {
    use Operation as O;
    let account = &place.account;
    let (command, answer): (_, fn(&_, &_) -> _) = match operation {
        O::EnableKey => (manage::simple(body, account, KeyChange::Enable)?, manage::nothing),
        O::DisableKey => (manage::simple(body, account, KeyChange::Disable)?, manage::nothing),
        O::CancelKeyDeletion => {
            (manage::simple(body, account, KeyChange::CancelDeletion)?, manage::named)
        }
        O::UpdateKeyDescription => (manage::update_description(body, account)?, manage::nothing),
        O::TagResource => (manage::tag(body, account)?, manage::nothing),
        O::UntagResource => (manage::untag(body, account)?, manage::nothing),
        O::EnableKeyRotation => (manage::enable_rotation(body, account)?, manage::nothing),
        O::DisableKeyRotation => {
            (manage::simple(body, account, KeyChange::DisableRotation)?, manage::nothing)
        }
        O::ScheduleKeyDeletion => {
            let command = manage::schedule_deletion(body, account)?;
            let change = command.change.clone();
            let write = |view: &_, place: &_| manage::scheduled(view, place, &change);
            return Ok(encode(service.change_key(cx, command).await, place, write));
        }
        O::CreateKey => {
            let command = keys::create(body)?;
            return Ok(encode(service.create_key(cx, command).await, place, keys::metadata));
        }
        O::DescribeKey => {
            let command = keys::describe(body, account)?;
            return Ok(encode(service.describe_key(cx, command).await, place, keys::metadata));
        }
        O::ListKeys => {
            let command = keys::list(body)?;
            return Ok(encode(service.list_keys(cx, command).await, place, keys::page));
        }
        O::RotateKeyOnDemand => {
            let command = rotation::rotate(body, account)?;
            return Ok(encode(service.rotate_key(cx, command).await, place, manage::named));
        }
        other => return run_further(service, cx, place, other, body).await,
    };
    Ok(encode(service.change_key(cx, command).await, place, answer))
}

/// Aliases, and what is asked about a key.
async fn run_further(
    service: &Arc<Service>,
    cx: Cx,
    place: &Place,
    operation: Operation,
    body: &[u8],
) -> Outcome {
    use Operation as O;
    let account = &place.account;
    let read = async |command| service.read_key_aspect(cx.clone(), command).await;
    let name = async |command| service.change_alias(cx.clone(), command).await;
    Ok(match operation {
        O::CreateAlias => {
            let create = |target| AliasChange::Create { target };
            let command = aliases::target(body, account, create)?;
            encode(name(command).await, place, manage::nothing)
        }
        O::UpdateAlias => {
            let update = |target| AliasChange::Update { target };
            let command = aliases::target(body, account, update)?;
            encode(name(command).await, place, manage::nothing)
        }
        O::DeleteAlias => encode(name(aliases::delete(body)?).await, place, manage::nothing),
        O::ListAliases => {
            let command = aliases::list(body, account)?;
            encode(service.list_aliases(cx, command).await, place, aliases::page)
        }
        O::ListResourceTags => {
            let (command, paging) = tags::list(body, account)?;
            encode(read(command).await, place, |view, place| tags::page(view, place, &paging))
        }
        O::ListKeyRotations => {
            let (command, paging, shown) = rotation::list(body, account)?;
            let write = |view: &_, place: &_| rotation::rotations(view, place, (&paging, shown));
            encode(read(command).await, place, write)
        }
        O::GetKeyRotationStatus => {
            let command = rotation::status(body, account)?;
            encode(read(command).await, place, rotation::rotation_status)
        }
        other => return run_policies(service, cx, place, other, body).await,
    })
}

/// What is asked about a key's policies: there is one, and it is the default.
async fn run_policies(
    service: &Arc<Service>,
    cx: Cx,
    place: &Place,
    operation: Operation,
    body: &[u8],
) -> Outcome {
    use Operation as O;
    let account = &place.account;
    Ok(match operation {
        O::GetKeyPolicy => {
            let command = policies::read(body, account)?;
            encode(service.read_key_aspect(cx, command).await, place, policies::policy)
        }
        O::ListKeyPolicies => {
            let command = policies::list(body, account)?;
            encode(service.read_key_aspect(cx, command).await, place, policies::names)
        }
        // These are run above, by `run`, by `run_further` or by `kms`.
        O::CreateKey
        | O::DescribeKey
        | O::ListKeys
        | O::Encrypt
        | O::Decrypt
        | O::GenerateDataKey
        | O::GenerateDataKeyWithoutPlaintext
        | O::ReEncrypt
        | O::GenerateRandom
        | O::GenerateMac
        | O::GetPublicKey
        | O::Sign
        | O::Verify
        | O::VerifyMac
        | O::EnableKey
        | O::DisableKey
        | O::ScheduleKeyDeletion
        | O::CancelKeyDeletion
        | O::UpdateKeyDescription
        | O::TagResource
        | O::UntagResource
        | O::EnableKeyRotation
        | O::DisableKeyRotation
        | O::RotateKeyOnDemand
        | O::CreateAlias
        | O::UpdateAlias
        | O::DeleteAlias
        | O::ListAliases
        | O::ListResourceTags
        | O::ListKeyRotations
        | O::GetKeyRotationStatus => return Err(Unread::UnknownOperation),
    })
}
