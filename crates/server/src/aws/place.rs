//! Where an answer of the AWS front is read: the account and the region that ARNs show.
//!
//! Invariant: one port serves every region; the region is that of the request's credential scope,
//! and it is only a rendering: nothing is looked up by it.

use keystead_domain::{Account, KeyId, key_arn};
use keystead_service::Service;

/// Account and region.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) account: Account,
}

impl Place {
    /// For answers to nobody in particular, which show no ARN.
    pub(super) fn unsigned(service: &Service) -> Self {
        Self { region: String::new(), account: service.account().clone() }
    }

    pub(super) fn key(&self, id: KeyId) -> String {
        key_arn(&self.region, &self.account, id)
    }

    /// `alias` begins with `alias/`.
    pub(super) fn alias(&self, alias: &str) -> String {
        format!("arn:aws:kms:{}:{}:{alias}", self.region, self.account)
    }

    pub(super) fn user(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:user/{name}", self.account)
    }
}
