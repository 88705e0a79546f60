//! Runs one test of this binary in a process of its own, so that it can be killed or confined.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const FOLDER: &str = "KEYSTEAD_TEST_FOLDER";

/// The folder that a parent test hands over; none where nobody is a parent.
pub(crate) fn folder() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

/// This binary, running only `test`, on `folder`.
pub(crate) fn command(test: &str, folder: &Path) -> Command {
    with_arguments(Command::new(env::current_exe().unwrap()), test, folder)
}

/// The same, started by a shell that first runs `script`.
pub(crate) fn confined(shell: &[&str], script: &str, test: &str, folder: &Path) -> Command {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg("-c").arg(format!("{script} && exec \"$0\" \"$@\""));
    command.arg(env::current_exe().unwrap());
    with_arguments(command, test, folder)
}

fn with_arguments(mut command: Command, test: &str, folder: &Path) -> Command {
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, AsRef::<OsStr>::as_ref(folder));
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}
