//! Every command and flag of `keystead`, as one typed value.
//!
//! Invariant: a value that parsed here is of its type (a vault's place, an account, a head); a
//! secret has no flag of its own, only a `--…-file` that names where it lies. Help is prose with
//! units and defaults, because it is the page that people have on the worst day.

mod alias;
mod audit;
mod backup;
mod instance;
mod key;
mod kit;
mod restore;
mod settings;
#[cfg(test)]
mod tests;
mod values;
mod witness;
mod wrap;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::client::Endpoint;
use crate::config::Flags;

pub(crate) use alias::AliasCommand;
pub(crate) use audit::{
    AuditCommand, AuditExportArgs, AuditImportArgs, AuditListArgs, AuditProveArgs, AuditVerifyArgs,
};
pub(crate) use backup::{BackupCommand, BackupCreateArgs, BackupDecryptArgs, PlacesArgs, Target};
pub(crate) use instance::{DevArgs, InitArgs, NewKitArgs, ServeArgs, StatusArgs};
pub(crate) use key::{KeyCommand, KeyCreateArgs, KeyPublicArgs};
pub(crate) use kit::{KitCommand, KitRevokeArgs, KitVerifyArgs};
pub(crate) use restore::{RestoreArgs, RestoreCommand, RestoreKeyArgs, UsedKitArgs};
pub(crate) use settings::{ConfigCommand, SettingArgs};
pub(crate) use values::{Head, RootPublicKey, Tag};
pub(crate) use witness::{WitnessCommand, WitnessServeArgs};
pub(crate) use wrap::{
    WrapCommand, WrapExportArgs, WrapPutArgs, WrapShowArgs, WrapUnwrapArgs, WrapVerifyArgs,
};

/// What the foot of `keystead --help` says.
const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  failed, or `status` saw a broken promise
  2  the command line, the configuration or a given value is wrong
  3  unavailable: try again later
  4  denied
  5  not found
  6  in a state, or in conflict with a change, that does not allow it
  7  corrupt or diverging bytes
  8  done, and something was found that a person has to look at

Configuration: /etc/keystead/keystead.toml, then $XDG_CONFIG_HOME/keystead/config.toml, then the \
environment (KEYSTEAD__SECTION__FIELD), then flags; `keystead config explain` shows each value \
with its source.";

/// Keep keys that you can prove you can recover
///
/// Keystead holds master keys, hands out data keys over the AWS KMS protocol, and writes each
/// change into backup vaults before it acknowledges it. The way back (`restore run`) needs only the
/// vaults and a recovery kit.
#[derive(Debug, Parser)]
#[command(name = "keystead", version, after_long_help = AFTER_HELP)]
#[command(max_term_width = 100, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Print one JSON object instead of text
    ///
    /// Errors, hints, warnings and progress still go to standard error as text.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Read this configuration file and no other
    ///
    /// It must exist. Without the flag the two files of the default places are read, where they
    /// exist.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Use this profile
    ///
    /// The profile is the file (mode 0600) with endpoint and access key that `init` and `restore
    /// run` write and every command that asks the server reads. Default:
    /// $XDG_CONFIG_HOME/keystead/profile.toml.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) profile: Option<String>,

    /// Ask this server instead of the profile's
    ///
    /// Of the form http://HOST:PORT. The access key is still the profile's.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint: Option<Endpoint>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a throw-away instance on loopback
    ///
    /// Makes an instance with two vaults in a temporary folder, serves it, and prints what to paste
    /// into a shell or an AWS client. Everything ends with the process: never keep a real key in
    /// it.
    Dev(DevArgs),
    /// Make a new instance, its vaults' first objects and a recovery kit
    ///
    /// On a terminal it asks at most five questions; without one, every question has a flag. It
    /// ends only after it has opened the kit that it wrote.
    Init(InitArgs),
    /// Serve an instance
    ///
    /// Runs until it is told to stop (SIGINT or SIGTERM): then requests in flight end, the last
    /// events go to the vaults, and it exits with 0; a second signal ends it at once with 1. With
    /// --json the first line on standard output is {"listening":"http://HOST:PORT"}, printed once
    /// it answers; with --metrics-listen it has "metrics" too. Under systemd it tells when it is
    /// ready and feeds the watchdog.
    Serve(ServeArgs),
    /// Recover from vaults and a kit
    #[command(subcommand)]
    Restore(RestoreCommand),
    /// Show which promises hold
    ///
    /// Asks the server. Where it does not answer, shows the last record that it left in the data
    /// folder, with its age. Exits with 1 only where a promise is broken.
    Status(StatusArgs),
    /// Make, verify, list and revoke recovery kits
    #[command(subcommand)]
    Kit(KitCommand),
    /// Make, list, verify and open recovery points
    ///
    /// Every change is in the vaults before it is acknowledged; a recovery point is the whole state
    /// in one object, from which a restore begins.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Make, show, change and delete keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Name keys
    #[command(subcommand)]
    Alias(AliasCommand),
    /// Keep a data key for each document, and export and verify what there is
    ///
    /// A wrap record is the data key of one subject (a document, a row, a file), wrapped under the
    /// instance's master key, numbered without gaps and in the vaults before it is acknowledged.
    #[command(subcommand)]
    Wrap(WrapCommand),
    /// Verify, list, export and prove the record of everything that was done
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Be a witness of other instances' ledgers
    #[command(subcommand)]
    Witness(WitnessCommand),
    /// Show and check the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Write the manual pages into a folder
    ///
    /// One file for each command, named `keystead-….1`. Existing files are replaced.
    Man(ManArgs),
}

