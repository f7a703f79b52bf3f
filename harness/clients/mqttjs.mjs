// MQTT.js in 5.0 against the broker at the port that is the argument: a line `pass NAME` or `FAIL NAME: why` for each thing tried.
import { createRequire } from 'node:module';

const mqtt = createRequire(process.env.MQTTJS)('mqtt');
const port = process.argv[2];
const patience = 10_000;

// A client that has connected; what comes to it waits for `next`.
async function client(clientId, options = {}) {
  const connected = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId, protocolVersion: 5, reconnectPeriod: 0, connectTimeout: patience, ...options,
  });
  const waiting = [];
  const wanted = [];
  connected.on('message', (topic, payload, packet) => {
    const message = JSON.stringify([payload.toString(), packet.qos, packet.retain]);
    const want = wanted.shift();
    if (want) want(message); else waiting.push(message);
  });
  connected.next = () => new Promise((resolve, reject) => {
    if (waiting.length > 0) return resolve(waiting.shift());
    const timer = setTimeout(() => reject(new Error('nothing came')), patience);
    wanted.push((message) => { clearTimeout(timer); resolve(message); });
  });
  return connected;
}

function told(name, expected, seen) {
  const wanted = JSON.stringify(expected);
  console.log(wanted === seen ? `pass ${name}` : `FAIL ${name}: expected ${wanted}, seen ${seen}`);
}

const reader = await client('js-reader');
const writer = await client('js-writer');
for (const qos of [0, 1, 2]) {
  await reader.subscribeAsync(`js/qos${qos}`, { qos });
  await writer.publishAsync(`js/qos${qos}`, 'hello', { qos });
  told(`mqttjs 5.0 qos ${qos}`, ['hello', qos, false], await reader.next());
}
await writer.publishAsync('js/retained', 'kept', { qos: 1, retain: true });
await reader.subscribeAsync('js/retained', { qos: 1 });
told('mqttjs 5.0 retained', ['kept', 1, true], await reader.next());
await reader.subscribeAsync('js/will', { qos: 1 });
const dying = await client('js-dying', { will: { topic: 'js/will', payload: Buffer.from('gone'), qos: 1 } });
dying.stream.destroy();
told('mqttjs 5.0 will', ['gone', 1, false], await reader.next());
const member = await client('js-member');
const members = [reader, member];
for (const each of members) await each.subscribeAsync('$share/g/js/shared', { qos: 1 });
for (const number of ['1', '2', '3', '4']) await writer.publishAsync('js/shared', number, { qos: 1 });
// What comes behind shows that a member has had its share.
for (const each of members) await each.subscribeAsync('js/end', { qos: 1 });
await writer.publishAsync('js/end', 'end', { qos: 1 });
const shares = [];
for (const each of members) {
  for (;;) {
    const [payload] = JSON.parse(await each.next());
    if (payload === 'end') break;
    shares.push(payload);
  }
}
told('mqttjs 5.0 shared', ['1', '2', '3', '4'], JSON.stringify(shares.sort()));
for (const each of [reader, writer, member]) await each.endAsync();
