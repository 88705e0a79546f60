//! Tells the service manager how it goes: the protocol of sd_notify(3), a datagram each.
//!
//! Invariant: nothing depends on it: without `NOTIFY_SOCKET` it says nothing, and a socket that
//! does not take a message costs a line in the log. The watchdog is fed by a task among the
//! others, so that it starves when the runtime no longer schedules.

use std::{
    ffi::OsString,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    sync::Arc,
    time::Duration,
};

/// The service manager, where there is one.
#[derive(Debug, Clone)]
pub(super) struct Supervisor {
    socket: Option<Arc<(UnixDatagram, SocketAddr)>>,
    /// How often it wants to hear from us.
    watchdog: Option<Duration>,
}

impl Supervisor {
    /// The one that the environment names.
    pub(super) fn of_environment() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET").map(|name| open(&name));
        let socket = match socket {
            Some(Err(failed)) => {
                tracing::warn!(%failed, "the service manager's socket cannot be used");
                None
            }
            Some(Ok(socket)) => Some(Arc::new(socket)),
            None => None,
        };
        let text = |name: &str| std::env::var(name).ok();
        let watchdog = watchdog(text("WATCHDOG_USEC"), text("WATCHDOG_PID"), std::process::id());
        Self { socket, watchdog }
    }

    /// Nobody.
    pub(super) fn none() -> Self {
        Self { socket: None, watchdog: None }
    }

    /// Tells it something.
    pub(super) fn say(&self, message: &str) {
        let Some(socket) = &self.socket else { return };
        if let Err(failed) = socket.0.send_to_addr(message.as_bytes(), &socket.1) {
            tracing::warn!(%failed, "the service manager does not listen");
        }
    }

    /// Says that we live, from now on, twice as often as it wants to hear.
    pub(super) fn feed_watchdog(&self) {
        let Some(every) = self.watchdog else { return };
        let supervisor = self.clone();
        tokio::spawn(async move {
            loop {
                supervisor.say("WATCHDOG=1");
                tokio::time::sleep(every / 2).await;
            }
        });
    }
}

fn open(name: &OsString) -> io::Result<(UnixDatagram, SocketAddr)> {
    let bytes = name.as_bytes();
    let address = match bytes.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    Ok((UnixDatagram::unbound()?, address))
}

/// The watchdog's period, where it is meant for this process.
fn watchdog(usec: Option<String>, pid: Option<String>, own: u32) -> Option<Duration> {
    if pid.is_some_and(|pid| pid.parse() != Ok(own)) {
        return None;
    }
    let usec = usec?.parse().ok().filter(|usec| *usec > 0)?;
    Some(Duration::from_micros(usec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrives_at_a_path_and_at_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let abstract_name = format!("keystead-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&abstract_name).unwrap();
        for (listening, name) in [
            (UnixDatagram::bind(&path).unwrap(), path.clone().into_os_string()),
            (UnixDatagram::bind_addr(&address).unwrap(), format!("@{abstract_name}").into()),
        ] {
            let socket = Some(Arc::new(open(&name).unwrap()));
            Supervisor { socket, watchdog: None }.say("READY=1");
            let mut heard = [0; 32];
            let len = listening.recv(&mut heard).unwrap();
            assert_eq!(&heard[..len], b"READY=1");
        }
    }

    #[test]
    fn a_watchdog_of_another_process_is_not_ours() {
        let of = |usec: &str, pid: Option<&str>| {
            watchdog(Some(usec.to_owned()), pid.map(str::to_owned), 7)
        };
        assert_eq!(of("30000000", None), Some(Duration::from_secs(30)));
        assert_eq!(of("30000000", Some("7")), Some(Duration::from_secs(30)));
        assert_eq!(of("30000000", Some("8")), None);
        assert_eq!(of("0", None), None);
        assert_eq!(of("soon", None), None);
        assert_eq!(watchdog(None, None, 7), None);
    }
}
