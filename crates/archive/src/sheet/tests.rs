//! The pages are complete, escaped, self-contained, and never carry each other's half.

use keystead_crypto::{Argon2Cost, Entropy};
use keystead_domain::KitId;

use super::*;
use crate::{KitDraft, KitStatement, testing::World};

struct Pages {
    bytes: Vec<u8>,
    printed: PrintedSecret,
    kit: String,
    secret: Zeroizing<String>,
}

fn pages(file_name: &str, program_version: &str) -> Pages {
    let world = World::new(1);
    let kit = KitId::random(&world.entropy);
    let draft = KitDraft::new(&world.entropy, kit);
    let request = draft.request();
    let statement = KitStatement {
        kit,
        instance: world.instance,
        root: world.root.public(),
        public: request.public,
        proof_key: request.proof_key,
        created_at: world.now,
        program_version: program_version.into(),
    };
    let statement = statement.issue(&world.root).unwrap();
    let printed = PrintedSecret::random(&world.entropy, kit);
    let bytes =
        draft.finish(&world.entropy, &statement, b"pass", &[&printed], Argon2Cost::FLOOR).unwrap();
    let vaults = ["dir:///mnt/a?domain=x".to_owned(), "dir:///mnt/b".to_owned()];
    let sheet = KitSheet { kit: &bytes, file_name, vaults: &vaults };
    let kit = kit_sheet(&sheet).unwrap();
    let secret = secret_sheet(&printed, world.instance);
    Pages { bytes, printed, kit, secret }
}

#[test]
fn both_pages_are_self_contained_and_each_has_its_own_half() {
    let Pages { bytes, printed, kit, secret } = pages("kit.keystead", "0.1.0");
    for page in [&kit, &*secret] {
        for forbidden in ["http", "<script", "src=", "href=", "url(", "@import", "onload"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert!(page.starts_with("<!doctype html>") && page.contains("<svg "));
        assert!(page.contains(&printed.kit().to_string()));
    }
    let lines = printed.lines();
    let words = lines.iter().flatten();
    assert!(words.clone().all(|word| secret.contains(&format!(">{word}</td>"))));
    assert!(!words.clone().any(|word| kit.contains(&format!(">{word}<"))));
    assert!(!secret.contains("kit.keystead"));
    let KitSummary { statement, .. } = Kit::inspect(&bytes).unwrap();
    assert!(kit.contains(&statement.instance.to_string()));
    assert!(kit.contains(&grouped(&statement.fingerprint())));
    assert!(kit.contains("Keystead 0.1.0"));
    assert!(kit.contains("The kit file in Base45."));
    let command = "keystead restore run --kit kit.keystead --vault \
                   &#39;dir:///mnt/a?domain=x&#39; --vault dir:///mnt/b";
    assert!(kit.contains(command), "{kit}");
}

#[test]
fn what_a_page_is_given_cannot_become_markup() {
    let Pages { kit, .. } = pages("<b>'\"&.kit", "<i>1</i>");
    assert!(!kit.contains("<b>") && !kit.contains("<i>"));
    assert!(kit.contains("&lt;b&gt;&#39;&quot;&amp;.kit"));
    assert!(kit.contains("Keystead &lt;i&gt;1&lt;/i&gt;"));
}

#[test]
fn a_kit_comes_back_out_of_its_code() {
    let Pages { bytes, .. } = pages("kit", "0.1.0");
    let text = base45::encode(&bytes);
    assert_eq!(kit_from_qr(&format!("{text}\n")).unwrap(), bytes);
    assert!(qr::svg(&text).is_some());
    assert!(qr::svg(&"A".repeat(5000)).is_none());
}

#[test]
fn a_command_says_to_a_shell_what_it_says_to_a_person() {
    let vaults = ["dir:///a b".to_owned()];
    let found = restore_command("it's", &vaults);
    assert_eq!(found, r"keystead restore run --kit 'it'\''s' --vault 'dir:///a b'");
    assert_eq!(quoted("-x"), "'-x'");
    assert_eq!(quoted(""), "''");
}

#[test]
fn the_page_of_the_secret_never_grew() {
    let Pages { secret, .. } = pages("kit", "0.1.0");
    assert!(secret.len() < secret.capacity() / 2);
    let printed = PrintedSecret::random(&Entropy::seeded(1), KitId::from_bytes([1; 16]));
    assert!(printed.to_file().len() < printed.to_file().capacity());
}
