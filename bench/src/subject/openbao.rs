//! OpenBao: its server with the transit engine, raft storage and the file audit on.
//!
//! Invariant: one processor (`GOMAXPROCS=1`), no TLS, as for the others; its root token, which is
//! the cheapest to check. Its audit file is written and not synced before an answer: it promises
//! less than what Keystead is measured with.

use std::{
    fs::{self, File},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};

use base64_simd::STANDARD;
use rustix::process::Pid;
use serde_json::{Value, json};
use ureq::Agent;

use super::Subject;
use crate::{
    disk::Place,
    failed::Failed,
    machine::{Cores, pause},
    operation::Operation,
    presigned::{MESSAGES, message},
};

const WAIT: Duration = Duration::from_secs(30);

/// It runs.
#[derive(Debug)]
pub(crate) struct OpenBao {
    child: Child,
    address: SocketAddr,
    client: Client,
    /// What Decrypt is asked to open.
    ciphertexts: Vec<String>,
}

/// What asking it takes.
#[derive(Debug)]
struct Client {
    endpoint: String,
    token: String,
    agent: Agent,
}

impl OpenBao {
    /// Starts the server `program`, opens it and makes a key of each kind.
    pub(crate) fn start(program: &Path, place: &Place, cores: Cores) -> Result<Self, Failed> {
        let folder = place.at("openbao");
        let address = free_address()?;
        let child = cores.start(|| spawn(program, &folder, address))?;
        let agent = Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let client = Client { endpoint: format!("http://{address}"), token: String::new(), agent };
        let mut bao = Self { child, address, client, ciphertexts: Vec::new() };
        bao.open()?;
        bao.client.call("POST", "sys/mounts/transit", &json!({ "type": "transit" }))?;
        bao.client.call("POST", "transit/keys/aes", &json!({ "type": "aes256-gcm96" }))?;
        bao.client.call("POST", "transit/keys/ed25519", &json!({ "type": "ed25519" }))?;
        for number in 0..MESSAGES {
            let plaintext = STANDARD.encode_to_string(message(Operation::Encrypt, number));
            let body = json!({ "plaintext": plaintext });
            let made = bao.client.call("POST", "transit/encrypt/aes", &body)?;
            bao.ciphertexts.push(text(&made, "ciphertext"));
        }
        let audited = fs::metadata(folder.join("audit.log")).map_or(0, |file| file.len());
        match audited {
            0 => Err(failed("its audit", "the audit file is empty")),
            _ => Ok(bao),
        }
    }

    /// Makes its root key and token, and unseals it.
    fn open(&mut self) -> Result<(), Failed> {
        let shares = json!({ "secret_shares": 1, "secret_threshold": 1 });
        let made = self.client.ready(|client| client.call("POST", "sys/init", &shares))?;
        let key = made["keys"][0].as_str().unwrap_or_default();
        self.client.call("POST", "sys/unseal", &json!({ "key": key }))?;
        self.client.token = made["root_token"].as_str().unwrap_or_default().to_owned();
        // A node of one elects itself; until then it answers nothing.
        self.client.ready(|client| client.call("GET", "sys/mounts", &Value::Null)).map(drop)
    }

    fn path_and_body(&self, operation: Operation, number: usize) -> (&'static str, Value) {
        let input = || STANDARD.encode_to_string(message(operation, number));
        match operation {
            Operation::EncryptSmall | Operation::Encrypt => {
                ("transit/encrypt/aes", json!({ "plaintext": input() }))
            }
            Operation::Decrypt => {
                ("transit/decrypt/aes", json!({ "ciphertext": self.ciphertexts[number] }))
            }
            Operation::DataKey => ("transit/datakey/plaintext/aes", json!({ "bits": 256 })),
            Operation::Sign => ("transit/sign/ed25519", json!({ "input": input() })),
        }
    }

    fn opens(&self, ciphertext: &str, plaintext: &str) -> Result<bool, Failed> {
        let body = json!({ "ciphertext": ciphertext });
        let opened = self.client.call("POST", "transit/decrypt/aes", &body)?;
        Ok(text(&opened, "plaintext") == plaintext)
    }
}

