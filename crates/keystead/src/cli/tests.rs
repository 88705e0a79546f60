//! `docs/reference/cli.md`: the help of every command on one page, made from the command line.
//!
//! Invariant: the page says what the program says; a test compares them, and writes the page anew
//! where `KEYSTEAD_BLESS=1` is set.

use std::fmt::Write;

use clap::{Command, CommandFactory};

use crate::cli::Cli;

const HEADING: &str = "\
# The command line

Made from the program's own help; `KEYSTEAD_BLESS=1 cargo test -p keystead` writes it anew. Exit
codes are explained in [exit-codes.md](exit-codes.md). Every command also takes the global options,
which stand once, at the first one.
";

fn page() -> String {
    let mut page = HEADING.to_owned();
    let mut command = Cli::command().term_width(100);
    command.build();
    add(&mut page, &mut command, "");
    page
}

fn add(page: &mut String, command: &mut Command, above: &str) {
    let name = format!("{above}{}", command.get_name());
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let text = lines.join("\n");
    // Once is enough: they are the same everywhere.
    let global = text.find("\nGlobal options:").filter(|_| !above.is_empty());
    let text = &text[..global.unwrap_or(text.len())];
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", text.trim_end());
    for inner in command.get_subcommands_mut().filter(|inner| inner.get_name() != "help") {
        add(page, inner, &format!("{name} "));
    }
}

#[test]
fn the_page_says_what_the_program_says() {
    let path = "../../docs/reference/cli.md";
    if std::env::var_os("KEYSTEAD_BLESS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/reference/cli.md is stale: set KEYSTEAD_BLESS=1 and run again"
    );
}

#[test]
fn the_first_line_of_every_help_is_short_and_has_no_period() {
    fn check(command: &Command) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!about.is_empty() && !about.ends_with('.'), "{}: {about}", command.get_name());
        assert!(about.len() <= 80, "{}: {about}", command.get_name());
        for arg in command.get_arguments() {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(!help.is_empty() && !help.ends_with('.'), "{}: {help}", arg.get_id());
            let repeats = matches!(arg.get_action(), clap::ArgAction::Append);
            assert_eq!(repeats, help.contains("(repeatable"), "{}: {help}", arg.get_id());
        }
        command.get_subcommands().for_each(check);
    }
    let mut command = Cli::command();
    command.build();
    command.debug_assert();
    check(&Cli::command());
}

#[test]
fn no_flag_takes_a_secret() {
    fn check(command: &Command) {
        for arg in command.get_arguments() {
            let name = arg.get_id().as_str();
            let names_secret = ["passphrase", "secret", "password", "pin", "data_key"];
            if names_secret.iter().any(|word| name.contains(word)) {
                assert!(name.ends_with("_file") || name.ends_with("_out"), "{name}");
            }
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}
