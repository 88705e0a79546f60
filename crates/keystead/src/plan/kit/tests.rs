//! What the `kit` commands need and what they refuse.

use super::*;
use crate::config::Config;
use crate::secrets::tests::Script;
use keystead_crypto::Entropy;
use std::collections::VecDeque;

/// Nobody answers.
struct Nobody;

impl crate::secrets::Questions for Nobody {
    fn answers(&self) -> bool {
        false
    }
    fn line(&mut self, prompt: &str) -> std::io::Result<String> {
        panic!("asked: {prompt}")
    }
    fn hidden(&mut self, prompt: &str) -> std::io::Result<zeroize::Zeroizing<String>> {
        panic!("asked: {prompt}")
    }
    fn tell(&mut self, text: &str) -> std::io::Result<()> {
        panic!("told: {text}")
    }
}

fn alone<T>(make: impl FnOnce(&mut Desk<'_>) -> T) -> T {
    let (config, entropy) = (Config::default(), Entropy::os());
    make(&mut Desk { config: &config, questions: &mut Nobody, entropy: &entropy })
}

#[test]
fn without_a_terminal_all_missing_flags_are_named_at_once() {
    let args = NewKitArgs {
        kit_out: None,
        kit_passphrase_file: None,
        kit_passphrase_out: None,
        kit_secret_out: None,
    };
    let refused = alone(|desk| NewKit::make(&args, desk)).unwrap_err();
    let all = "missing: --kit-out, --kit-secret-out, --kit-passphrase-file";
    assert_eq!(refused.to_string(), all);
}

#[test]
fn a_made_passphrase_is_written_and_the_plan_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("a")).unwrap();
    std::fs::create_dir(at("b")).unwrap();
    let args = NewKitArgs {
        kit_out: Some(at("a/kit")),
        kit_passphrase_file: None,
        kit_passphrase_out: Some(at("passphrase")),
        kit_secret_out: Some(at("b/secret")),
    };
    let plan = alone(|desk| NewKit::make(&args, desk)).unwrap();
    let written = std::fs::read_to_string(at("passphrase")).unwrap();
    assert_eq!(plan.passphrase.expose(|text| format!("{text}\n")), written);
    assert_eq!((plan.out, plan.secret_out), (at("a/kit"), at("b/secret")));
    assert!(alone(|desk| NewKit::make(&args, desk)).is_err(), "the passphrase file exists");
    let astray = NewKitArgs { kit_out: Some(at("typo/kit")), ..args };
    let refused = alone(|desk| NewKit::make(&astray, desk)).unwrap_err();
    assert!(matches!(refused, PlanRefused::Folder { path, .. } if path == at("typo")));
}

#[test]
fn a_kit_is_revoked_only_after_a_yes() {
    let kit: KitId = "kit_00112233445566778899aabbccddeeff".parse().unwrap();
    let args = |yes| KitRevokeArgs { kit, yes };
    assert!(matches!(
        alone(|desk| KitRevokePlan::make(&args(false), desk)),
        Err(PlanRefused::Missing { .. })
    ));
    assert_eq!(alone(|desk| KitRevokePlan::make(&args(true), desk)).unwrap().kit, kit);
    let (config, entropy) = (Config::default(), Entropy::os());
    for (answer, revoked) in [("yes", true), ("", false), ("y", false), ("no", false)] {
        let mut script = Script { answers: VecDeque::from([answer]), ..Script::default() };
        let mut desk = Desk { config: &config, questions: &mut script, entropy: &entropy };
        assert_eq!(KitRevokePlan::make(&args(false), &mut desk).is_ok(), revoked, "{answer}");
    }
}

#[test]
fn verify_needs_something_to_check_against() {
    let args = KitVerifyArgs {
        kit: UsedKitArgs { kit: "k".into(), kit_passphrase_file: None, kit_secret_file: None },
        vaults: Vec::new(),
        data_dir: None,
        drill: false,
    };
    let refused = alone(|desk| KitVerifyPlan::make(&args, desk)).unwrap_err();
    assert_eq!(refused.to_string(), "missing: --data-dir or --vault");
}