/// For which shell.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Where to.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder; it is made where it does not exist
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
}

impl Cli {
    /// The flags that set configuration fields: they are the configuration's last layer.
    pub(crate) fn settings(&self) -> Flags {
        let flags = match &self.command {
            Command::Init(args) => SettingArgs {
                data_dir: args.data_dir.clone(),
                passphrase_file: args.passphrase.passphrase_file.clone(),
                listen: args.listen,
                ..SettingArgs::default()
            },
            Command::Serve(args) => SettingArgs {
                data_dir: args.data_dir.clone(),
                passphrase_file: args.passphrase_file.clone(),
                listen: args.listen,
                metrics_listen: args.metrics_listen,
            },
            Command::Restore(RestoreCommand::Run(args)) => SettingArgs {
                data_dir: args.data_dir.clone(),
                passphrase_file: args.passphrase.passphrase_file.clone(),
                listen: args.listen,
                ..SettingArgs::default()
            },
            Command::Status(args) => {
                SettingArgs { data_dir: args.data_dir.clone(), ..SettingArgs::default() }
            }
            Command::Kit(KitCommand::Verify(args)) => {
                SettingArgs { data_dir: args.data_dir.clone(), ..SettingArgs::default() }
            }
            Command::Config(ConfigCommand::Explain(args) | ConfigCommand::Check(args)) => {
                args.clone()
            }
            Command::Backup(command) => {
                let data_dir = command.places().and_then(|places| places.data_dir.clone());
                SettingArgs { data_dir, ..SettingArgs::default() }
            }
            Command::Dev(_)
            | Command::Restore(RestoreCommand::Key(_))
            | Command::Kit(_)
            | Command::Key(_)
            | Command::Alias(_)
            | Command::Wrap(_)
            | Command::Audit(_)
            | Command::Witness(_)
            | Command::Completions(_)
            | Command::Man(_) => SettingArgs::default(),
        };
        let profile = self.global.profile.clone();
        let set = [
            ("--data-dir", "instance.data_dir", flags.data_dir),
            ("--passphrase-file", "instance.passphrase", text_of(flags.passphrase_file.as_ref())),
            ("--listen", "serve.listen", text_of(flags.listen.as_ref())),
            ("--metrics-listen", "serve.metrics_listen", text_of(flags.metrics_listen.as_ref())),
            ("--profile", "client.profile", profile),
        ];
        set.into_iter().filter_map(|(flag, name, text)| Some((flag, name, text?))).collect()
    }
}

fn text_of(value: Option<&impl ToString>) -> Option<String> {
    value.map(ToString::to_string)
}
