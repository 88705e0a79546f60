//! `wrap verify`: whether an export is whole, with nothing but a root public key.
//!
//! Invariant: no server is asked, and the file is read once, a line at a time.

use std::fs::{File, Metadata};
use std::io::BufReader;
use std::path::Path;

use keystead_archive::WrapStatement;
use keystead_crypto::VerifyingKey;
use keystead_domain::to_hex;
use serde::Serialize;

use super::WrapFailed;
use crate::cli::{RootPublicKey, WrapVerifyArgs};
use crate::client::{Client, ProfileRefused};
use crate::failed::Failed;
use crate::output::Form;
use crate::output::progress::{Progress, Total};
use crate::wrap_export;

/// What a whole export is an export of.
#[derive(Serialize)]
struct Whole {
    count: u64,
    chain: String,
    tenant: String,
    instance: String,
    incarnation: String,
    stated_at: String,
}

/// Verifies under the key that was given, or the profile's.
pub(super) fn verify(
    args: &WrapVerifyArgs,
    client: Result<Client, ProfileRefused>,
    form: Form,
) -> Result<(), Failed> {
    let root = match args.root_public_key {
        Some(RootPublicKey(root)) => root,
        None => *client.map_err(WrapFailed::NoRoot)?.root_public_key(),
    };
    answer(&whole(&args.file, &VerifyingKey(root))?, form)
}

fn whole(path: &Path, root: &VerifyingKey) -> Result<WrapStatement, WrapFailed> {
    let unreadable = |source| WrapFailed::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().ok().filter(Metadata::is_file).map(|file| file.len());
    let progress = Progress::new();
    progress.phase("verifying the export", length.map_or(Total::Unknown, Total::Bytes));
    let read = wrap_export::verify(BufReader::new(file), root, |bytes| progress.advance(bytes));
    let stated = read
        .map_err(unreadable)?
        .map_err(|refused| WrapFailed::Export { path: path.to_owned(), refused })?;
    progress.done();
    Ok(stated)
}

/// Says what was found to be whole.
pub(super) fn answer(stated: &WrapStatement, form: Form) -> Result<(), Failed> {
    let whole = Whole {
        count: stated.count,
        chain: to_hex(&stated.chain),
        tenant: stated.tenant.to_string(),
        instance: stated.instance.to_string(),
        incarnation: stated.incarnation.to_string(),
        stated_at: stated.at.to_string(),
    };
    form.answer(&whole, || text(&whole))?;
    Ok(())
}

fn text(whole: &Whole) -> String {
    let records = if whole.count == 1 { "record" } else { "records" };
    [
        format!("{} {records}, none missing, none altered\n", whole.count),
        format!("chain        {}\n", whole.chain),
        format!("tenant       {}\n", whole.tenant),
        format!("instance     {}\n", whole.instance),
        format!("incarnation  {}\n", whole.incarnation),
        format!("stated       {}\n", crate::output::moment(&whole.stated_at)),
    ]
    .concat()
}
