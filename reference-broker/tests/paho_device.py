"""A stock client as a device: paho-mqtt logs in to mqttspec-broker with the documented triple, and answers RRPC calls.

`harness/clients/run` runs it; by hand it takes a Python that has paho-mqtt (2.x):

    python3 -m venv venv && venv/bin/pip install paho-mqtt
    venv/bin/python reference-broker/tests/paho_device.py target/debug/mqttspec-broker

It starts the broker with a registry of its own, tells what it tries, and ends with 0 if all of it came as documented.
"""

import base64
import hashlib
import hmac
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
import uuid

import paho.mqtt.client as mqtt

PRODUCT, DEVICE, SECRET = "a1B2c3D4e5F", "lamp-01", "s3cr3t-of-lamp-01"
ACCESS_KEY, ACCESS_SECRET = "AKEXAMPLE01", "access-secret-01"
REGISTRY = f"""
products:
  - productKey: {PRODUCT}
    devices:
      - {{deviceName: {DEVICE}, deviceSecret: {SECRET}}}
      - {{deviceName: lamp-02, deviceSecret: s3cr3t-of-lamp-02}}
      - {{deviceName: lamp-03, deviceSecret: s3cr3t-of-lamp-03, disabled: true}}
"""
PATIENCE = 20
VERSIONS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5.0": mqtt.MQTTv5}


def triple(device=DEVICE, secret=SECRET, method="sha256", sent="sha256", extra=""):
    """Client id, user name and password, as the vendor's pages make them."""
    name, timestamp = f"{PRODUCT}.{device}", "2524608000000"
    content = f"clientId{name}deviceName{device}productKey{PRODUCT}timestamp{timestamp}"
    password = hmac.new(secret.encode(), content.encode(), getattr(hashlib, method)).hexdigest()
    client_id = f"{name}|timestamp={timestamp},securemode=3,signmethod=hmac{sent}{extra}|"
    return client_id, f"{device}&{PRODUCT}", password.upper()


class Device:
    """A paho client whose callbacks wait in queues."""

    def __init__(self, port, version, credentials):
        client_id, user_name, password = credentials
        self.connacks, self.messages, self.closes = queue.Queue(), queue.Queue(), queue.Queue()
        self.subscribed, self.published = queue.Queue(), queue.Queue()
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id, protocol=VERSIONS[version], reconnect_on_failure=False
        )
        self.client.username_pw_set(user_name, password)
        self.client.on_connect = lambda client, data, flags, code, properties: self.connacks.put(code)
        self.client.on_message = lambda client, data, message: self.messages.put(message)
        self.client.on_disconnect = lambda client, data, flags, code, properties: self.closes.put(code)
        self.client.on_subscribe = lambda client, data, id, codes, properties: self.subscribed.put(codes)
        self.client.on_publish = lambda client, data, id, code, properties: self.published.put(code)
        self.client.connect("127.0.0.1", port, keepalive=300)
        self.client.loop_start()

    def code(self):
        return self.connacks.get(timeout=PATIENCE).value

    def subscribe(self, filter):
        """The code of the answer."""
        self.client.subscribe(filter, qos=1)
        return [code.value for code in self.subscribed.get(timeout=PATIENCE)][0]

    def leave(self):
        self.client.disconnect()
        self.client.loop_stop()


def expect(what, seen, expected):
    print(f"{'pass' if seen == expected else 'FAIL'} paho-mqtt device {what}: {seen}")
    if seen != expected:
        raise SystemExit(f"{what}: expected {expected}, seen {seen}")


def logins(port):
    """Right logins of every version and method, and the documented codes for wrong ones."""
    wrong = [
        ("wrong secret", triple(secret="another"), 4, 0x86),
        ("another method than said", triple(method="sha1"), 4, 0x86),
        ("unknown device", triple(device="lamp-99"), 4, 0x86),
        ("disabled device", triple(device="lamp-03", secret="s3cr3t-of-lamp-03"), 5, 0x87),
        ("unknown sign method", triple(sent="sha512"), 2, 0x85),
        ("plain login", ("sub", "mqttspec", "mqttspec"), 4, 0x86),
    ]
    for version in VERSIONS:
        for what, credentials, code_3, code_5 in wrong:
            # paho names the codes of 3.x by those of 5.0.
            as_5 = {4: 0x86, 5: 0x87, 2: 0x85}[code_3]
            device = Device(port, version, credentials)
            expect(f"{version} {what}", device.code(), code_5 if version == "5.0" else as_5)
            device.leave()
    for version, method in zip(VERSIONS, ["md5", "sha1", "sha256"]):
        device = Device(port, version, triple(method=method, sent=method))
        expect(f"{version} signed with hmac{method}", device.code(), 0)
        device.leave()


