//! Both ends of a handshake: who gets through, and what those are told who do not.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use transport::tls::{ClientTls, Failure, Identity, ServerTls, Trust};
use transport::web_socket::Manners;
use transport::{Address, Entrance, FILES, Opened, Route, Scheme, TestAuthority, Tls, Validity};

type Result = std::result::Result<(), Box<dyn Error>>;

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("mqttspec-tls-{}-{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Shakes hands in memory, says `ping` and hears `pong`.
async fn talk(client: &ClientTls, host: &str, server: ServerTls) -> std::result::Result<(), Failure> {
    let (ours, theirs) = duplex(4096);
    let serving = tokio::spawn(async move {
        let mut stream = server.accept(Box::new(theirs)).await.ok()?;
        let mut heard = [0; 4];
        stream.read_exact(&mut heard).await.ok()?;
        stream.write_all(b"pong").await.ok()?;
        stream.flush().await.ok()
    });
    let mut stream = client.connect(host, Box::new(ours)).await?;
    let mut heard = [0; 4];
    let exchange = async {
        stream.write_all(b"ping").await?;
        stream.flush().await?;
        stream.read_exact(&mut heard).await
    };
    let exchanged = exchange.await;
    exchanged.map_err(|error| Failure::on_open_stream(&error).unwrap_or(Failure::Other(error.to_string())))?;
    assert_eq!(&heard, b"pong");
    assert!(serving.await.is_ok_and(|served| served.is_some()));
    Ok(())
}

#[tokio::test]
async fn a_server_whose_authority_is_trusted_is_believed_under_its_names() -> Result {
    let authority = TestAuthority::new()?;
    for host in ["localhost", "127.0.0.1", "::1"] {
        talk(&authority.client(None), host, authority.server()?).await?;
    }
    Ok(())
}

#[tokio::test]
async fn each_thing_that_is_wrong_with_a_certificate_has_its_own_words() -> Result {
    let authority = TestAuthority::new()?;
    let server = |names: &[&str], validity| -> std::result::Result<ServerTls, transport::NotMade> {
        Ok(ServerTls::new(authority.for_server(names, validity)?.identity))
    };
    let valid = || server(&["localhost"], Validity::Valid);
    let told = |outcome: std::result::Result<(), Failure>| outcome.expect_err("the server is not believed").to_string();

    let stranger = TestAuthority::new()?.client(None);
    let message = told(talk(&stranger, "localhost", valid()?).await);
    assert!(message.contains("authority that is not trusted here: --cafile FILE"), "{message}");

    let system = ClientTls::new(&Trust::System, None)?;
    assert_eq!(talk(&system, "localhost", valid()?).await, Err(Failure::UnknownAuthority));

    let client = authority.client(None);
    let message = told(talk(&client, "127.0.0.1", valid()?).await);
    assert!(message.contains("not for `127.0.0.1`, but for") && message.contains("localhost"), "{message}");

    let message = told(talk(&client, "localhost", server(&["localhost"], Validity::Expired)?).await);
    assert!(message.starts_with("its certificate has expired ") && message.contains(" days ago"), "{message}");

    talk(&ClientTls::new(&Trust::Anybody, None)?, "elsewhere", server(&["localhost"], Validity::Expired)?).await?;
    Ok(())
}

#[tokio::test]
async fn a_server_can_ask_who_the_client_is() -> Result {
    let folder = Folder::new("clients");
    let authority = TestAuthority::new()?;
    authority.write(&folder.0)?;
    let identity =
        |name: &str| Identity::from_files(&folder.file(&format!("{name}.pem")), &folder.file(&format!("{name}.key")));
    let server = || ServerTls::for_clients_of(&folder.file("ca.pem"), identity("server")?);

    talk(&authority.client(Some(identity("client")?)), "localhost", server()?).await?;
    let nobody = talk(&authority.client(None), "localhost", server()?).await;
    let message = nobody.expect_err("it has no certificate").to_string();
    assert!(message.contains("--cert FILE --key FILE"), "{message}");
    let stranger = TestAuthority::new()?.for_client("stranger")?.identity;
    let refused = talk(&authority.client(Some(stranger)), "localhost", server()?).await;
    assert!(refused.expect_err("nobody knows it").to_string().contains("--cert"), "it says which option is about it");
    Ok(())
}

#[test]
fn files_that_cannot_be_used_are_named_with_the_reason() -> Result {
    let folder = Folder::new("files");
    TestAuthority::new()?.write(&folder.0)?;
    let message =
        |trust: &str| ClientTls::new(&Trust::Authorities(folder.file(trust)), None).expect_err(trust).to_string();
    assert!(message("absent.pem").contains("absent.pem: it cannot be read: "));
    assert!(message("server.key").contains("server.key: no certificate in it: it must be PEM"));
    let wrong = |certificate: &str, key: &str| {
        Identity::from_files(&folder.file(certificate), &folder.file(key)).expect_err(key).to_string()
    };
    assert!(wrong("client.pem", "server.key").contains("server.key: it is not the key of the certificate in "));
    assert!(wrong("client.pem", "ca.pem").contains("ca.pem: no private key in it"));
    assert!(TestAuthority::new()?.write(&folder.0).is_err(), "nothing is overwritten");
    Ok(())
}

#[cfg(unix)]
#[test]
fn keys_are_for_their_owner_alone() -> Result {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("keys");
    TestAuthority::new()?.write(&folder.0)?;
    for name in FILES.iter().filter(|name| name.ends_with(".key")) {
        assert_eq!(fs::metadata(folder.file(name))?.permissions().mode() & 0o777, 0o600, "{name}");
    }
    Ok(())
}

#[test]
fn no_key_is_ever_printed() -> Result {
    let certificate = TestAuthority::new()?.for_client("client")?;
    let shown = format!("{certificate:?} {:?}", certificate.identity);
    assert_eq!(shown, "TestCertificate(Identity(1 certificates)) Identity(1 certificates)");
    Ok(())
}

#[tokio::test]
async fn what_is_no_tls_is_said_to_be_none() -> Result {
    let authority = TestAuthority::new()?;
    let (ours, mut theirs) = duplex(4096);
    theirs.write_all(b"\x20\x02\x00\x05").await?;
    drop(tokio::spawn(async move {
        let mut rest = Vec::new();
        let _ = theirs.read_to_end(&mut rest).await;
    }));
    let failure = authority.client(None).connect("localhost", Box::new(ours)).await.expect_err("it is no TLS");
    assert_eq!(failure, Failure::NotTls);
    let (ours, theirs) = duplex(4096);
    drop(theirs);
    let failure = authority.client(None).connect("localhost", Box::new(ours)).await.expect_err("nobody is there");
    assert_eq!(failure, Failure::Closed);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn all_schemes_work_in_memory_and_in_virtual_time() -> Result {
    let authority = TestAuthority::new()?;
    for scheme in Scheme::ALL {
        let entrance = Entrance {
            tls: if scheme.has_tls() { Some(Tls::Modern(authority.server()?)) } else { None },
            web_socket: scheme.has_web_socket(),
        };
        let (ours, theirs) = duplex(4096);
        tokio::spawn(async move {
            let mut admitted = entrance.admit(Box::new(theirs), Manners::Proper).await.unwrap();
            assert_eq!(admitted.is_encrypted, scheme.has_tls());
            let mut heard = [0; 1000];
            admitted.stream.read_exact(&mut heard).await.unwrap();
            admitted.stream.write_all(&heard).await.unwrap();
            admitted.stream.shutdown().await.unwrap();
        });
        let route = Route::new(Address::loopback(scheme, 1), || Ok::<_, String>(authority.client(None)), None)?;
        let Opened { mut stream, frames, .. } = route.over(Box::new(ours)).await?;
        assert_eq!(frames.is_some(), scheme.has_web_socket());
        stream.write_all(&[7; 1000]).await?;
        stream.flush().await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        assert_eq!(answer, [7; 1000], "{scheme}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_not_waited_for_without_end() -> Result {
    let entrance = Entrance { tls: Some(Tls::Modern(TestAuthority::new()?.server()?)), web_socket: false };
    let (_ours, theirs) = duplex(4096);
    let refused = entrance.admit(Box::new(theirs), Manners::Proper).await.expect_err("it says nothing");
    assert_eq!(refused.to_string(), "no end of its handshakes within 10 s");
    Ok(())
}
