//! The binary: command line, configuration, wiring.
//!
//! Invariant: nothing is decided here but which command runs. The process is closed to core dumps
//! and debuggers before the first byte of a secret is read; whatever happens, the last line on
//! standard error says what and the exit code says of which kind.

mod audit_export;
mod cli;
mod client;
mod commands;
mod config;
#[cfg(test)]
#[path = "../../../fuzz/drive.rs"]
mod drive;
mod exit;
mod failed;
mod logging;
mod new_file;
#[cfg(test)]
mod newer_test;
mod output;
mod plan;
mod secrets;
mod wiring;
mod wrap_export;

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use keystead_crypto::Entropy;

use crate::cli::{Cli, Command, ConfigCommand, KitCommand, RestoreCommand, WitnessCommand};
use crate::client::{Client, ProfileRefused};
use crate::config::{Config, Loaded};
use crate::exit::{Exit, Explained};
use crate::failed::Failed;
use crate::output::Form;
use crate::plan::{
    Desk, InitPlan, KitRevokePlan, KitVerifyPlan, NewKit, RestorePlan, ServePlan, profile_path,
};
use crate::secrets::Terminal;
use crate::wiring::{Reading, kits};

/// How long a command waits at most for what it can do without.
const BRIEF: Duration = Duration::from_secs(5);

/// Buffers with secrets wipe themselves before they come back to it: it need not.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        output::line("error", &format!("a fault of this program at {place}"));
    }));
    let exit = std::panic::catch_unwind(run).unwrap_or(Ok(Exit::Failed)).unwrap_or_else(|failed| {
        output::fail(&failed);
        failed.exit()
    });
    exit.into()
}

fn run() -> Result<Exit, Failed> {
    keystead_arena::harden_process()?;
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(said) => {
            let _ = said.print();
            return Ok(if said.use_stderr() { Exit::Usage } else { Exit::Done });
        }
    };
    let loaded = config::load(cli.global.config.as_deref(), cli.settings())?;
    logging::start(&loaded.config);
    dispatch(&cli, &loaded)
}

fn dispatch(cli: &Cli, loaded: &Loaded) -> Result<Exit, Failed> {
    let form = Form::of_flag(cli.global.json);
    let config = &loaded.config;
    let entropy = Entropy::os();
    let mut desk = Desk { config, questions: &mut Terminal, entropy: &entropy };
    match &cli.command {
        Command::Dev(args) => wiring::dev(args.listen, form),
        Command::Init(args) => wiring::init(InitPlan::make(args, &mut desk)?, form),
        Command::Serve(_) => wiring::serve(ServePlan::make(&mut desk)?, form),
        Command::Restore(RestoreCommand::Run(args)) => {
            let done = RestorePlan::make(args, &mut desk).map_err(Failed::from);
            let done = done.and_then(|plan| wiring::restore(plan, form));
            let reading = Reading::of_refusal("restore run", &args.vaults, &done);
            Reading::on_record(reading, brief(cli, config), done)
        }
        Command::Restore(RestoreCommand::Key(args)) => {
            commands::restore_key(args, &mut desk, &client(cli, config)?, form)
        }
        Command::Kit(KitCommand::Create(args)) => {
            let plan = NewKit::make(&args.kit, &mut desk)?;
            kits::create(plan, &client(cli, config)?, form)
        }
        Command::Kit(KitCommand::Verify(args)) => {
            let done = KitVerifyPlan::make(args, &mut desk).map_err(Failed::from);
            let done = done.and_then(|plan| kits::verify(&plan, client(cli, config), form));
            let reading = Reading::of_refusal("kit verify", &args.vaults, &done);
            Reading::on_record(reading, brief(cli, config), done)
        }
        Command::Kit(KitCommand::List) => kits::list(&client(cli, config)?, form),
        Command::Kit(KitCommand::Revoke(args)) => {
            let plan = KitRevokePlan::make(args, &mut desk)?;
            kits::revoke(&plan, &client(cli, config)?, form)
        }
        Command::Backup(command) => {
            let reading = Reading::of_backup(command, config.data_dir.as_deref());
            let done = wiring::backups::backup(command, &mut desk, client(cli, config), form);
            Reading::on_record(reading, brief(cli, config), done)
        }
        Command::Key(command) => commands::key(command, &client(cli, config)?, form),
        Command::Alias(command) => commands::alias(command, &client(cli, config)?, form),
        Command::Wrap(command) => commands::wrap(command, client(cli, config), form),
        Command::Audit(command) => {
            let done = wiring::audit::run(command, client(cli, config), form);
            Reading::on_record(Reading::of_audit(command), brief(cli, config), done)
        }
        Command::Witness(WitnessCommand::Serve(args)) => wiring::witness::serve(args, form),
        Command::Status(_) => {
            commands::status(client(cli, config), config.data_dir.as_deref(), form)
        }
        Command::Config(ConfigCommand::Explain(_)) => commands::explain(loaded, form),
        Command::Config(ConfigCommand::Check(_)) => commands::check(loaded, form),
        Command::Completions(args) => commands::completions(args),
        Command::Man(args) => commands::man(args),
    }
}

/// A client that does not keep anybody waiting, for what a command can do without.
fn brief(cli: &Cli, config: &Config) -> Result<Client, ProfileRefused> {
    let profile = client::read(&profile_path(config)?)?;
    Ok(Client::new(profile, cli.global.endpoint.clone(), config.timeout.min(BRIEF)))
}

/// A client of the profile's server, or of the one that `--endpoint` names.
fn client(cli: &Cli, config: &Config) -> Result<Client, ProfileRefused> {
    let profile = client::read(&profile_path(config)?)?;
    Ok(Client::new(profile, cli.global.endpoint.clone(), config.timeout))
}
