//! The vectors of platform.md section 17: signatures, and the packets of a login as bytes.

use model::device::{
    Device, DeviceLogin, ExtendedIdentifier, Secret, SignMethod, signed_at_login, signed_at_registration,
};
use model::packet::{Connect, ConnectProperties, Delivery, Packet, ProtocolVersion, Publish, PublishProperties};
use model::wire::{Decoder, encode};

/// A row: what is signed, with which secret, and the three codes.
type Vector = (&'static str, String, &'static str, [&'static str; 3]);

fn lamp() -> Device {
    Device::new("a1B2c3D4e5F", "lamp-01")
}

fn vectors() -> Vec<Vector> {
    vec![
        (
            "V1",
            "clientId12345deviceNamedeviceproductKeypktimestamp789".to_owned(),
            "secret",
            [
                "14b198324fe55e1d3c88f2e705e201ee",
                "fafd82a3d602b37fb0fa8b7892f24a477f851a14",
                "6074a46a91b1ebb2cc4ea42790ad0e80202c9843859fc292e57c4eb19fad9e57",
            ],
        ),
        (
            "V2",
            "clientId12345deviceNamedeviceproductKeypk".to_owned(),
            "secret",
            [
                "2ce7304ec0ddd548eb1492d65ac0b334",
                "3504e4df7ce4766d30f796ee973c9ce7fc5425cb",
                "c8cb3dcb7159682438e5fd9a9c34f398e41bb8edb6f222795e307bafee151090",
            ],
        ),
        (
            "V3",
            "deviceNamedeviceproductKeypk".to_owned(),
            "secret",
            [
                "c07c9fa9be69010bcfaaf59322258cc2",
                "ef1338106ebf173868958116f51797c8b9149855",
                "4e4fa898ea37565cb40779e7e48196c21a58565cf6c84eeffcd400c63633e7c8",
            ],
        ),
        (
            "V4",
            "clientIda1B2c3D4e5F.lamp-01deviceNamelamp-01productKeya1B2c3D4e5Ftimestamp2524608000000".to_owned(),
            "s3cr3t-of-lamp-01",
            [
                "51a138e427c7691c3588227820cb4a95",
                "8ae8a53c321cbabce87011c11347b7e466665251",
                "61f269d3ac8b363f80ac4b3275dff4f94a11be605e715ef9c6de7b9af370ce8a",
            ],
        ),
        (
            "V5",
            "clientIddeviceNamelamp-01productKeya1B2c3D4e5Ftimestamp2524608000000".to_owned(),
            "s3cr3t-of-lamp-01",
            [
                "b08b10cc5b34a50eefc1666995504ac8",
                "40c5749043c9c40ab7cf75be167567ea36178add",
                "3367bee9f924982bebd75fba055cf649838d3e0b49668020b015cbf11ab20e7d",
            ],
        ),
        (
            "V6",
            "deviceNamelamp-01productKeya1B2c3D4e5Frandom567345".to_owned(),
            "product-secret-01",
            [
                "b24b224313466bdd55b35f1dccffd0e5",
                "b34a69066ffd6d9a029419b6e6973e95dad00437",
                "a5e5ba1e94177c6a898c98087f43f0340549b2a933fff7428d8038e848b56ea7",
            ],
        ),
        (
            "V7",
            format!("clientId{}deviceNamelamp-01productKeya1B2c3D4e5Ftimestamp1700000000000", "x".repeat(64)),
            "s3cr3t-of-lamp-01",
            [
                "a6959bb1f36845498280f0fd0ccef3c5",
                "94259dec9fe286a4452b9807466560e62f3d11b8",
                "fde2d9cf0a24c47aad02bbe2b286dee82f5263a0eb50afdeb4887f43a3b9ccd0",
            ],
        ),
        (
            "V8",
            "clientIdgw:01@_-.deviceNameA:b.c@d_e-fproductKeya1B2c3D4e5Ftimestamp1700000000000".to_owned(),
            "s3cr3t-of-lamp-01",
            [
                "1a7f7a8fc22cc8ac2912cef97d57d38f",
                "956c887fa9b4acbb89910b73d5cd90842899dd58",
                "02fb1050b9bb1226c5575a51f401b638c7e0629fb81c16f1abb3344cf88c28f5",
            ],
        ),
        (
            "V9",
            "clientIda1B2c3D4e5F.lamp-01deviceNamelamp-01productKeya1B2c3D4e5Ftimestamp2524608000000".to_owned(),
            "s3cr3t-of-lamp-02",
            [
                "e17ea4f2e98a67d6466e65920a52be7e",
                "b201539685c12b8be513d0330469de0883587a14",
                "eacad4ac6b1e30ecd45d4dc9475595bdf9b2b00363848c7afe68b11f97038bc1",
            ],
        ),
        (
            "V10",
            "ida1B2c3D4e5F&lamp-01timestamp2524608000000".to_owned(),
            "s3cr3t-of-lamp-01",
            [
                "8133f85653866aaeecc29f6b48b10c87",
                "41de9a50184b5744868a8950d20fd8819c50b6a5",
                "d2db3d8eeddb867b7337af95f17406535d566691580c86e5b3056a53ec144686",
            ],
        ),
        (
            "V11",
            "authId=AKEXAMPLE01&timestamp=1700000000000".to_owned(),
            "access-secret-01",
            [
                "RjiHrI2GTUtLtZ9N0vt8mQ==",
                "Zfe2X+Z/E98yqSN0pJ5zkzcwUN4=",
                "GRbvttPRYShlf9FxbNu3VFLxII1LXzgD2BnvcO8PSno=",
            ],
        ),
    ]
}

#[test]
fn every_vector_is_signed_by_every_method() {
    for (vector, content, secret, codes) in vectors() {
        let secret = Secret::new(secret);
        for (method, code) in SignMethod::ALL.into_iter().zip(codes) {
            if vector == "V11" {
                assert_eq!(base64(&method.code(&secret, content.as_bytes())), code, "{vector} {method}");
                continue;
            }
            assert_eq!(method.sign(&secret, content.as_bytes()), code, "{vector} {method}");
            for password in [code.to_owned(), code.to_uppercase()] {
                assert!(method.is_signature(&secret, content.as_bytes(), password.as_bytes()), "{vector} {method}");
                assert!(
                    !method.is_signature(&Secret::new("other"), content.as_bytes(), password.as_bytes()),
                    "{vector}"
                );
            }
        }
    }
}

/// V9 is V4 with the secret of another device.
#[test]
fn a_vector_is_none_with_another_secret() {
    let vectors = vectors();
    let codes = |name| vectors.iter().find(|vector| vector.0 == name).unwrap().3;
    for (method, code) in SignMethod::ALL.into_iter().zip(codes("V9")) {
        let identifier = format!("a1B2c3D4e5F.lamp-01|timestamp=2524608000000,signmethod={method}|");
        let identifier: ExtendedIdentifier = identifier.parse().unwrap();
        let is_signed = |secret| identifier.is_signed_by(&lamp(), &Secret::new(secret), code.as_bytes()).unwrap();
        assert!(is_signed("s3cr3t-of-lamp-02") && !is_signed("s3cr3t-of-lamp-01"), "{method}");
    }
}

#[test]
fn what_is_signed_is_put_together_from_a_login() {
    let content = |vector| vectors().into_iter().find(|(name, ..)| *name == vector).unwrap().1;
    let device = Device::new("pk", "device");
    assert_eq!(signed_at_login(&device, Some("12345"), Some("789")), content("V1"));
    assert_eq!(signed_at_login(&device, Some("12345"), None), content("V2"));
    assert_eq!(signed_at_login(&device, None, None), content("V3"));
    assert_eq!(signed_at_login(&lamp(), Some("a1B2c3D4e5F.lamp-01"), Some("2524608000000")), content("V4"));
    assert_eq!(signed_at_login(&lamp(), Some(""), Some("2524608000000")), content("V5"));
    assert_eq!(signed_at_registration(&lamp(), "567345"), content("V6"));
    assert_eq!(signed_at_login(&lamp(), Some(&"x".repeat(64)), Some("1700000000000")), content("V7"));
    let device = Device::new("a1B2c3D4e5F", "A:b.c@d_e-f");
    assert_eq!(signed_at_login(&device, Some("gw:01@_-."), Some("1700000000000")), content("V8"));
}

/// The CONNECT of W1 to W3: V4, signed with hmacsha256.
fn connect(properties: ConnectProperties, clean_start: bool) -> Connect {
    let login = DeviceLogin { timestamp: Some("2524608000000".to_owned()), ..DeviceLogin::new(lamp()) };
    let mut connect = Connect { clean_start, keep_alive: 300, properties, ..Connect::default() };
    login.sign(&Secret::new("s3cr3t-of-lamp-01")).fill(&mut connect).unwrap();
    connect
}

#[test]
fn a_signed_login_is_the_connect_of_the_vectors() {
    let w2 = "10b20100044d51545404c2012c004f61314232633344346535462e6c616d702d30317c74696d657374616d703d323532343630383030303030302c7365637572656d6f64653d332c7369676e6d6574686f643d686d61637368613235367c00136c616d702d3031266131423263334434653546004036316632363964336163386233363366383061633462333237356466663466393461313162653630356537313565663963366465376239616633373063653861";
    let connect_3 = || Packet::Connect(connect(ConnectProperties::default(), true));
    assert_eq!(hex(&encode(&connect_3(), ProtocolVersion::V3_1_1).unwrap()), w2);
    // W1 has another head, and the same three texts.
    let w1 = format!("10b40100064d514973647003c2012c{}", &w2[30 - 4..]);
    assert_eq!(hex(&encode(&connect_3(), ProtocolVersion::V3_1).unwrap()), w1);
    let w3 = "10d20100044d51545405c0012c1f1100000e1021000527000004002200142600046b657931000676616c756531004f61314232633344346535462e6c616d702d30317c74696d657374616d703d323532343630383030303030302c7365637572656d6f64653d332c7369676e6d6574686f643d686d61637368613235367c00136c616d702d3031266131423263334434653546004036316632363964336163386233363366383061633462333237356466663466393461313162653630356537313565663963366465376239616633373063653861";
    let properties = ConnectProperties {
        session_expiry_interval: Some(3600),
        receive_maximum: Some(5.try_into().unwrap()),
        maximum_packet_size: Some(1024.try_into().unwrap()),
        topic_alias_maximum: Some(20),
        user_properties: vec![("key1".try_into().unwrap(), "value1".try_into().unwrap())],
        ..ConnectProperties::default()
    };
    // The order of properties is free.
    let sent = encode(&Packet::Connect(connect(properties, false)), ProtocolVersion::V5_0).unwrap();
    let packet = |bytes: &[u8]| {
        let mut decoder = Decoder::from_client();
        decoder.feed(bytes);
        decoder.next_packet().unwrap().unwrap().packet
    };
    let w3: Vec<u8> = (0..w3.len()).step_by(2).map(|at| u8::from_str_radix(&w3[at..at + 2], 16).unwrap()).collect();
    assert_eq!((packet(&sent), sent.len()), (packet(&w3), w3.len()));
}

#[test]
fn the_notice_to_a_device_that_is_kicked_is_that_of_the_vectors() {
    let w6 = "3043000b2f6578742f6e6f746966797b227469746c65223a226b69636b222c22636f6e74656e74223a224b69636b6564206279207468652073616d6520646576696365227d";
    let notice = Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: "/ext/notify".try_into().unwrap(),
        payload: model::device::KICK_NOTICE.as_bytes().to_vec(),
        properties: PublishProperties::default(),
    };
    assert_eq!(hex(&encode(&Packet::Publish(notice), ProtocolVersion::V3_1_1).unwrap()), w6);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let bits =
            chunk.iter().enumerate().fold(0_usize, |bits, (index, byte)| bits | usize::from(*byte) << (16 - 8 * index));
        let letter = |index: usize| char::from(LETTERS[bits >> (18 - 6 * index) & 63]);
        let text: String = (0..=chunk.len()).map(letter).collect();
        format!("{text:=<4}")
    };
    bytes.chunks(3).map(group).collect()
}
