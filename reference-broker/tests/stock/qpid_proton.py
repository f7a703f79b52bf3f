"""A stock AMQP 1.0 client as the business server: python-qpid-proton receives and settles what a device publishes, over TLS.

`harness/clients/run` runs it; by hand:

    python3 -m venv venv && venv/bin/pip install python-qpid-proton
    cargo build -p mqttspec-broker
    venv/bin/python reference-broker/tests/stock/qpid_proton.py target/debug/mqttspec-broker

It starts the broker on free ports, and ends with 0 if everything came as it must, 1 if not, 77 without python-qpid-proton.
"""

import base64
import hashlib
import hmac
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time

try:
    from proton import ProtonException, SSLDomain
    from proton.utils import BlockingConnection
except ImportError:
    print("skipped: python-qpid-proton is not installed")
    sys.exit(77)

KEY, SECRET, GROUP = "AKEXAMPLE01", "access-secret-01", "group-1"
PATIENCE = 20


def login(secret=SECRET, group=GROUP):
    """User name and password, as the platform documents them."""
    timestamp = str(int(time.time() * 1000))
    user = (
        f"server|authMode=aksign,signMethod=hmacsha256,timestamp={timestamp},authId={KEY},consumerGroupId={group}|"
    )
    signed = f"authId={KEY}&timestamp={timestamp}".encode()
    return user, base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def text(value):
    return struct.pack(">H", len(value)) + value


def packet(first, body):
    length, size = b"", len(body)
    while True:
        size, digit = divmod(size, 128)
        length += bytes([digit | (0x80 if size else 0)])
        if not size:
            return bytes([first]) + length + body


def publish(port, payload, correlation_data):
    """A device of MQTT 5.0 publishes one message at QoS 1, and waits for its PUBACK."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as device:
        names = text(b"lamp|securemode=3,signmethod=hmacsha256|") + text(b"lamp&pk") + text(b"p")
        device.sendall(packet(0x10, text(b"MQTT") + b"\x05\xc2" + struct.pack(">H", 300) + b"\x00" + names))
        assert device.recv(1024)[3] == 0, "CONNACK"
        properties = b"\x08" + text(b"/pk/lamp/user/get") + b"\x09" + text(correlation_data)
        head = text(b"/pk/lamp/user/update") + b"\x00\x01" + bytes([len(properties)]) + properties
        device.sendall(packet(0x32, head + payload))
        assert device.recv(1024)[0] == 0x40, "PUBACK"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def connect(port, authority, user, password):
    domain = SSLDomain(SSLDomain.MODE_CLIENT)
    domain.set_trusted_ca_db(authority)
    domain.set_peer_authentication(SSLDomain.VERIFY_PEER_NAME)
    return BlockingConnection(
        f"amqps://localhost:{port}", timeout=PATIENCE, ssl_domain=domain, user=user, password=password,
        allowed_mechs="PLAIN", reconnect=False, heartbeat=60,
    )


def check(mqtt, amqp, authority):
    for what, wrong in [("a wrong secret", login(secret="guess")), ("another group", login(group="other"))]:
        try:
            connect(amqp, authority, *wrong)
        except ProtonException as refused:
            assert "auth" in str(refused).lower(), refused
        else:
            raise AssertionError(f"{what} is let in")
    correlation_data = bytes([0, 1, 254, 255])
    publish(mqtt, b"before", correlation_data)
    business = connect(amqp, authority, *login())
    receiver = business.create_receiver("default", credit=10)
    first = receiver.receive(timeout=PATIENCE)
    assert bytes(first.body) == b"before", first.body
    assert first.properties["topic"] == "/pk/lamp/user/update", first.properties
    assert first.properties["responseTopic"] == "/pk/lamp/user/get", first.properties
    assert base64.b64decode(first.properties["correlationData"]) == correlation_data, first.properties
    assert first.properties["messageId"].isdigit() and first.properties["generateTime"] > 1_600_000_000_000
    receiver.accept()
    publish(mqtt, b"after", correlation_data)
    second = receiver.receive(timeout=PATIENCE)
    assert bytes(second.body) == b"after", second.body
    assert second.properties["messageId"] != first.properties["messageId"]
    # What is not settled comes to the next one of the group.
    business.close()
    business = connect(amqp, authority, *login())
    receiver = business.create_receiver("default", credit=10)
    again = receiver.receive(timeout=PATIENCE)
    assert again.properties["messageId"] == second.properties["messageId"], again.properties
    receiver.accept()
    business.close()


def main():
    with tempfile.TemporaryDirectory() as folder:
        mqtt, amqp = free_port(), free_port()
        command = [
            sys.argv[1], "--profile", "platform", "--listen", f"127.0.0.1:{mqtt}", "--amqp", f"127.0.0.1:{amqp}",
            "--test-certificates", folder, "--access-key-id", KEY, "--access-key-secret-env", "ACCESS_KEY_SECRET",
            "--consumer-group", GROUP,
        ]
        environment = dict(os.environ, ACCESS_KEY_SECRET=SECRET)
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as broker:
            try:
                said = ""
                for line in broker.stderr:
                    said += line
                    if line.startswith("listening on"):
                        break
                assert SECRET not in said, "the broker prints its secret"
                assert "AMQP over TLS" in said, said
                check(mqtt, amqp, os.path.join(folder, "ca.pem"))
            finally:
                broker.terminate()
    print("pass python-qpid-proton receives and settles messages over TLS, and is refused with wrong logins")


if __name__ == "__main__":
    main()
