//! Where a server is: `http://HOST:PORT`.
//!
//! Invariant: what is displayed parses back to an equal value; there is no path, query or user in
//! it, which a signature would have to cover.

use std::net::SocketAddr;
use std::str::FromStr;

use thiserror::Error;
use ureq::http::Uri;
use ureq::http::uri::Authority;

/// A server's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    authority: Authority,
}

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum EndpointInvalid {
    /// Another form.
    #[error("`{text}` is not of the form http://HOST:PORT")]
    Form {
        /// The text.
        text: String,
    },
    /// TLS.
    #[error("`{text}` asks for TLS, which this program does not speak yet")]
    Tls {
        /// The text.
        text: String,
    },
}

impl Endpoint {
    /// The server that listens on `address`.
    pub(crate) fn of(address: SocketAddr) -> Self {
        let authority = address.to_string().parse();
        Self { authority: authority.expect("an address is a lawful authority") }
    }

    /// Host and port, as the header `host` has them.
    pub(super) fn authority(&self) -> &str {
        self.authority.as_str()
    }
}

impl FromStr for Endpoint {
    type Err = EndpointInvalid;

    fn from_str(text: &str) -> Result<Self, EndpointInvalid> {
        let form = || EndpointInvalid::Form { text: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_| form())?;
        if uri.scheme_str() == Some("https") {
            return Err(EndpointInvalid::Tls { text: text.to_owned() });
        }
        let plain = uri.scheme_str() == Some("http") && uri.path() == "/" && uri.query().is_none();
        let authority = uri.authority().filter(|authority| {
            let port = authority.port_u16().is_some() || authority.as_str() == authority.host();
            plain && port && !authority.host().is_empty() && !authority.as_str().contains('@')
        });
        Ok(Self { authority: authority.ok_or_else(form)?.clone() })
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_scheme_host_and_port() {
        for good in ["http://127.0.0.1:7700", "http://[::1]:7700", "http://localhost"] {
            assert_eq!(good.parse::<Endpoint>().unwrap().to_string(), good);
        }
        assert_eq!("http://a:1/".parse::<Endpoint>().unwrap().to_string(), "http://a:1");
        for bad in [
            "",
            "127.0.0.1:7700",
            "ftp://a",
            "http://",
            "http://a/v1",
            "http://a?x",
            "http://u:p@a",
            "http://a:99999999",
            "http:// a",
        ] {
            assert!(matches!(bad.parse::<Endpoint>(), Err(EndpointInvalid::Form { .. })), "{bad}");
        }
        assert!(matches!("https://a".parse::<Endpoint>(), Err(EndpointInvalid::Tls { .. })));
    }
}
