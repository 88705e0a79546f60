//! `cargo xtask demo`: keys made, documents encrypted, everything lost, everything recovered.
//!
//! Invariant: each line of the table stands for something that has just happened and was looked at;
//! the last line counts bytes that were compared. Exit code 0 means that nothing is missing.
//!
//! Two clients share the work, ours and boto3, and both decrypt all of it in the end, so that what
//! one wrote the other reads. Each document is encrypted once more under a data key that only the
//! registry of wrapped data keys has.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "its output is what it is for")]

mod boto3;
mod documents;
mod envelope;
mod failure;
mod registry;
mod scene;
mod table;

use std::process::ExitCode;

use crate::{
    documents::{Document, Outcome},
    failure::Failure,
    scene::Scene,
    table::Table,
};

/// Few enough that each has several documents, enough that one alone would be seen to be missing.
const KEYS: usize = 8;

fn main() -> ExitCode {
    match play() {
        Ok(outcome) => {
            println!("{outcome}");
            if outcome.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn play() -> Result<Outcome, Failure> {
    let scene = Scene::set()?;
    let mut table = Table::begin();
    let (first, access) = table.phase("init: data folder, vaults, kit", || {
        scene.found().map(|(vaults, founded)| (vaults, "vaults", founded))
    })?;
    let server = table.phase("serve", || Ok((1, "server", scene.serve(&first)?)))?;
    let here = scene.client(&server, &access);
    let keys = table.phase("create keys", || {
        envelope::create_keys(&here, KEYS).map(|keys| (keys.len(), "keys", keys))
    })?;
    let mut documents = Document::tracked(&keys, &scene.folder("documents")?)?;
    table.phase("encrypt with our own client", || {
        let ours = documents.iter_mut().filter(|document| !document.is_for_boto3);
        envelope::encrypt(&here, ours).map(|count| (count, "documents", ()))
    })?;
    table.phase("encrypt with boto3", || {
        boto3::encrypt(&here, &documents).map(|count| (count, "documents", ()))
    })?;
    table.phase("encrypt under wrapped data keys", || {
        let count = registry::encrypt(&scene.native(&server, &access), &documents)?;
        Ok((count, "documents", ()))
    })?;
    table.phase("SIGKILL, delete machine and vault", || {
        server.kill();
        scene.lose(first).map(|gone| (gone, "files", ()))
    })?;
    let (second, access) = table.phase("restore from two vaults and kit", || {
        scene.restore().map(|(keys, restored)| (keys, "keys", restored))
    })?;
    let server = table.phase("serve", || Ok((1, "server", scene.serve(&second)?)))?;
    let there = scene.client(&server, &access);
    let ours = table.phase("decrypt with our own client", || {
        let ours = envelope::decrypt(&there, &documents);
        Ok((ours.len(), "documents", ours))
    })?;
    let boto3 = table.phase("decrypt with boto3", || {
        boto3::decrypt(&there, &documents).map(|boto3| (boto3.len(), "documents", boto3))
    })?;
    let registry = table.phase("decrypt under wrapped data keys", || {
        let back = registry::decrypt(&scene.native(&server, &access), &documents);
        Ok((back.len(), "documents", back))
    })?;
    table.phase("verify the record across the loss", || {
        scene.verify_ledgers(&second).map(|entries| (entries, "entries", ()))
    })?;
    let listed = envelope::list_keys(&there)?;
    Ok(Outcome::compare(&keys, &listed, &documents, &[ours, boto3, registry]))
}
