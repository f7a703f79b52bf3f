//! Which versions of TLS a server negotiates: asked with ClientHellos written by hand, because a library that speaks them
//! all is not to be had.
//!
//! For each version a connection of its own, with a ClientHello that offers this version and none above. The answer is the
//! first record: a ServerHello says which version the server has chosen, an alert why it has chosen none. No handshake is
//! ever completed, so nothing here needs to be secret, random or signed.

use std::fmt;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use transport::Address;

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// TLS 1.0 (RFC 2246).
    V1_0,
    /// TLS 1.1 (RFC 4346).
    V1_1,
    /// TLS 1.2 (RFC 5246).
    V1_2,
    /// TLS 1.3 (RFC 8446).
    V1_3,
}

/// What a server does about the offer of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It goes on with this version, which may be lower than the one offered.
    Chooses(TlsVersion),
    /// It goes on with a version that nobody has offered: its number on the wire.
    ChoosesUnknown(u16),
    /// It ends the handshake with this alert: 70 is `protocol_version`, 40 `handshake_failure`.
    Alert(u8),
    /// It closes without a word.
    Closes,
    /// It says nothing within the time it has.
    Silent,
    /// It says something that is no TLS: the first bytes.
    NotTls(Vec<u8>),
}

/// What a server does about each version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsVersions {
    /// One for each version, oldest first.
    pub replies: Vec<(TlsVersion, Reply)>,
}

/// The record protocol: content types.
const ALERT: u8 = 0x15;
const HANDSHAKE: u8 = 0x16;

/// The handshake message with which a server answers.
const SERVER_HELLO: u8 = 0x02;

/// The extension that tells of versions from 1.3 on (RFC 8446, 4.2.1).
const SUPPORTED_VERSIONS: u16 = 43;

/// No first answer is longer in earnest.
const LONGEST_ANSWER: usize = 16 << 10;

/// How many of a stranger's bytes are shown.
const SHOWN: usize = 16;

/// Suites of TLS 1.0 and 1.1, and the ones that 1.2 added; for keys of both kinds, and with every mode in use. The last one
/// says that a renegotiation would be secure (RFC 5746): some servers ask for it.
const SUITES: [u16; 6] = [0xc00a, 0xc009, 0xc014, 0xc013, 0x0035, 0x002f];
const SUITES_OF_1_2: [u16; 12] =
    [0xc02c, 0xc02b, 0xc030, 0xc02f, 0xcca9, 0xcca8, 0xc024, 0xc023, 0xc028, 0xc027, 0x009d, 0x009c];
const SUITES_OF_1_3: [u16; 3] = [0x1301, 0x1302, 0x1303];
const SECURE_RENEGOTIATION: u16 = 0x00ff;

/// x25519, secp256r1, secp384r1, secp521r1.
const GROUPS: [u16; 4] = [0x001d, 0x0017, 0x0018, 0x0019];

/// ECDSA, RSA-PSS and RSA with SHA-2, Ed25519, and the SHA-1 ones that old servers know.
const SIGNATURES: [u16; 12] =
    [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0807, 0x0203, 0x0201];

impl TlsVersion {
    /// All of them, oldest first.
    pub const ALL: [TlsVersion; 4] = [TlsVersion::V1_0, TlsVersion::V1_1, TlsVersion::V1_2, TlsVersion::V1_3];

    /// Its number on the wire.
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            TlsVersion::V1_0 => 0x0301,
            TlsVersion::V1_1 => 0x0302,
            TlsVersion::V1_2 => 0x0303,
            TlsVersion::V1_3 => 0x0304,
        }
    }

    fn of_number(number: u16) -> Option<TlsVersion> {
        TlsVersion::ALL.into_iter().find(|version| version.number() == number)
    }
}

impl TlsVersions {
    /// Asks the server at `address` for each version in turn; an answer may take `patience`.
    ///
    /// # Errors
    /// When it cannot be connected to.
    pub async fn ask(address: &Address, patience: Duration) -> io::Result<TlsVersions> {
        let mut replies = Vec::new();
        for version in TlsVersion::ALL {
            replies.push((version, ask(address, version, patience).await?));
        }
        Ok(TlsVersions { replies })
    }

    /// Whether it negotiates this version.
    #[must_use]
    pub fn negotiates(&self, version: TlsVersion) -> bool {
        self.replies.contains(&(version, Reply::Chooses(version)))
    }

    /// Whether it speaks TLS at all: an alert is a word of TLS too.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        let speaks = |reply: &Reply| matches!(reply, Reply::Chooses(_) | Reply::ChoosesUnknown(_) | Reply::Alert(_));
        self.replies.iter().any(|(_, reply)| speaks(reply))
    }
}

