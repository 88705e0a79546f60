//! The canaries: for each rule a file that breaks it, and beside it one that does not.

use super::bans::{BANS, Scope};
use super::check;

const OPENING: &str = "//! What it is for.\n";

/// The findings in a Rust file of the service that opens as it should.
fn found(text: &str) -> Vec<String> {
    found_in("crates/service/src/a.rs", &format!("{OPENING}{text}"))
}

fn found_in(path: &str, text: &str) -> Vec<String> {
    let findings = check(path, text.as_bytes()).into_iter();
    findings.map(|finding| format!("{}: {}", finding.line, finding.problem)).collect()
}

#[track_caller]
fn assert_one(found: &[String], start: &str) {
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(start), "{found:?}");
}

#[test]
fn a_tidy_file_has_no_findings() {
    let text = "/// Doc.\npub struct KeyPolicy;\n\nimpl KeyPolicy {\n    fn id(&self) {}\n}\n";
    assert_eq!(found(text), [""; 0]);
}

#[test]
fn each_ban_has_a_canary_that_fails() {
    for ban in &BANS {
        let tail = if ban.pattern.ends_with('_') { "x" } else { " " };
        let line = format!("a = {}{tail};\n", ban.pattern);
        let start = format!("2: `{}`: use ", ban.pattern);
        assert!(found(&line).iter().any(|f| f.starts_with(&start)), "{}", ban.pattern);
        let quoted =
            format!("// {0}\nlet a = \"{1}\";\n", ban.pattern, ban.pattern.replace('"', ""));
        assert_eq!(found(&quoted), [""; 0]);
    }
}

#[test]
fn a_ban_means_whole_words() {
    assert_eq!(found("fn forget_it() {}\nlet MyHashMapping = xtodo!();\n"), [""; 0]);
    assert_eq!(found("map.get_mut(a);\n"), [""; 0]);
}

#[test]
fn bans_hold_where_their_scope_says() {
    let text = format!("{OPENING}use std::collections::HashMap;\n");
    assert_eq!(found_in("crates/domain/src/a.rs", &text).len(), 1);
    assert_eq!(found_in("crates/server/src/a.rs", &text), [""; 0]);
    assert_eq!(found_in("crates/domain/src/a/tests.rs", &text), [""; 0]);
    let text = format!("{OPENING}let now = Instant::now();\n");
    assert_eq!(found_in("crates/store-sqlite/src/a/tests.rs", &text).len(), 1);
    assert_eq!(found_in("crates/testkit/src/a.rs", &text).len(), 1);
    assert_eq!(found_in("crates/keystead/src/clock.rs", &text), [""; 0]);
    assert_eq!(found_in("xtask/src/a.rs", &text), [""; 0]);
    let text = format!("{OPENING}use rand::OsRng;\n");
    assert_eq!(found_in("crates/crypto/src/entropy.rs", &text), [""; 0]);
    assert_eq!(found_in("crates/crypto/src/sign.rs", &text).len(), 1);
    let text = format!("{OPENING}#[cfg(test)]\nmod tests {{\n    a.unwrap();\n}}\na.unwrap();\n");
    assert_one(&found_in("xtask/src/a.rs", &text), "6: `.unwrap()`");
    assert!(BANS.iter().any(|ban| ban.scope == Scope::Unconfigured));
    let text = format!("{OPENING}let a = std::env::var(\"A\");\n");
    assert_eq!(found_in("crates/server/src/a.rs", &text).len(), 1);
    assert_eq!(found_in("crates/keystead/src/a.rs", &text), [""; 0]);
}

#[test]
fn names_without_a_topic_are_found() {
    for name in ["KeyManager", "ManagerOfKeys", "Helper", "TimeUtil", "StoreImpl", "KeyInfo"] {
        assert_one(&found(&format!("pub(crate) struct {name} {{}}\n")), "2: `");
        assert_one(&found(&format!("trait {name}: Send {{}}\n")), "2: `");
    }
    assert_eq!(found("enum DataKey {}\nstruct Implied;\nstruct Utility;\n"), [""; 0]);
    for file in ["utils", "common", "helpers", "types", "misc"] {
        for path in [format!("crates/a/src/{file}.rs"), format!("crates/a/src/{file}/mod.rs")] {
            assert_one(&found_in(&path, OPENING), "1: a name without a topic");
        }
    }
    assert_eq!(found_in("crates/a/src/key_types.rs", OPENING), [""; 0]);
}

#[test]
fn leftovers_are_found_in_comments_and_not_in_quotes() {
    assert_one(&found("let a = 1; // TODO: more\n"), "2: `TODO`");
    assert_one(&found("/* a\n FIXME */\n"), "3: `FIXME`");
    assert_eq!(found("let a = \"TODO\";\n"), [""; 0]);
    assert_one(&found_in("docs/a.md", "A TODO.\n"), "1: `TODO`");
    assert_eq!(found_in("docs/a.md", "A TODOLIST.\n"), [""; 0]);
}

