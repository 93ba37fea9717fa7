// MQTT.js told what to do on standard input and saying what happens on standard output, both as one JSON value a line.
// The folder that has it in node_modules is the first argument.
"use strict";

const path = require("node:path");
const readline = require("node:readline");
const mqtt = require(require.resolve("mqtt", { paths: [path.resolve(process.argv[2])] }));

const clients = new Map();
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const answer = (id) => (error, value) => say({ answer: id, error: error ? String(error.message || error) : null, value });

const commands = {
  connect({ id, name, url, options }) {
    const client = mqtt.connect(url, { reconnectPeriod: 0, ...options });
    clients.set(name, client);
    client.once("connect", (packet) => answer(id)(null, { sessionPresent: packet.sessionPresent, code: packet.reasonCode ?? packet.returnCode }));
    client.on("message", (topic, payload, packet) =>
      say({ event: "message", name, topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain, dup: packet.dup, properties: packet.properties }));
    client.on("disconnect", (packet) => say({ event: "disconnect", name, code: packet.reasonCode }));
    client.on("close", () => say({ event: "close", name }));
    client.on("error", (error) => say({ event: "error", name, error: String(error.message || error) }));
  },
  subscribe({ id, name, filter, options }) {
    clients.get(name).subscribe(filter, options, (error, granted) => answer(id)(error, granted && granted.map((one) => one.qos)));
  },
  publish({ id, name, topic, payload, options }) {
    clients.get(name).publish(topic, payload, options, (error) => answer(id)(error, null));
  },
  end({ id, name }) {
    clients.get(name).end(false, {}, () => answer(id)(null, null));
  },
  vanish({ id, name }) {
    clients.get(name).stream.destroy();
    answer(id)(null, null);
  },
};

readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const command = JSON.parse(line);
    commands[command.command](command);
  })
  .on("close", () => process.exit(0));