async fn ask(address: &Address, version: TlsVersion, patience: Duration) -> io::Result<Reply> {
    let deadline = Instant::now() + patience;
    let connecting = timeout_at(deadline, TcpStream::connect(address.socket())).await;
    let mut stream = connecting.map_err(|_| {
        io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", patience.as_secs_f64()))
    })??;
    let exchange = async {
        // A server that closes at once may be gone before all is written: its answer counts.
        let _ = stream.write_all(&client_hello(version, &address.host)).await;
        let mut answer = Vec::new();
        loop {
            if let Some(reply) = read(&answer) {
                return reply;
            }
            let mut piece = [0; 1024];
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) if answer.is_empty() => return Reply::Closes,
                Ok(0) | Err(_) => return not_tls(&answer),
                Ok(length) => answer.extend_from_slice(&piece[..length]),
            }
        }
    };
    Ok(timeout_at(deadline, exchange).await.unwrap_or(Reply::Silent))
}

/// A ClientHello in its record that offers one version and, before 1.3, those below it.
fn client_hello(version: TlsVersion, host: &str) -> Vec<u8> {
    let is_1_3 = version == TlsVersion::V1_3;
    let mut suites: Vec<u16> = Vec::new();
    if is_1_3 {
        suites.extend(SUITES_OF_1_3);
    } else {
        if version == TlsVersion::V1_2 {
            suites.extend(SUITES_OF_1_2);
        }
        suites.extend(SUITES);
        suites.push(SECURE_RENEGOTIATION);
    }
    let mut body = Vec::new();
    // 1.3 says 1.2 here, for the sake of what stands in between (RFC 8446, 4.1.2).
    body.extend(version.number().min(TlsVersion::V1_2.number()).to_be_bytes());
    body.extend([0x6d; 32]);
    let session: &[u8] = if is_1_3 { &[0x71; 32] } else { &[] };
    body.extend(with_length_in_one(session));
    body.extend(with_length(&numbers(&suites)));
    body.extend([1, 0]); // no compression
    body.extend(with_length(&extensions(version, host)));
    let mut hello = vec![0x01];
    let length = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
    hello.extend(&length[1..]);
    hello.extend(body);
    let mut record = vec![HANDSHAKE];
    // 1.0 in the record: servers of any age read it.
    record.extend(TlsVersion::V1_0.number().to_be_bytes());
    record.extend(with_length(&hello));
    record
}

fn extensions(version: TlsVersion, host: &str) -> Vec<u8> {
    let mut extensions = Vec::new();
    let mut add = |number: u16, content: Vec<u8>| {
        extensions.extend(number.to_be_bytes());
        extensions.extend(with_length(&content));
    };
    // A name, not an address (RFC 6066, 3).
    if host.parse::<std::net::IpAddr>().is_err() && host.is_ascii() {
        let mut name = vec![0];
        name.extend(with_length(host.as_bytes()));
        add(0, with_length(&name));
    }
    add(10, with_length(&numbers(&GROUPS)));
    if version >= TlsVersion::V1_2 {
        add(13, with_length(&numbers(&SIGNATURES)));
    }
    if version == TlsVersion::V1_3 {
        add(SUPPORTED_VERSIONS, with_length_in_one(&version.number().to_be_bytes()));
        // No share at all: the server names the group that it wants, in an answer that tells its version all the same.
        add(51, with_length(&[]));
    } else {
        add(11, with_length_in_one(&[0])); // points uncompressed
    }
    extensions
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// What is in a hello is far shorter than its length can say.
fn with_length(content: &[u8]) -> Vec<u8> {
    let mut all = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    all.extend_from_slice(content);
    all
}

fn with_length_in_one(content: &[u8]) -> Vec<u8> {
    let mut all = vec![u8::try_from(content.len()).unwrap_or(u8::MAX)];
    all.extend_from_slice(content);
    all
}

/// What the bytes so far mean; none as long as more are needed.
fn read(answer: &[u8]) -> Option<Reply> {
    match answer.first()? {
        &ALERT | &HANDSHAKE => {}
        _ => return Some(not_tls(answer)),
    }
    if *answer.get(1)? != 3 || answer.len() > LONGEST_ANSWER {
        return Some(not_tls(answer));
    }
    let length = usize::from(u16::from_be_bytes([*answer.get(3)?, *answer.get(4)?]));
    if answer[0] == ALERT {
        return Some(Reply::Alert(*answer.get(6)?));
    }
    let fragment = answer.get(5..5 + length)?;
    Some(server_hello(fragment).unwrap_or_else(|| not_tls(answer)))
}

/// The version in a ServerHello; none if it is not one.
fn server_hello(message: &[u8]) -> Option<Reply> {
    let (&SERVER_HELLO, body) = (message.first()?, message.get(4..)?) else { return None };
    let number = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
    let mut version = number(0)?;
    // Behind the version: 32 random bytes, the session, a suite, a compression method, extensions.
    let session = usize::from(*body.get(34)?);
    let mut at = 35 + session + 3;
    let end = number(at).map_or(at, |length| at + 2 + usize::from(length));
    at += 2;
    while at + 4 <= end {
        let (extension, length) = (number(at)?, usize::from(number(at + 2)?));
        if extension == SUPPORTED_VERSIONS {
            version = number(at + 4)?;
        }
        at += 4 + length;
    }
    Some(TlsVersion::of_number(version).map_or(Reply::ChoosesUnknown(version), Reply::Chooses))
}

fn not_tls(answer: &[u8]) -> Reply {
    Reply::NotTls(answer[..answer.len().min(SHOWN)].to_vec())
}

/// The alerts that end a handshake (RFC 8446, 6).
fn alert_name(alert: u8) -> Option<&'static str> {
    Some(match alert {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        47 => "illegal_parameter",
        50 => "decode_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        109 => "missing_extension",
        112 => "unrecognized_name",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => return None,
    })
}

