//! Files, environment and flags: which wins, and how a mistake is shown.

use crate::run::Home;

#[test]
fn explain_shows_each_value_with_its_source() {
    let home = Home::new();
    let file = home.write(
        ".config/keystead/config.toml",
        "[serve]\nlisten = \"127.0.0.1:1\"\nmax_unfenced = \"2h\"\n\n[log]\nlevel = \"debug\"\n",
    );
    let variables = [("KEYSTEAD__SERVE__LISTEN", "127.0.0.1:2"), ("KEYSTEAD__LOG__LEVEL", "warn")];
    let shown = home.run_with(&["config", "explain", "--listen", "127.0.0.1:3"], &variables).done();
    for line in [
        format!("serve.max_unfenced   2h                     {file}:3"),
        "serve.listen         127.0.0.1:3            flag --listen".to_owned(),
        "log.level            warn                   environment KEYSTEAD__LOG__LEVEL".to_owned(),
        "serve.arena          4MiB                   default".to_owned(),
        "instance.data_dir    -                      not set".to_owned(),
    ] {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_line = |shown: &str| {
            let start: Vec<&str> = shown.split_whitespace().take(words.len()).collect();
            start == words
        };
        assert!(shown.lines().any(is_line), "{line}\n{shown}");
    }
}

#[test]
fn explain_as_json_has_every_field_once() {
    let home = Home::new();
    let shown = home.run(&["config", "explain", "--json", "--data-dir", "d"]).done();
    let value: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let fields = value["fields"].as_array().unwrap();
    assert_eq!(fields.len(), 15);
    assert_eq!(fields[0]["name"], "instance.data_dir");
    assert_eq!(
        (&fields[0]["value"], &fields[0]["source"]),
        (&"d".into(), &"flag --data-dir".into())
    );
    assert_eq!(fields[0]["environment"], "KEYSTEAD__INSTANCE__DATA_DIR");
    assert_eq!(shown.lines().count(), 1);
}

#[test]
fn check_says_what_was_read() {
    let home = Home::new();
    let none = home.run(&["config", "check"]).done();
    assert!(none.starts_with("the configuration can be used"), "{none}");
    let file = home.write("k.toml", "[log]\nlevel = \"off\"\n");
    let read = home.run(&["config", "check", "--config", &file]).done();
    assert!(read.contains(&file), "{read}");
    let json = home.run(&["config", "check", "--config", &file, "--json"]).done();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&value["usable"], &value["files"][0]), (&true.into(), &file.into()));
}

#[test]
fn a_mistake_names_file_line_field_and_what_was_meant() {
    let home = Home::new();
    for (text, said) in [
        (
            "[serve]\nlisen = \"a\"",
            [":2: `serve.lisen` is not known", "did you mean `serve.listen`?"],
        ),
        ("[srve]\n", [":1: `srve` is not known", "did you mean `[serve]`?"]),
        ("[serve]\nlisten = 7700", [":2: `serve.listen` must be a text", "\"64MiB\""]),
        ("[serve]\nlisten = \"0.0.0.0:1\"", ["does not speak TLS yet", "a TLS proxy"]),
        ("[serve]\narena = \"1KiB\"", ["is not between 1MiB and 1GiB", ":2: "]),
        ("[serve]\nmax_unfenced = \"1w\"", ["is not a duration", "as in 48h"]),
        ("[client]\ntimeout = \"1ms\"", ["is not between 1s and 10m", ":2: "]),
        ("serve = ", [":1: ", "error: "]),
    ] {
        let file = home.write("bad.toml", text);
        for command in [&["config", "check"][..], &["config", "explain"], &["status"]] {
            let ran = home.run(&[command, &["--config", &file]].concat());
            ran.refused(2, &[&said[..], &[file.as_str()]].concat());
        }
    }
}

#[test]
fn the_environment_is_held_to_the_same_table() {
    let home = Home::new();
    for (variable, value, said) in [
        ("KEYSTEAD__SERVE__LISEN", "x", "did you mean `KEYSTEAD__SERVE__LISTEN`?"),
        ("KEYSTEAD__COLOUR", "x", "`KEYSTEAD__COLOUR` is not known"),
        ("KEYSTEAD__LOG__FORMAT", "xml", "`xml` is none of auto, text, json"),
    ] {
        home.run_with(&["config", "check"], &[(variable, value)]).refused(2, &[said]);
    }
    home.run_with(&["config", "check"], &[("KEYSTEAD_ELSE", "x")]).done();
}

#[test]
fn a_named_file_must_exist() {
    let home = Home::new();
    let missing = home.at("missing.toml");
    home.run(&["config", "check", "--config", &missing])
        .refused(2, &["cannot read the configuration", &missing]);
    home.run(&["key", "list", "--config", &missing]).refused(2, &[&missing]);
}
