//! `completions` and `man`: what a packager puts beside the program.

use std::io;

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs, ManArgs};
use crate::exit::Exit;
use crate::failed::Failed;
use crate::output::write_out;

/// Prints the completion script.
pub(crate) fn completions(args: &CompletionsArgs) -> Result<Exit, Failed> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "keystead", &mut script);
    write_out(&script)?;
    Ok(Exit::Done)
}

/// Writes one page for each command.
pub(crate) fn man(args: &ManArgs) -> Result<Exit, Failed> {
    let pages = || -> io::Result<()> {
        std::fs::create_dir_all(&args.folder)?;
        clap_mangen::generate_to(Cli::command(), &args.folder)
    };
    pages().map_err(|source| Failed::Pages { folder: args.folder.clone(), source })?;
    Ok(Exit::Done)
}