impl fmt::Display for TlsVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TlsVersion::V1_0 => "TLS 1.0",
            TlsVersion::V1_1 => "TLS 1.1",
            TlsVersion::V1_2 => "TLS 1.2",
            TlsVersion::V1_3 => "TLS 1.3",
        })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Chooses(version) => write!(f, "goes on with {version}"),
            Reply::ChoosesUnknown(number) => write!(f, "goes on with an unknown version, 0x{number:04x}"),
            Reply::Alert(number) => match alert_name(*number) {
                Some(name) => write!(f, "refused with the alert {name} ({number})"),
                None => write!(f, "refused with the alert {number}"),
            },
            Reply::Closes => f.write_str("refused: the connection is closed without an alert"),
            Reply::Silent => f.write_str("no answer in time"),
            Reply::NotTls(bytes) => {
                let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                write!(f, "the answer is no TLS: `{}`", hex.join(" "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Reply, TlsVersion, client_hello, read};

    /// A ServerHello in its record, with extensions as they are.
    fn hello(version: [u8; 2], extensions: &[u8]) -> Vec<u8> {
        let mut body = version.to_vec();
        body.extend([7; 32]);
        body.extend([0, 0xc0, 0x2f, 0]);
        if !extensions.is_empty() {
            body.extend(super::with_length(extensions));
        }
        let mut message = vec![2, 0, 0, u8::try_from(body.len()).unwrap()];
        message.extend(body);
        let mut record = vec![0x16, 3, 3];
        record.extend(super::with_length(&message));
        record
    }

    #[test]
    fn the_version_of_an_answer_is_read() {
        assert_eq!(read(&hello([3, 1], &[])), Some(Reply::Chooses(TlsVersion::V1_0)));
        assert_eq!(read(&hello([3, 2], &[0xff, 1, 0, 1, 0])), Some(Reply::Chooses(TlsVersion::V1_1)));
        let of_1_3 = [0, 51, 0, 2, 0, 0x17, 0, 43, 0, 2, 3, 4];
        assert_eq!(read(&hello([3, 3], &of_1_3)), Some(Reply::Chooses(TlsVersion::V1_3)));
        assert_eq!(read(&hello([3, 9], &[])), Some(Reply::ChoosesUnknown(0x0309)));
        assert_eq!(read(&[0x15, 3, 1, 0, 2, 2, 70]), Some(Reply::Alert(70)));
    }

    #[test]
    fn an_answer_that_is_not_whole_is_waited_for() {
        let whole = hello([3, 3], &[0, 43, 0, 2, 3, 4]);
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), None, "{length}");
        }
        assert_eq!(read(&[0x15, 3, 1, 0, 2, 2]), None);
    }

    #[test]
    fn what_is_no_tls_is_told() {
        assert_eq!(read(b"\x20\x02\x00\x00"), Some(Reply::NotTls(b"\x20\x02\x00\x00".to_vec())));
        assert!(matches!(read(&[0x16, 9, 9]), Some(Reply::NotTls(_))));
        // A handshake record with something else in it, and one that ends in the middle.
        assert!(matches!(read(&[0x16, 3, 3, 0, 4, 1, 0, 0, 0]), Some(Reply::NotTls(_))));
        assert!(matches!(read(&[0x16, 3, 3, 0, 7, 2, 0, 0, 3, 3, 3, 0]), Some(Reply::NotTls(_))));
    }

    #[test]
    fn lengths_in_a_hello_are_right_and_addresses_are_no_names() {
        for version in TlsVersion::ALL {
            let named = client_hello(version, "broker.example");
            assert_eq!(usize::from(u16::from_be_bytes([named[3], named[4]])), named.len() - 5, "{version}");
            assert_eq!(usize::from(u16::from_be_bytes([named[7], named[8]])), named.len() - 9, "{version}");
            assert!(named.windows(14).any(|bytes| bytes == b"broker.example"));
            assert!(!client_hello(version, "::1").windows(3).any(|bytes| bytes == b"::1"));
        }
    }
}
