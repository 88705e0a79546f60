//! What `init` asks, what it takes from flags, and what it refuses before anything is made.

use super::*;
use crate::cli::{Cli, Command};
use crate::config::Config;
use crate::secrets::tests::Script;
use clap::Parser;
use keystead_crypto::Entropy;
use std::fs;

const STRONG: &str = "gravel-otter-lunar-sphinx-mend";

fn args(flags: &[&str]) -> InitArgs {
    let cli = Cli::try_parse_from(["keystead", "init"].iter().chain(flags)).unwrap();
    let Command::Init(args) = cli.command else { panic!("another command") };
    args
}

fn config(top: &Path) -> Config {
    Config {
        data_dir: Some(top.join("data")),
        profile: Some(top.join("profile.toml")),
        ..Config::default()
    }
}

fn plan(
    flags: &[&str],
    config: &Config,
    answers: &[&'static str],
) -> (Result<InitPlan, PlanRefused>, Script) {
    let mut script = Script::of(answers.iter().copied());
    let entropy = Entropy::os();
    let mut desk = Desk { config, questions: &mut script, entropy: &entropy };
    let plan = InitPlan::make(&args(flags), &mut desk);
    (plan, script)
}

#[test]
fn a_person_is_asked_five_questions_and_gets_defaults() {
    let top = tempfile::tempdir().unwrap();
    let at = |name: &str| top.path().join(name).display().to_string();
    let config = Config { data_dir: None, ..config(top.path()) };
    let vaults = format!("{}, dir://{}?domain=cellar", at("a"), at("b"));
    let kit = format!("{},{}", at("kit"), at("secret"));
    let (data, vaults, kit): (&str, &str, &str) = (at("data").leak(), vaults.leak(), kit.leak());
    let answers = [data, vaults, "", kit, ""];
    let (plan, script) = plan(&[], &config, &answers);
    let plan = plan.unwrap();
    assert_eq!((script.asked.len(), script.told.len()), (5, 2));
    assert_eq!((plan.data_dir, plan.vaults.len(), plan.vaults_min), (data.into(), 2, 2));
    assert_eq!(plan.vaults[1].declared_domain(), Some("cellar"));
    assert_eq!(plan.kit.out, PathBuf::from(at("kit/recovery.kit")));
    assert_eq!(plan.kit.secret_out, PathBuf::from(at("secret/printed-secret.txt")));
    for folder in ["secret", "kit", "a", "b"] {
        assert!(Path::new(&at(folder)).is_dir(), "{folder}");
    }
}

#[test]
fn what_flags_say_is_not_asked() {
    let top = tempfile::tempdir().unwrap();
    let at = |name: &str| top.path().join(name).display().to_string();
    fs::write(at("pass"), STRONG).unwrap();
    fs::create_dir(at("apart")).unwrap();
    fs::create_dir(at("a")).unwrap();
    let flags = [
        "--vault",
        &format!("dir://{}", at("a")),
        "--passphrase-out",
        &at("made"),
        "--kit-out",
        &at("kit"),
        "--kit-secret-out",
        &at("apart/secret"),
        "--kit-passphrase-file",
        &at("pass"),
    ];
    let (plan, script) = plan(&flags, &config(top.path()), &[]);
    let plan = plan.unwrap();
    assert!(script.asked.is_empty() && script.told.is_empty());
    assert_eq!(plan.vaults_min, 1);
    let made = fs::read_to_string(at("made")).unwrap();
    assert_eq!(plan.passphrase.expose(|text| format!("{text}\n")), made);
    assert_eq!(plan.kit.passphrase.expose(str::to_owned), STRONG);
}

#[test]
fn nothing_is_made_where_something_is_refused() {
    let top = tempfile::tempdir().unwrap();
    let at = |name: &str| top.path().join(name).display().to_string();
    let url = format!("dir://{}", at("a"));
    fs::create_dir(at("a")).unwrap();
    let base =
        ["--vault", &url, "--passphrase-out", &at("made"), "--kit-passphrase-out", &at("kp")];
    for (out, secret, said) in [
        (at("a/kit"), at("s/secret"), "lies in"),
        (at("k/kit"), at("data/secret"), "lies in"),
        (at("k/kit"), at("k/secret"), "in one folder"),
    ] {
        let flags = [&base[..], &["--kit-out", &out, "--kit-secret-out", &secret]].concat();
        let (plan, _) = plan(&flags, &config(top.path()), &[]);
        let refused = plan.unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
    }
    assert_eq!(top.path().read_dir().unwrap().count(), 1);
    fs::remove_dir(at("a")).unwrap();
    let flags = [&base[..], &["--kit-out", "k/kit", "--kit-secret-out", "s/secret"]].concat();
    let (plan, _) = plan(&flags, &config(top.path()), &[]);
    assert!(matches!(plan, Err(PlanRefused::VaultMissing { .. })));
}

#[test]
fn a_profile_is_not_replaced() {
    let top = tempfile::tempdir().unwrap();
    fs::write(top.path().join("profile.toml"), "x").unwrap();
    let (plan, script) = plan(&[], &config(top.path()), &[]);
    assert!(matches!(plan, Err(PlanRefused::ProfileTaken { .. })));
    assert!(script.asked.is_empty());
}

#[test]
fn vaults_min_is_a_majority() {
    for (vaults, least) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
        assert_eq!(vaults_min(None, vaults).unwrap(), least);
        assert_eq!(vaults_min(Some(vaults), vaults).unwrap(), vaults);
        assert_eq!(vaults_min(Some(least), vaults).unwrap(), least);
        for bad in [0, least - 1, vaults + 1, usize::MAX] {
            assert!(vaults_min(Some(bad), vaults).is_err(), "{bad} of {vaults}");
        }
    }
}
