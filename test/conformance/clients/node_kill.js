/** A client of node-zookeeper-client whose server is killed. Prints in sections. Argument: host:port,... */
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import zookeeper from "node-zookeeper-client";

const { ACL, CreateMode, createClient, State } = zookeeper;

function say(...words) {
  process.stdout.write(`${words.join(" ")}\n`);
}

const client = createClient(process.argv[2], { sessionTimeout: 30_000, spinDelay: 50 });
client.connect();
await once(client, "connected");
const calls = Object.fromEntries(
  ["create", "exists", "getData", "setData"].map((name) => [
    name,
    promisify(client[name].bind(client)),
  ]),
);
const portOf = () => client.connectionManager.socket.remotePort;

say("== a server is killed");
const session = client.getSessionId().toString("hex");
await calls.create("/killed", null, ACL.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
const told = [];
const event = new Promise((resolve) => {
  client.exists(
    "/killed-later",
    ({ name, path }) => {
      told.push(`${name} ${path}`);
      resolve();
    },
    () => {},
  );
});
await calls.getData("/killed");
const states = [];
client.on("state", (state) => states.push(state.name));
const port = portOf();
const lines = createInterface({ input: process.stdin });
const back = once(client, "connected");
say("kill", port);
const [answer] = await once(lines, "line");
if (answer !== "killed") throw new Error("the server was not killed");
await back;
say(states.join(" "), client.getState() === State.SYNC_CONNECTED);
say("same session", session === client.getSessionId().toString("hex"));
say("elsewhere", portOf() !== port);
say("alive", (await calls.exists("/killed")) !== null);
say("set", (await calls.setData("/killed", Buffer.from("still"), -1)).version);
await calls.create("/killed-later", null, ACL.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
await event;
say(told.join(", "));
client.close();
lines.close();
