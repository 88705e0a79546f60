//! Published vectors, the round trip, and every altered element.

use proptest::prelude::*;

use super::*;

const SECRET: &[u8] = b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const AMZ_DATE: &str = "20150830T123600Z";
const SIGNED_AT: i64 = 1_440_938_160;

type Headers<'a> = Vec<(&'a str, &'a [u8])>;

fn secret() -> Secret<40> {
    Secret::from_slice(SECRET).unwrap()
}

fn scope(region: &str, service: &str) -> Scope {
    Scope { date: "20150830".into(), region: region.into(), service: service.into() }
}

/// One request as a client made it, signed within [`SIGNED_AT`]'s day.
#[derive(Clone)]
struct Wire<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Headers<'a>,
    body: &'a [u8],
}

impl<'a> Wire<'a> {
    fn new(method: &'a str, path: &'a str, query: &'a str) -> Self {
        let headers: Headers<'a> =
            vec![("host", b"example.amazonaws.com"), ("x-amz-date", AMZ_DATE.as_bytes())];
        Self { method, path, query, headers, body: b"" }
    }

    fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.retain(|(header, _)| *header != name);
        self.and(name, value)
    }

    fn and(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value.as_bytes()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| *header != name);
        self
    }

    fn claim(&self) -> Result<Claim, ClaimFault> {
        claim(&RequestParts {
            method: self.method,
            raw_path: self.path,
            raw_query: self.query,
            headers: &self.headers,
            body_sha256: sha256(self.body),
        })
    }

    fn verifies(&self) -> bool {
        self.claim().is_ok_and(|claim| verify(&signing_key(&secret(), &claim.scope), &claim))
    }
}

fn authorization(scope: &str, signed: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/{scope}/aws4_request, \
         SignedHeaders={signed}, Signature={signature}"
    )
}