#[test]
fn paths_of_one_machine_are_found_in_any_text() {
    for path in [concat!("/wo", "rk/a"), concat!("/fa", "rm/a"), concat!("/tmp/ba", "sh_jobs.0")] {
        assert_one(&found_in("docs/a.md", &format!("see {path}\n")), "1: a path of one machine");
        assert_one(&found(&format!("let a = \"{path}\";\n")), "2: a path of one machine");
    }
    assert_eq!(found_in("docs/a.md", "a framework/part and the workshop\n"), [""; 0]);
}

#[test]
fn white_space_at_a_line_end_is_found_outside_vectors() {
    assert_one(&found_in("docs/a.md", "a \n"), "1: white space");
    assert_one(&found_in("docs/a.md", "a\t\nb\n"), "1: white space");
    assert_eq!(found_in("tests/vectors/a.txt", "a \n"), [""; 0]);
}

#[test]
fn long_lines_are_found_unless_nobody_can_break_them() {
    let long = "a".repeat(101);
    assert_one(&found(&format!("let {long};\n")), "2: over 100 columns");
    assert_one(&found(&format!("// {long}\n")), "2: over 100 columns");
    assert_one(&found(&format!("let a = \"{long}\";\n")), "2: over 100 columns");
    assert_eq!(found(&format!("// https://a.example/{long}\n")), [""; 0]);
    assert_eq!(found(&format!("let {};\n", "é".repeat(95))), [""; 0]);
    let quoted = format!("{OPENING}let a = \"{long}\";\n");
    assert_eq!(found_in("crates/service/src/a/tests.rs", &quoted), [""; 0]);
    let bare = format!("{OPENING}let {long};\n");
    assert_one(&found_in("crates/service/src/a/tests.rs", &bare), "2: over 100 columns");
    assert_one(&found_in("tests/clients/a.py", &format!("{long}\n")), "1: over 100 columns");
    assert_eq!(found_in("docs/a.md", &format!("{long}\n")), [""; 0]);
}

#[test]
fn long_files_are_found_and_tests_are_not_counted() {
    let body = "fn a() {}\n".repeat(798);
    assert_eq!(found(&body), [""; 0]);
    assert_one(&found(&format!("{body}fn b() {{}}\n")), "1: 801 lines");
    let tests = format!("{body}#[cfg(test)]\nmod tests {{\n{body}}}\n");
    assert_eq!(found(&tests), [""; 0]);
}

#[test]
fn long_functions_are_found_and_short_ones_around_them_are_not() {
    let body = "    a();\n".repeat(68);
    assert_eq!(found(&format!("fn a() {{\n{body}}}\nfn b() {{}}\n")), [""; 0]);
    let long = format!("pub fn a(b: [u8; 2]) -> u8\nwhere\n    A: B,\n{{\n{body}}}\n");
    assert_one(&found(&long), "2: a function of 73 lines");
    let test = format!("#[cfg(test)]\nmod tests {{\n{long}}}\n");
    assert_eq!(found(&test), [""; 0]);
    assert_eq!(found(&format!("trait A {{\n    fn a();\n{body}}}\ntype F = fn (u8);\n")), [""; 0]);
}

#[test]
fn a_file_opens_with_its_purpose() {
    assert_one(&found_in("crates/a/src/a.rs", "use a;\n"), "1: opens without");
    assert_one(&found_in("crates/a/src/a.rs", ""), "1: opens without");
    assert_one(&found_in("crates/a/src/a.rs", "/// Not the file's.\n"), "1: opens without");
}

#[test]
fn secrets_derive_nothing_that_lets_them_out() {
    for derived in ["Debug", "Clone", "PartialEq", "serde::Serialize"] {
        for name in ["Secret<N>", "SecretBytes", "PrintedSecret"] {
            let text = format!("#[derive(Zeroize, {derived})]\n#[must_use]\npub struct {name};\n");
            assert_one(&found(&text), "2: `");
        }
    }
    assert_eq!(found("#[derive(Zeroize)]\nstruct Secret;\n"), [""; 0]);
    assert_eq!(found("#[derive(Debug, Clone)]\nstruct SecretId;\nstruct Secret;\n"), [""; 0]);
    assert_one(&found("#[derive(\n    Debug,\n    Zeroize,\n)]\nenum KeySecret {}\n"), "2: `");
}

#[test]
fn an_exception_has_a_reason() {
    assert_one(&found("#[expect(clippy::panic)]\n"), "2: `#[expect]` without");
    assert_one(&found("#![expect(\n    clippy::panic,\n)]\n"), "2: `#[expect]` without");
    assert_eq!(found("#[expect(\n    clippy::panic,\n    reason = \"why\"\n)]\n"), [""; 0]);
}

#[test]
fn a_span_skips_all_arguments() {
    assert_one(&found("#[instrument]\n"), "2: `#[instrument]`");
    assert_one(&found("#[tracing::instrument(level = \"info\")]\n"), "2: `#[instrument]`");
    assert_eq!(found("#[instrument(skip_all, level = \"info\")]\n"), [""; 0]);
}

#[test]
fn bytes_are_judged_by_size_alone() {
    assert_eq!(check("docs/a.png", &[0xff, 0, b' ', b'\n']), []);
    assert_eq!(check("docs/a.png", &vec![0; 1 << 20]), []);
    assert_eq!(check("docs/a.png", &vec![0; (1 << 20) + 1]).len(), 1);
}