impl Subject for OpenBao {
    fn name(&self) -> &'static str {
        "OpenBao"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn requests(&self, operation: Operation) -> Result<Rc<[Vec<u8>]>, Failed> {
        let of = |number| {
            let (path, body) = self.path_and_body(operation, number);
            let (body, Client { token, .. }) = (body.to_string(), &self.client);
            let head = format!(
                "POST /v1/{path} HTTP/1.1\r\nhost: {}\r\nx-vault-token: {token}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n",
                self.address,
                body.len()
            );
            (head + &body).into_bytes()
        };
        Ok((0..MESSAGES).map(of).collect())
    }

    fn check(&self, operation: Operation, number: usize, answer: &Value) -> Result<(), Failed> {
        let input = STANDARD.encode_to_string(message(operation, number));
        let found = match operation {
            Operation::EncryptSmall | Operation::Encrypt => {
                self.opens(&text(answer, "ciphertext"), &input)?
            }
            Operation::Decrypt => text(answer, "plaintext") == input,
            Operation::DataKey => {
                self.opens(&text(answer, "ciphertext"), &text(answer, "plaintext"))?
            }
            Operation::Sign => {
                let body = json!({ "input": input, "signature": text(answer, "signature") });
                let path = "transit/verify/ed25519";
                self.client.call("POST", path, &body)?["data"]["valid"] == true
            }
        };
        let wrong =
            || self.wrong(operation, format!("request {number} was answered by `{answer}`"));
        found.then_some(()).ok_or_else(wrong)
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client {
    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failed> {
        let silent = |source: &dyn std::fmt::Display| failed(path, &source.to_string());
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.endpoint))
            .header("x-vault-token", &self.token)
            .header("content-type", "application/json");
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = request.body(body).map_err(|source| silent(&source))?;
        let answer = self.agent.run(request).map_err(|source| silent(&source))?;
        let status = answer.status().as_u16();
        let bytes = answer.into_body().read_to_vec().map_err(|source| silent(&source))?;
        match status {
            200 => serde_json::from_slice(&bytes).map_err(|source| silent(&source)),
            204 => Ok(Value::Null),
            _ => Err(failed(path, &format!("{status}: {}", String::from_utf8_lossy(&bytes)))),
        }
    }

    /// The first good answer.
    fn ready<T>(&self, ask: impl Fn(&Self) -> Result<T, Failed>) -> Result<T, Failed> {
        let began = Instant::now();
        loop {
            match ask(self) {
                Err(_) if began.elapsed() < WAIT => pause(Duration::from_millis(100)),
                answered => return answered,
            }
        }
    }
}

fn text(answer: &Value, name: &str) -> String {
    answer["data"][name].as_str().unwrap_or_default().to_owned()
}

fn failed(doing: &str, problem: &str) -> Failed {
    Failed::OpenBao { doing: doing.to_owned(), problem: problem.to_owned() }
}

fn spawn(program: &Path, folder: &Path, address: SocketAddr) -> Result<Child, Failed> {
    for made in [folder.to_owned(), folder.join("raft")] {
        fs::create_dir(&made).map_err(Failed::file(&made))?;
    }
    let config = folder.join("config.hcl");
    fs::write(&config, configuration(folder, address)?).map_err(Failed::file(&config))?;
    let log = folder.join("server.log");
    let log = File::create(&log).map_err(Failed::file(&log))?;
    let err = log.try_clone().map_err(Failed::system("cannot share a log"))?;
    let mut command = Command::new(program);
    command.args(["server", "-config"]).arg(&config).env("GOMAXPROCS", "1");
    command.stdin(Stdio::null()).stdout(log).stderr(err);
    command.spawn().map_err(Failed::file(program))
}

/// Audit devices come from here alone since 2.7.
fn configuration(folder: &Path, address: SocketAddr) -> Result<String, Failed> {
    let (folder, cluster) = (folder.display(), free_address()?);
    Ok(format!(
        r#"storage "raft" {{
  path = "{folder}/raft"
  node_id = "bench"
}}
listener "tcp" {{
  address = "{address}"
  cluster_address = "{cluster}"
  tls_disable = true
}}
audit "file" "file" {{
  options = {{
    file_path = "{folder}/audit.log"
  }}
}}
api_addr = "http://{address}"
cluster_addr = "http://{cluster}"
"#
    ))
}

fn free_address() -> Result<SocketAddr, Failed> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0");
    let address = listener.and_then(|listener| listener.local_addr());
    address.map_err(Failed::system("cannot find a free port"))
}