/// The published suite where its requests are lawful here; every signature was computed again by
/// botocore 1.44.5, which also made the rows that the suite lacks.
#[test]
fn the_published_vectors_verify() {
    let plain = "host;x-amz-date";
    let unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let unreserved = format!("{unreserved}={unreserved}");
    let get = |query| Wire::new("GET", "/", query);
    let trim = get("").and("my-header1", " value1 ").and("my-header2", " \"a   b   c\"");
    let mut form = Wire::new("POST", "/", "")
        .and("content-type", "application/x-www-form-urlencoded")
        .and("content-length", "13");
    form.body = b"Param1=value1";
    let mut kms = Wire::new("POST", "/", "")
        .with("host", "127.0.0.1:7700")
        .and("x-amz-target", "TrentService.ListKeys")
        .and("content-type", "application/x-amz-json-1.1");
    kms.body = b"{}";
    let dated = get("").without("x-amz-date").and("date", "Sun, 30 Aug 2015 12:36:00 -0000");
    let signatures = [
        (get(""), plain, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            Wire::new("POST", "/", ""),
            plain,
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            get("Param2=value2&Param1=value1"),
            plain,
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            get("Param1=value2&Param1=value1"),
            plain,
            "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
        ),
        (
            get(&unreserved),
            plain,
            "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
        ),
        (
            Wire::new("GET", "/%E1%88%B4", ""),
            plain,
            "697b34846207a3f72246f99d74ae1ee4fe54f44bb06730c58a0d339eb079596d",
        ),
        (
            trim,
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
        (
            form,
            "content-length;content-type;host;x-amz-date",
            "fec50118d90ecf934441dd37fb9a49bd7f5adb6450802ca3a0977623bbb7c27f",
        ),
        (
            Wire::new("GET", "/v1/keys/alias%2Fphi%20x", ""),
            plain,
            "de445cf04a29b18e856dd79be1001ede360e23fc504378509f914d56eda8f539",
        ),
        (dated, "date;host", "7680771e48fa28c7db272da980f990fa8ee39dee61905c4203f5da9d3d48ac86"),
    ];
    for (wire, signed, signature) in signatures {
        let header = authorization("us-east-1/service", signed, signature);
        let wire = wire.with("authorization", &header);
        assert_eq!(wire.claim().unwrap().signed_at, SIGNED_AT);
        assert!(wire.verifies(), "{} {}?{}", wire.method, wire.path, wire.query);
    }
    let signature = "1e46959536d129e39384640dfeaab84ac5f62eec7468ceff2cdb5d98e291f995";
    let signed = "content-type;host;x-amz-date;x-amz-target";
    let header = authorization("eu-central-1/kms", signed, signature);
    assert!(kms.with("authorization", &header).verifies());
}

const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

fn vanilla_header() -> String {
    authorization("us-east-1/service", "host;x-amz-date", VANILLA)
}

#[test]
fn the_header_reads_with_and_without_spaces_and_in_any_order() {
    let header = vanilla_header();
    let wire = Wire::new("GET", "/", "");
    assert!(wire.clone().with("authorization", &header.replace(", ", ",")).verifies());
    let (credential, rest) = header.split_once(", ").unwrap();
    let credential = credential.split_once(' ').unwrap().1;
    let turned = format!("{ALGORITHM}  {rest} ,  {credential}");
    assert!(wire.with("authorization", &turned).verifies());
}

#[test]
fn a_header_with_a_part_missing_doubled_or_foreign_is_refused() {
    use ClaimFault as F;
    let good = vanilla_header();
    let incomplete = |part| F::Incomplete { part };
    let cases = [
        (good.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), F::Algorithm),
        (good.replace("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256"), F::Algorithm),
        ("Bearer abc".to_owned(), F::Algorithm),
        (String::new(), F::Algorithm),
        (ALGORITHM.to_owned(), incomplete("Credential")),
        (good.replace("Credential=", "credential="), incomplete("Credential")),
        (good.replace("/aws4_request", "/aws5_request"), incomplete("Credential")),
        (good.replace("/aws4_request", ""), incomplete("Credential")),
        (good.replace("AKIDEXAMPLE", ""), incomplete("Credential")),
        (good.replace("AKIDEXAMPLE", "AKID/EXAMPLE"), incomplete("Credential")),
        (good.replace("us-east-1", "us:east"), incomplete("Credential")),
        (good.replace("20150830", "2015083"), incomplete("Credential")),
        (good.replace("host;x-amz-date", "x-amz-date;host"), incomplete("SignedHeaders")),
        (good.replace("host;x-amz-date", "host;host;x-amz-date"), incomplete("SignedHeaders")),
        (good.replace("host;x-amz-date", "Host;x-amz-date"), incomplete("SignedHeaders")),
        (good.replace("host;x-amz-date", ""), incomplete("SignedHeaders")),
        (good.replace(VANILLA, &VANILLA.to_uppercase()), incomplete("Signature")),
        (good.replace(VANILLA, &VANILLA[2..]), incomplete("Signature")),
        (format!("{good}, Signature={VANILLA}"), incomplete("Signature")),
        (format!("{good}, Extra=1"), incomplete("Signature")),
        (good.replace("20150830/", "20150831/"), F::OtherDay),
        (format!("{good}{}", " ".repeat(9000)), F::TooLong { part: "Authorization header" }),
    ];
    for (header, fault) in cases {
        let wire = Wire::new("GET", "/", "").with("authorization", &header);
        assert_eq!(wire.claim(), Err(fault), "{header}");
    }
}

