//! Reads the layers and lays each over the one before.
//!
//! Invariant: each effective value knows its source; every layer is checked in full, also where a
//! later one covers it, so that a mistake shows on the day on which it is made.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::nearest::nearest;
use crate::config::{Config, ConfigRefused, FIELDS, Field};

/// The system's file, read before the user's.
const SYSTEM_FILE: &str = "/etc/keystead/keystead.toml";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The table.
    Default,
    /// Nowhere: the field has no value.
    Unset,
    /// A line of a file, counted from 1.
    File {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: usize,
    },
    /// A variable.
    Environment {
        /// Which.
        variable: String,
    },
    /// A flag.
    Flag {
        /// Which.
        flag: &'static str,
    },
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Unset => f.write_str("not set"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => write!(f, "environment {variable}"),
            Self::Flag { flag } => write!(f, "flag {flag}"),
        }
    }
}

/// One field with its value and where it comes from.
pub(crate) struct Effective {
    /// The field.
    pub(crate) field: &'static Field,
    /// The value, where there is one.
    pub(crate) value: Option<String>,
    /// Where it comes from.
    pub(crate) source: Source,
}

/// The outcome.
pub(crate) struct Loaded {
    /// The typed values.
    pub(crate) config: Config,
    /// Every field, in the table's order.
    pub(crate) effective: Vec<Effective>,
    /// Which files were read.
    pub(crate) files: Vec<PathBuf>,
}

/// Flags that set a field: flag, field, text.
pub(crate) type Flags = Vec<(&'static str, &'static str, String)>;

/// What lies outside this process, handed in so that tests need no environment of their own.
pub(crate) struct Surroundings {
    /// `--config`.
    pub(crate) named: Option<PathBuf>,
    /// All environment variables.
    pub(crate) variables: Vec<(OsString, OsString)>,
    /// Flags that set a field.
    pub(crate) flags: Flags,
}

/// Reads this process's configuration.
pub(crate) fn load(named: Option<&Path>, flags: Flags) -> Result<Loaded, ConfigRefused> {
    let variables = std::env::vars_os().collect();
    resolve(&Surroundings { named: named.map(Path::to_owned), variables, flags })
}

/// The folder of the user's configuration: `$XDG_CONFIG_HOME/keystead`, or below `~/.config`.
pub(crate) fn user_folder(variables: &[(OsString, OsString)]) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let of = variables.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        of.map(PathBuf::from).filter(|path| path.is_absolute())
    };
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(base.join("keystead"))
}

fn resolve(around: &Surroundings) -> Result<Loaded, ConfigRefused> {
    let mut layered = Layered::default();
    let mut files = Vec::new();
    for (path, must) in candidates(around) {
        if let Some(text) = text_of(&path, must)? {
            layered.add_file(&path, &text)?;
            files.push(path);
        }
    }
    layered.add_environment(&around.variables)?;
    for (flag, name, text) in &around.flags {
        layered.set(name, text, Source::Flag { flag })?;
    }
    Ok(layered.finish(files))
}

fn candidates(around: &Surroundings) -> Vec<(PathBuf, Must)> {
    match &around.named {
        Some(path) => vec![(path.clone(), Must::Exist)],
        None => std::iter::once(PathBuf::from(SYSTEM_FILE))
            .chain(user_folder(&around.variables).map(|folder| folder.join("config.toml")))
            .map(|path| (path, Must::OrMayNot))
            .collect(),
    }
}

/// Whether a file has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Must {
    Exist,
    OrMayNot,
}

fn text_of(path: &Path, must: Must) -> Result<Option<String>, ConfigRefused> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(absent) if must == Must::OrMayNot && absent.kind() == std::io::ErrorKind::NotFound => {
            Ok(None)
        }
        Err(source) => Err(ConfigRefused::Unreadable { path: path.to_owned(), source }),
    }
}

#[derive(Default)]
struct Layered {
    config: Config,
    values: BTreeMap<&'static str, (String, Source)>,
}

impl Layered {
    fn set(&mut self, name: &str, text: &str, at: Source) -> Result<(), ConfigRefused> {
        let Some(field) = FIELDS.iter().find(|field| field.name == name) else {
            return Err(unknown(name, at));
        };
        (field.set)(&mut self.config, text).map_err(|fault| ConfigRefused::Value {
            at: at.clone(),
            name: field.name,
            fault,
        })?;
        self.values.insert(field.name, (text.to_owned(), at));
        Ok(())
    }

