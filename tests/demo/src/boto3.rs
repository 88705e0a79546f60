//! The other client: AWS's own library for Python, in a process of its own.
//!
//! Invariant: it gets endpoint, access key, files and nothing of ours; what it did is read from the
//! files that it wrote and not from what it says.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use keystead_driver::{Access, Kms};
use serde_json::{Value, json};

use crate::{
    documents::{Document, Recovered},
    failure::Failure,
};

const SCRIPT: &str = include_str!("../documents.py");

/// A server with the access key for it.
pub(crate) struct Client<'a> {
    kms: Kms<'a>,
    endpoint: String,
    access: &'a Access,
    folder: PathBuf,
}

impl<'a> Client<'a> {
    /// Of the server at `endpoint`; what boto3 decrypts goes below `folder`.
    pub(crate) fn new(endpoint: &str, access: &'a Access, folder: PathBuf) -> Self {
        Self { kms: Kms::new(endpoint, access), endpoint: endpoint.to_owned(), access, folder }
    }

    /// Our own client of it.
    pub(crate) fn kms(&self) -> &Kms<'a> {
        &self.kms
    }

    fn run_python(&self, task: &str, documents: &Value) -> Result<(), Failure> {
        let failed = |said: String| Failure::Program { program: "documents.py", said };
        let python = std::env::var_os("KEYSTEAD_PYTHON");
        let python = python.ok_or(Failure::Environment { variable: "KEYSTEAD_PYTHON" })?;
        let mut command = Command::new(python);
        command.args(["-c", SCRIPT, task]).stdin(Stdio::piped());
        command.env("AWS_ENDPOINT_URL", &self.endpoint).env("AWS_DEFAULT_REGION", "eu-central-1");
        command.env("AWS_ACCESS_KEY_ID", &self.access.id);
        self.access.expose(|secret| command.env("AWS_SECRET_ACCESS_KEY", secret));
        // Nothing that lies in somebody's home folder may change what is shown.
        command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
        command.env_remove("AWS_SESSION_TOKEN").env_remove("AWS_PROFILE");
        let mut child = command.spawn().map_err(|source| failed(source.to_string()))?;
        let mut stdin = child.stdin.take().expect("it is a pipe");
        let written = stdin.write_all(documents.to_string().as_bytes());
        drop(stdin);
        let status = child.wait().map_err(|source| failed(source.to_string()))?;
        written.map_err(|source| failed(source.to_string()))?;
        match status.code() {
            // One document that fails is counted, and its reason is printed already.
            Some(0 | 1) => Ok(()),
            _ => Err(failed(status.to_string())),
        }
    }
}

/// Has boto3 encrypt its documents; returns how many.
pub(crate) fn encrypt(client: &Client<'_>, documents: &[Document]) -> Result<usize, Failure> {
    let theirs = || documents.iter().filter(|document| document.is_for_boto3);
    let job = |document: &Document| {
        json!({
            "path": document.path,
            "key": document.key,
            "plain": document.plain,
            "sealed": document.sealed,
        })
    };
    client.run_python("encrypt", &theirs().map(job).collect())?;
    Ok(theirs().filter(|document| document.sealed.exists()).count())
}

/// Has boto3 decrypt all documents; returns what it gave back.
pub(crate) fn decrypt(client: &Client<'_>, documents: &[Document]) -> Result<Recovered, Failure> {
    fs::create_dir(&client.folder).map_err(Failure::file(&client.folder))?;
    let opened = |document: &Document| client.folder.join(document.number.to_string());
    let job = |document: &Document| {
        json!({
            "path": document.path,
            "sealed": document.sealed,
            "plain": opened(document),
        })
    };
    client.run_python("decrypt", &documents.iter().map(job).collect())?;
    let read = |document: &Document| Some((document.number, fs::read(opened(document)).ok()?));
    Ok(documents.iter().filter_map(read).collect())
}
