"""paho-mqtt against the broker at the port that is the argument: a line `pass NAME` or `FAIL NAME: why` for each thing tried."""

import queue
import socket
import sys

import paho.mqtt.client as mqtt

PORT = int(sys.argv[1])
PATIENCE = 10
VERSIONS = {"3.1.1": mqtt.MQTTv311, "5.0": mqtt.MQTTv5}


class Client:
    """A client that has connected; what comes to it waits in `messages`."""

    def __init__(self, version, name, will=None):
        self.messages = queue.Queue()
        self.events = queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=VERSIONS[version])
        if will is not None:
            self.client.will_set(will, "gone", qos=1)
        self.client.on_connect = lambda *what: self.events.put(what[3])
        self.client.on_subscribe = lambda *what: self.events.put(what[3])
        self.client.on_message = lambda _client, _data, message: self.messages.put(message)
        self.client.connect("127.0.0.1", PORT, keepalive=30)
        self.client.loop_start()
        self.events.get(timeout=PATIENCE)

    def subscribe(self, topic_filter, qos):
        self.client.subscribe(topic_filter, qos)
        self.events.get(timeout=PATIENCE)

    def publish(self, topic, payload, qos, retain=False):
        self.client.publish(topic, payload, qos, retain).wait_for_publish(PATIENCE)

    def next(self):
        message = self.messages.get(timeout=PATIENCE)
        return message.payload.decode(), message.qos, bool(message.retain)

    def die(self):
        """Breaks the connection without a DISCONNECT."""
        self.client.socket().shutdown(socket.SHUT_RDWR)
        self.client.loop_stop()

    def leave(self):
        self.client.disconnect()
        self.client.loop_stop()


def told(name, expected, seen):
    print(f"pass {name}" if expected == seen else f"FAIL {name}: expected {expected}, seen {seen}", flush=True)


for version in VERSIONS:
    prefix = f"paho/{version}"
    reader, writer = Client(version, f"reader{version}"), Client(version, f"writer{version}")
    for qos in (0, 1, 2):
        reader.subscribe(f"{prefix}/qos{qos}", qos)
        writer.publish(f"{prefix}/qos{qos}", "hello", qos)
        told(f"paho {version} qos {qos}", ("hello", qos, False), reader.next())
    writer.publish(f"{prefix}/retained", "kept", 1, retain=True)
    reader.subscribe(f"{prefix}/retained", 1)
    told(f"paho {version} retained", ("kept", 1, True), reader.next())
    reader.subscribe(f"{prefix}/will", 1)
    Client(version, f"dying{version}", will=f"{prefix}/will").die()
    told(f"paho {version} will", ("gone", 1, False), reader.next())
    if version == "5.0":
        members = [reader, Client(version, "member")]
        for member in members:
            member.subscribe(f"$share/g/{prefix}/shared", 1)
        for number in "1234":
            writer.publish(f"{prefix}/shared", number, 1)
        for member in members:
            # What comes behind shows that the member has had its share.
            member.subscribe(f"{prefix}/end", 1)
        writer.publish(f"{prefix}/end", "end", 1)
        shares = [list(iter(lambda: member.next()[0], "end")) for member in members]
        told(f"paho {version} shared", ["1", "2", "3", "4"], sorted(sum(shares, [])))
        members[1].leave()
    reader.leave()
    writer.leave()
