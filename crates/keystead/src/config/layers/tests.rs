//! What each layer may say and which one wins.

use super::*;
use crate::drive;
use crate::exit::Explained;

fn around(
    toml: &str,
    variables: &[(&str, &str)],
    flags: Flags,
) -> (tempfile::TempDir, Surroundings) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keystead.toml");
    std::fs::write(&path, toml).unwrap();
    let variables = variables.iter().map(|(k, v)| (k.into(), v.into())).collect();
    (folder, Surroundings { named: Some(path), variables, flags })
}

fn loaded(toml: &str, variables: &[(&str, &str)], flags: Flags) -> Result<Loaded, ConfigRefused> {
    let (_folder, around) = around(toml, variables, flags);
    resolve(&around)
}

fn refused(toml: &str, variables: &[(&str, &str)]) -> (String, String) {
    let refused = loaded(toml, variables, Vec::new()).err().expect("it is refused");
    (refused.to_string(), refused.hint().unwrap_or_default())
}

fn effective<'a>(loaded: &'a Loaded, name: &str) -> &'a Effective {
    loaded.effective.iter().find(|effective| effective.field.name == name).unwrap()
}

const LISTEN: &str = "[serve]\nlisten = \"127.0.0.1:1\"\n";
const VARIABLE: (&str, &str) = ("KEYSTEAD__SERVE__LISTEN", "127.0.0.1:2");

#[test]
fn a_later_layer_wins_and_every_value_knows_its_source() {
    let none = loaded("", &[], Vec::new()).unwrap();
    assert_eq!(effective(&none, "serve.listen").source, Source::Default);
    assert_eq!(effective(&none, "instance.data_dir").source, Source::Unset);
    let file = loaded(LISTEN, &[], Vec::new()).unwrap();
    assert_eq!(file.config.listen.port(), 1);
    assert!(matches!(effective(&file, "serve.listen").source, Source::File { line: 2, .. }));
    let variable = loaded(LISTEN, &[VARIABLE], Vec::new()).unwrap();
    assert_eq!(variable.config.listen.port(), 2);
    let flag = vec![("--listen", "serve.listen", "127.0.0.1:3".to_owned())];
    let flag = loaded(LISTEN, &[VARIABLE], flag).unwrap();
    assert_eq!(flag.config.listen.port(), 3);
    assert_eq!(effective(&flag, "serve.listen").source.to_string(), "flag --listen");
}

#[test]
fn a_covered_mistake_is_still_refused() {
    let flags = vec![("--listen", "serve.listen", "127.0.0.1:3".to_owned())];
    assert!(loaded("[serve]\nlisten = \"0.0.0.0:1\"", &[], flags).is_err());
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_known_one() {
    for (toml, said, meant) in [
        ("[serve]\n\nlisen = \"a\"", ":3: `serve.lisen` is not known", "`serve.listen`"),
        ("[sevre]\nlisten = \"a\"", ":1: `sevre` is not known", "`[serve]`"),
        ("listen = \"127.0.0.1:1\"", ":1: `listen` is not known", "`serve.listen`"),
        ("[log]\ncolour = 1", ":2: `log.colour` is not known", "config explain"),
        ("[log.level]\nx = \"a\"", ":1: `log.level` must be a text in quotes, not table", ""),
    ] {
        let (message, hint) = refused(toml, &[]);
        assert!(message.contains(said), "{message}");
        assert!(hint.contains(meant), "{hint}");
    }
    let (message, hint) = refused("", &[("KEYSTEAD__SERVE__LISEN", "a")]);
    assert!(message.contains("`KEYSTEAD__SERVE__LISEN` is not known"), "{message}");
    assert!(hint.contains("KEYSTEAD__SERVE__LISTEN"), "{hint}");
}

#[test]
fn a_wrong_value_is_refused_with_its_place() {
    for (toml, said) in [
        ("[serve]\nmax_unfenced = 3600", ":2: `serve.max_unfenced` must be a text"),
        ("[serve]\nmax_unfenced = \"3600\"", ":2: `serve.max_unfenced`: `3600` is not a duration"),
        ("[serve]\nmax_unfenced = \"2s\"", "between 1m and 24h"),
        ("[serve]\narena = \"64MB\"", "is not a size"),
        ("[serve]\nlisten = \"0.0.0.0:7700\"", "does not speak TLS yet"),
        ("[log]\nlevel = \"loud\"", "none of off, error"),
        ("[instance]\npassphrase = \"hunter2\"", "only as a reference"),
        ("[instance]\ndata_dir = \"\"", "the path is empty"),
        ("[serve\n", ":1: "),
        ("[log]\nlevel = \"info\"\nlevel = \"warn\"", ":3: "),
    ] {
        let (message, _) = refused(toml, &[]);
        assert!(message.contains(said) && !message.contains("hunter2"), "{message}");
    }
    let (message, _) = refused("", &[("KEYSTEAD__LOG__LEVEL", "loud")]);
    assert!(message.starts_with("environment KEYSTEAD__LOG__LEVEL: `log.level`"), "{message}");
}

#[test]
fn other_variables_are_left_alone() {
    let variables = [("KEYSTEAD_TEST", "1"), ("KEYSTEAD", "x"), ("PATH", "/bin")];
    assert!(loaded("", &variables, Vec::new()).is_ok());
}

#[test]
fn a_named_file_must_exist_and_a_default_one_need_not() {
    let named = Some(PathBuf::from("/nowhere/keystead.toml"));
    let around = Surroundings { named, variables: Vec::new(), flags: Vec::new() };
    assert!(matches!(resolve(&around), Err(ConfigRefused::Unreadable { .. })));
    let folder = tempfile::tempdir().unwrap();
    let variables = vec![("XDG_CONFIG_HOME".into(), folder.path().into())];
    let around = Surroundings { named: None, variables, flags: Vec::new() };
    let before = resolve(&around).unwrap();
    std::fs::create_dir(folder.path().join("keystead")).unwrap();
    std::fs::write(folder.path().join("keystead/config.toml"), LISTEN).unwrap();
    let after = resolve(&around).unwrap();
    assert_eq!(after.files.len(), before.files.len() + 1);
    assert_eq!(after.config.listen.port(), 1);
}

#[test]
fn the_users_folder_is_absolute_or_there_is_none() {
    let of = |pairs: &[(&str, &str)]| {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| (k.into(), v.into())).collect();
        user_folder(&pairs)
    };
    assert_eq!(of(&[("HOME", "/h")]), Some("/h/.config/keystead".into()));
    assert_eq!(of(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")]), Some("/x/keystead".into()));
    assert_eq!(of(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "x")]), Some("/h/.config/keystead".into()));
    assert_eq!(of(&[("HOME", "")]), None);
}

#[test]
fn no_text_breaks_the_reader_of_files() {
    let read = |text: &str| Layered::default().add_file(Path::new("keystead.toml"), text);
    drive::run("config", |text: &str| {
        if let Err(refused) = read(text) {
            let _ = (refused.to_string(), refused.hint());
        }
    });
    let whole = String::from_utf8(drive::corpus("config")["whole"].clone()).unwrap();
    assert!(read(&whole).is_ok());
}
