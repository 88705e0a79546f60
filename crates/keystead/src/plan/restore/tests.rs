//! What `restore run` takes and what it refuses before a vault is touched.

use super::*;
use crate::cli::{Cli, Command, RestoreCommand};
use crate::config::Config;
use crate::secrets::tests::Script;
use clap::Parser;
use keystead_crypto::Entropy;
use std::fs;
use std::path::Path;

const STRONG: &str = "gravel-otter-lunar-sphinx-mend";

fn plan(top: &Path, more: &[&str], answers: &[&'static str]) -> Result<RestorePlan, PlanRefused> {
    let (vault, kit) = (format!("dir://{}/a", top.display()), format!("{}/k", top.display()));
    let base = ["keystead", "restore", "run", "--vault", &vault, "--kit", &kit];
    let cli = Cli::try_parse_from(base.iter().chain(more)).unwrap();
    let Command::Restore(RestoreCommand::Run(args)) = cli.command else { panic!("another") };
    let config = Config {
        data_dir: Some(top.join("new")),
        profile: Some(top.join("profile.toml")),
        ..Config::default()
    };
    let mut script = Script::of(answers.iter().copied());
    let mut desk = Desk { config: &config, questions: &mut script, entropy: &Entropy::os() };
    RestorePlan::make(&args, &mut desk)
}

#[test]
fn secrets_that_are_not_named_are_asked_for() {
    let top = tempfile::tempdir().unwrap();
    let plan = plan(top.path(), &[], &["old", "abandon ability", ""]).unwrap();
    assert_eq!(plan.kit.passphrase.expose(str::to_owned), "old");
    assert_eq!(plan.kit.secret.expose(str::to_owned), "abandon ability");
    assert_eq!((plan.loss, plan.effects), (Loss::Refused, Effects::Real));
    assert!(plan.new_kit.is_none() && plan.profile.is_some());
}

#[test]
fn a_rehearsal_writes_no_profile_and_loss_is_accepted_only_by_its_flag() {
    let top = tempfile::tempdir().unwrap();
    let flags = ["--isolated", "--accept-loss", "--without-vault", "dir:///gone"];
    let plan = plan(top.path(), &flags, &["old", "words", ""]).unwrap();
    assert_eq!((plan.loss, plan.effects), (Loss::Accepted, Effects::Isolated));
    assert!(plan.profile.is_none());
    assert_eq!(plan.without_vaults.len(), 1);
}

#[test]
fn a_new_kit_has_its_own_passphrase_and_place() {
    let top = tempfile::tempdir().unwrap();
    let at = |name: &str| top.path().join(name).display().to_string();
    fs::write(at("strong"), STRONG).unwrap();
    for folder in ["b", "c"] {
        fs::create_dir(at(folder)).unwrap();
    }
    let flags = |kit: &str, secret: &str| {
        let names = ["--kit-out", "--kit-secret-out", "--kit-out-passphrase-file"];
        let values = [at(kit), at(secret), at("strong")];
        names.iter().zip(values).flat_map(|(n, v)| [(*n).to_owned(), v]).collect::<Vec<_>>()
    };
    let run = |kit: &str, secret: &str| {
        let flags = flags(kit, secret);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        plan(top.path(), &flags, &["old", "words", ""])
    };
    let new = run("b/kit", "c/secret").unwrap().new_kit.unwrap();
    assert_eq!(new.passphrase.expose(str::to_owned), STRONG);
    assert!(matches!(run("b/kit", "b/secret"), Err(PlanRefused::KitBesideSecret { .. })));
    assert!(matches!(run("a/kit", "c/secret"), Err(PlanRefused::OutputWithin { .. })));
    assert!(matches!(run("b/kit", "new/secret"), Err(PlanRefused::OutputWithin { .. })));
    let refused = plan(top.path(), &["--kit-out", &at("b/kit")], &[]).unwrap_err();
    assert_eq!(refused.to_string(), "missing: --kit-secret-out");
}
