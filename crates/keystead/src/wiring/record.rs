//! The signed status record that `serve` keeps in the data folder: where a command that asks no
//! server finds the vaults.

use std::path::Path;

use keystead_service::status::{RecordRefused, StatusRecord};
use keystead_targets::VaultUrl;

use super::WiringRefused;

/// Reads the record of a data folder.
pub(super) fn record_in(folder: &Path) -> Result<StatusRecord, WiringRefused> {
    let path = folder.join("status.json");
    let read = std::fs::read_to_string(&path);
    let text = read.map_err(|source| WiringRefused::File { path: path.clone(), source })?;
    StatusRecord::read(&text).map_err(|refused| match refused {
        RecordRefused::Newer(newer) => WiringRefused::NewerRecord { path, newer },
        _ => WiringRefused::NoRecord { path },
    })
}

/// The vaults that a record lists.
pub(super) fn vaults_of(record: &StatusRecord) -> Vec<VaultUrl> {
    record.report.vaults.iter().filter_map(|vault| vault.url.parse().ok()).collect()
}