def messages(port):
    """A device's own topics work, those of others do not."""
    device = Device(port, "3.1.1", triple("lamp-02", "s3cr3t-of-lamp-02"))
    expect("lamp-02 logs in", device.code(), 0)
    expect("its own topics", device.subscribe(f"/{PRODUCT}/lamp-02/user/#"), 1)
    expect("topics of another device", device.subscribe(f"/{PRODUCT}/{DEVICE}/user/get"), 0x80)
    device.client.publish(f"/{PRODUCT}/lamp-02/user/a", b"hello", qos=1)
    expect("its message comes back", device.messages.get(timeout=PATIENCE).payload, b"hello")
    device.leave()


def kick(port):
    """Who asked for notices is told that it is kicked."""
    old = Device(port, "3.1.1", triple("lamp-02", "s3cr3t-of-lamp-02", extra=",ext=3"))
    expect("the old one logs in", old.code(), 0)
    new = Device(port, "3.1.1", triple("lamp-02", "s3cr3t-of-lamp-02"))
    expect("the new one logs in", new.code(), 0)
    notice = old.messages.get(timeout=PATIENCE)
    expect("notice", (notice.topic, json.loads(notice.payload)["title"]), ("/ext/notify", "kick"))
    expect("the old one is offline", old.closes.get(timeout=PATIENCE) is not None, True)
    new.leave()
    old.client.loop_stop()


def ask(api, action, **parameters):
    """One request to the API, signed as the vendor's pages say, and its answer."""
    parameters |= {
        "Action": action, "Version": "2018-01-20", "Format": "JSON", "AccessKeyId": ACCESS_KEY,
        "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": str(uuid.uuid4()),
        "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
    encoded = lambda text: urllib.parse.quote(text, safe="-_.~")
    content = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in sorted(parameters.items()))
    signed = f"POST&%2F&{encoded(content)}".encode()
    signature = hmac.new(f"{ACCESS_SECRET}&".encode(), signed, hashlib.sha1).digest()
    parameters["Signature"] = base64.b64encode(signature).decode()
    form = urllib.parse.urlencode(parameters).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{api}/", form, timeout=PATIENCE) as answer:
        return json.load(answer)


def calls(port, api):
    """A device answers the calls of a business server, on the topics of the system and on its own."""
    system = (f"/sys/{PRODUCT}/lamp-02/rrpc/request/+", {})
    custom = (f"/ext/rrpc/+/{PRODUCT}/lamp-02/user/get", {"Topic": f"/{PRODUCT}/lamp-02/user/get"})
    for version in ["3.1.1", "5.0"]:
        device = Device(port, version, triple("lamp-02", "s3cr3t-of-lamp-02", extra=",ext=1"))
        expect(f"{version} the device of calls logs in", device.code(), 0)
        for style, (filter, topic) in [("system", system), ("custom", custom)]:
            expect(f"{version} {style} topics of calls", device.subscribe(filter), 1)

            def answer(client, data, message):
                # The system's answers have a topic of their own, the others go back where the request came from.
                client.publish(message.topic.replace("/request/", "/response/"), b"answer to " + message.payload)

            device.client.on_message = answer
            told = ask(
                api, "RRpc", ProductKey=PRODUCT, DeviceName="lamp-02", Timeout="5000",
                RequestBase64Byte=base64.b64encode(f"{style} call".encode()).decode(), **topic,
            )
            payload = base64.b64decode(told.get("PayloadBase64Byte", ""))
            expected = ("SUCCESS", f"answer to {style} call".encode())
            expect(f"{version} {style} call", (told["RrpcCode"], payload), expected)
        device.leave()
    told = ask(
        api, "RRpc", ProductKey=PRODUCT, DeviceName="lamp-02", Timeout="1000",
        RequestBase64Byte=base64.b64encode(b"nobody there").decode(),
    )
    expect("a call of a device that has left", told["RrpcCode"], "OFFLINE")


def main(broker):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as registry:
        registry.write(REGISTRY)
        registry.flush()
        command = [
            broker, "--profile", "platform", "--registry", registry.name, "--listen", "127.0.0.1:0",
            "--api", "127.0.0.1:0", "--access-key-id", ACCESS_KEY, "--access-key-secret-env", "ACCESS_KEY_SECRET",
        ]
        environment = dict(os.environ, ACCESS_KEY_SECRET=ACCESS_SECRET)
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            lines = {}
            while "listening on" not in lines:
                said = next(process.stderr)
                words = said.split(",")[0].rsplit(" ", 1)
                lines[words[0]] = words[1]
            port, api = (int(lines[what].rsplit(":", 1)[1]) for what in ["listening on", "API on"])
            threading.Thread(target=process.stderr.read, daemon=True).start()
            logins(port)
            messages(port)
            kick(port)
            calls(port, api)
        finally:
            process.terminate()
            process.wait(PATIENCE)


if __name__ == "__main__":
    main(*sys.argv[1:])