#[test]
fn what_a_signature_must_cover_is_named_when_it_does_not() {
    use ClaimFault as F;
    let not_signed = |header: &str| F::NotSigned { header: header.into() };
    let header = vanilla_header();
    let host_only = authorization("us-east-1/service", "host", VANILLA);
    let date_only = authorization("us-east-1/service", "x-amz-date", VANILLA);
    let more = authorization("us-east-1/service", "host;x-amz-date;x-more", VANILLA);
    let wire = Wire::new("GET", "/", "").with("authorization", &header);
    let bad_hash = "0".repeat(64);
    let with_hash =
        authorization("us-east-1/service", "host;x-amz-content-sha256;x-amz-date", VANILLA);
    let hashed = wire.clone().with("authorization", &with_hash);
    let cases = [
        (wire.clone().without("authorization"), F::Missing),
        (Wire::new("GET", "/", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"), F::Missing),
        (wire.clone().with("authorization", &host_only), not_signed("x-amz-date")),
        (wire.clone().with("authorization", &date_only), not_signed("host")),
        (wire.clone().with("authorization", &more), F::Absent { header: "x-more".into() }),
        (wire.clone().and("x-amz-target", "TrentService.Encrypt"), not_signed("x-amz-target")),
        (wire.clone().without("x-amz-date"), not_signed("x-amz-date")),
        (wire.clone().with("x-amz-date", "20150830T126000Z"), F::Instant),
        (wire.clone().and("x-amz-security-token", "t"), F::SessionToken),
        (wire.clone().and("host", "other"), F::Repeated { header: "host" }),
        (wire.clone().and("x-amz-date", AMZ_DATE), F::Repeated { header: "x-amz-date" }),
        (wire.clone().and("authorization", &header), F::Repeated { header: "authorization" }),
        (hashed.clone().and("x-amz-content-sha256", "UNSIGNED-PAYLOAD"), F::PayloadHash),
        (hashed.and("x-amz-content-sha256", &bad_hash), F::PayloadHash),
    ];
    for (wire, fault) in cases {
        assert_eq!(wire.claim(), Err(fault), "{:?}", wire.headers);
    }
}

#[test]
fn paths_and_queries_that_two_readers_could_read_differently_are_refused() {
    let header = vanilla_header();
    let claim_of = |path, query| {
        Wire::new("GET", path, query).with("authorization", &header).claim().map(|_| ())
    };
    for path in ["//", "/a//b", "/a/", "/./a", "/a/..", "/%2e%2E/a", "/%", "/%f", "/%zz", "a"] {
        assert_eq!(claim_of(path, ""), Err(ClaimFault::Path), "{path}");
    }
    for query in ["%", "a=%2", "a%zz=1"] {
        assert_eq!(claim_of("/", query), Err(ClaimFault::Query), "{query}");
    }
    let long = format!("/{}", "a".repeat(9000));
    assert_eq!(claim_of(&long, ""), Err(ClaimFault::TooLong { part: "path" }));
    let many = "a&".repeat(300);
    assert_eq!(claim_of("/", &many), Err(ClaimFault::TooLong { part: "query" }));
    assert_eq!(claim_of("", ""), Ok(()));
}

#[test]
fn a_plus_in_a_query_is_a_plus_and_escapes_have_one_form() {
    let header = vanilla_header();
    let claim_of =
        |query| Wire::new("GET", "/", query).with("authorization", &header).claim().unwrap();
    assert_eq!(claim_of("a=b+c"), claim_of("a=b%2bc"));
    assert_ne!(claim_of("a=b+c"), claim_of("a=b%20c"));
    assert_eq!(claim_of("b&a=1"), claim_of("a=1&b="));
}

#[test]
fn instants_have_one_spelling_and_impossible_ones_none() {
    assert_eq!(amz_date(SIGNED_AT), AMZ_DATE);
    assert_eq!(amz_date(0), "19700101T000000Z");
    assert_eq!(amz_date(951_782_399), "20000228T235959Z");
    for text in ["20000229T000000Z", "19691231T235959Z", "24001231T235959Z"] {
        assert_eq!(amz_date(stamp::parse_amz_date(text.as_bytes()).unwrap()), text);
    }
    for bad in [
        "20150230T000000Z",
        "20150001T000000Z",
        "20150830T240000Z",
        "20150830T006000Z",
        "20150830T000060Z",
        "20150830T000000",
        "2015083T0000000Z",
        "20150830 000000Z",
        "+0150830T000000Z",
        "",
    ] {
        assert_eq!(stamp::parse_amz_date(bad.as_bytes()), None, "{bad}");
    }
    let http = |text: &str| stamp::parse_http_date(text.as_bytes());
    assert_eq!(http("Sun, 30 Aug 2015 12:36:00 GMT"), Some(SIGNED_AT));
    for bad in [
        "Mon, 30 Aug 2015 12:36:00 GMT",
        "Sun, 30 Aug 2015 12:36:00 CET",
        "Sun, 30 aug 2015 12:36:00 GMT",
        "Sun, 30 Aug 15 12:36:00 GMT",
        "Sun, 30 Aug 2015 12:36 GMT",
        "",
    ] {
        assert_eq!(http(bad), None, "{bad}");
    }
}

#[test]
fn a_request_that_nobody_could_verify_is_not_signed() {
    let sign_with = |id: &str, date: &str, path: &str, headers: &[(&str, &[u8])]| {
        let parts = RequestParts {
            method: "GET",
            raw_path: path,
            raw_query: "",
            headers,
            body_sha256: sha256(b""),
        };
        sign(&secret(), id, &scope("local", "keystead"), date, &parts).map(|_| ())
    };
    let host: &[(&str, &[u8])] = &[("host", b"h")];
    assert_eq!(sign_with("AKID", AMZ_DATE, "/", host), Ok(()));
    assert!(sign_with("AK ID", AMZ_DATE, "/", host).is_err());
    assert!(sign_with("AKID", "20150831T000000Z", "/", host).is_err());
    assert!(sign_with("AKID", "yesterday", "/", host).is_err());
    assert!(sign_with("AKID", AMZ_DATE, "/a/../b", host).is_err());
    assert!(sign_with("AKID", AMZ_DATE, "/", &[]).is_err());
}

fn sign_wire(wire: &Wire<'_>) -> Vec<(String, String)> {
    let parts = RequestParts {
        method: wire.method,
        raw_path: wire.path,
        raw_query: wire.query,
        headers: &wire.headers,
        body_sha256: sha256(wire.body),
    };
    sign(&secret(), "AKIDEXAMPLE", &scope("eu-1", "kms"), AMZ_DATE, &parts).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_we_sign_verifies_and_any_altered_part_does_not(
        segment in "[a-zA-Z0-9_~-]{1,12}",
        value in "[a-zA-Z0-9._~-]{1,12}",
        target in "[!-~]{1,20}",
        body in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let (path, query) = (format!("/v1/keys/{segment}"), format!("after={value}"));
        let (path2, query2) = (format!("{path}x"), format!("{query}x"));
        let (target2, body2) = (format!("{target}x"), [body.as_slice(), b"x"].concat());
        let mut wire = Wire::new("POST", &path, &query)
            .without("x-amz-date")
            .and("x-amz-target", &target);
        wire.body = &body;
        let added = sign_wire(&wire);
        for (name, value) in &added {
            wire = wire.and(name, value);
        }
        prop_assert!(wire.verifies());
        let altered = [
            Wire { method: "PUT", ..wire.clone() },
            Wire { path: &path2, ..wire.clone() },
            Wire { query: &query2, ..wire.clone() },
            Wire { query: "", ..wire.clone() },
            Wire { body: &body2, ..wire.clone() },
            wire.clone().with("x-amz-target", &target2),
            wire.clone().and("x-amz-target", &target2),
            wire.clone().without("x-amz-target"),
            wire.clone().with("host", "elsewhere"),
            wire.clone().with("x-amz-date", "20150830T123601Z"),
            wire.clone().with("x-amz-date", "20150831T123600Z"),
        ];
        for (index, wire) in altered.iter().enumerate() {
            prop_assert!(!wire.verifies(), "alteration {}", index);
        }
        let claim = wire.claim().unwrap();
        for other in [scope("eu-2", "kms"), scope("eu-1", "sts")] {
            prop_assert!(!verify(&signing_key(&secret(), &other), &claim));
        }
        let another = Secret::from_slice(&[b'x'; 40]).unwrap();
        prop_assert!(!verify(&signing_key(&another, &claim.scope), &claim));
        for bit in 0..256 {
            let mut flipped = claim.clone();
            flipped.signature[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!verify(&signing_key(&secret(), &claim.scope), &flipped));
        }
    }

    #[test]
    fn no_bytes_panic_the_reader(
        method in "\\PC{0,8}",
        path in "\\PC{0,40}",
        query in "\\PC{0,40}",
        values in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 5),
        tail in "[ -~]{0,120}",
    ) {
        let header = format!("AWS4-HMAC-SHA256 Credential={tail}");
        for authorization in [values[0].as_slice(), header.as_bytes()] {
            let headers: Headers<'_> = vec![
                ("authorization", authorization),
                ("host", &values[1]),
                ("x-amz-date", &values[2]),
                ("x-amz-content-sha256", &values[3]),
                ("date", &values[4]),
            ];
            let _ = claim(&RequestParts {
                method: &method,
                raw_path: &path,
                raw_query: &query,
                headers: &headers,
                body_sha256: [0; 32],
            });
        }
        let _ = stamp::parse_amz_date(&values[0]);
        let _ = stamp::parse_http_date(tail.as_bytes());
    }
}