    fn add_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigRefused> {
        let line_at = |offset: usize| text[..offset].matches('\n').count() + 1;
        let at = |offset| Source::File { path: path.to_owned(), line: line_at(offset) };
        let table = DeTable::parse(text).map_err(|fault| ConfigRefused::NotToml {
            path: path.to_owned(),
            line: line_at(fault.span().map_or(0, |span| span.start)),
            message: fault.message().to_owned(),
        })?;
        for (section, fields) in table.get_ref() {
            let section_at = at(section.span().start);
            let Some(fields) = fields.get_ref().as_table() else {
                return Err(unknown(section.get_ref(), section_at));
            };
            refuse_unknown_section(section.get_ref(), section_at)?;
            for (field, value) in fields {
                let name = format!("{}.{}", section.get_ref(), field.get_ref());
                let at = at(field.span().start);
                self.set(&name, &text_in(&name, value, &at)?, at)?;
            }
        }
        Ok(())
    }

    fn add_environment(&mut self, variables: &[(OsString, OsString)]) -> Result<(), ConfigRefused> {
        for (variable, value) in variables {
            let variable = variable.to_string_lossy().into_owned();
            if !variable.starts_with("KEYSTEAD__") {
                continue;
            }
            let at = Source::Environment { variable: variable.clone() };
            let Some(field) = FIELDS.iter().find(|field| field.variable() == variable) else {
                return Err(unknown_variable(variable, at));
            };
            let text = value.to_str().ok_or(ConfigRefused::VariableNotText { variable })?;
            self.set(field.name, text, at)?;
        }
        Ok(())
    }

    fn finish(mut self, files: Vec<PathBuf>) -> Loaded {
        let effective = FIELDS.iter().map(|field| {
            let (value, source) = match self.values.remove(field.name) {
                Some((value, source)) => (Some(value), source),
                None => {
                    let source = field.default.map_or(Source::Unset, |_| Source::Default);
                    (field.default.map(str::to_owned), source)
                }
            };
            Effective { field, value, source }
        });
        Loaded { effective: effective.collect(), config: self.config, files }
    }
}

/// Fields that a file may give as a list of texts.
const LISTS: [&str; 1] = ["audit.witnesses"];

fn text_in<'v>(
    name: &str,
    value: &'v Spanned<DeValue<'_>>,
    at: &Source,
) -> Result<Cow<'v, str>, ConfigRefused> {
    let value = value.get_ref();
    if let Some(list) = value.as_array().filter(|_| LISTS.contains(&name)) {
        let texts: Option<Vec<&str>> = list.iter().map(|one| one.get_ref().as_str()).collect();
        if let Some(texts) = texts {
            return Ok(Cow::Owned(texts.join(", ")));
        }
    }
    value.as_str().map(Cow::Borrowed).ok_or_else(|| {
        // A name that does not exist is the better complaint than the form of its value.
        if FIELDS.iter().all(|field| field.name != name) {
            return unknown(name, at.clone());
        }
        ConfigRefused::NotText { at: at.clone(), name: name.to_owned(), found: value.type_str() }
    })
}

fn refuse_unknown_section(section: &str, at: Source) -> Result<(), ConfigRefused> {
    let mut sections = FIELDS.iter().filter_map(|field| field.name.split('.').next());
    if sections.any(|known| known == section) {
        return Ok(());
    }
    let sections = FIELDS.iter().filter_map(|field| field.name.split('.').next());
    let meant = nearest(section, sections).map(|section| format!("[{section}]"));
    Err(ConfigRefused::Unknown { at, name: section.to_owned(), meant })
}

/// A field outside any section is looked up by its last part too.
fn unknown(name: &str, at: Source) -> ConfigRefused {
    let by_last = FIELDS.iter().map(|field| field.name).find(|known| {
        !name.contains('.') && known.rsplit('.').next().is_some_and(|last| last == name)
    });
    let meant = by_last.or_else(|| nearest(name, FIELDS.iter().map(|field| field.name)));
    ConfigRefused::Unknown { at, name: name.to_owned(), meant: meant.map(str::to_owned) }
}

fn unknown_variable(variable: String, at: Source) -> ConfigRefused {
    let known: Vec<String> = FIELDS.iter().map(Field::variable).collect();
    let meant = nearest(&variable, known.iter().map(String::as_str)).map(str::to_owned);
    ConfigRefused::Unknown { at, name: variable, meant }
}

#[cfg(test)]
mod tests;
