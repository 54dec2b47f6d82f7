/** What a Node program does with node-zookeeper-client, printed step by step. Argument: host:port,... */
import { promisify } from "node:util";
import zookeeper from "node-zookeeper-client";

const { ACL, CreateMode, createClient, Exception } = zookeeper;
const hosts = process.argv[2];

function say(...words) {
  process.stdout.write(`${words.join(" ")}\n`);
}

async function connected() {
  const client = createClient(hosts, { sessionTimeout: 10_000 });
  await new Promise((resolve) => {
    client.once("connected", resolve);
    client.connect();
  });
  return client;
}

function calls(client) {
  const names = [
    "create",
    "getData",
    "setData",
    "getChildren",
    "exists",
    "remove",
    "getACL",
    "mkdirp",
  ];
  return Object.fromEntries(names.map((name) => [name, promisify(client[name].bind(client))]));
}

function refused(promise) {
  return promise.then(
    () => say("not refused"),
    (error) => say("refused with", error.getName()),
  );
}

/** Resolves with the event once the read has set its watcher and the change has been made. */
async function watched(read, change) {
  let fired;
  const event = new Promise((resolve) => {
    fired = resolve;
  });
  await read(fired);
  await change();
  const { name, path } = await event;
  say("watch", name, path);
}

const one = await connected();
const two = await connected();
const first = calls(one);
const second = calls(two);

say(
  "create",
  await first.create("/js", Buffer.from("first"), ACL.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
);
say("get", await first.getData("/js"));
say("set", (await first.setData("/js", Buffer.from("second"), -1)).version);
say("get", await first.getData("/js"));
say("mkdirp", await first.mkdirp("/js/deep/er"));
say("list", (await first.getChildren("/js")).sort());
say("exists", (await first.exists("/js")).version, await first.exists("/js/none"));
say("acl", (await first.getACL("/js")).length);
await refused(first.create("/js"));
await refused(first.getData("/js/none"));
await refused(first.remove("/js", -1));
await refused(first.setData("/js", Buffer.from("x"), 9));
say(Exception.BAD_VERSION);

const sequential = [];
for (const mode of [CreateMode.PERSISTENT_SEQUENTIAL, CreateMode.EPHEMERAL_SEQUENTIAL]) {
  sequential.push(await first.create("/js/n-", null, ACL.OPEN_ACL_UNSAFE, mode));
}
say(
  "sequence",
  sequential.map((name) => Number(name.slice(-10)) - Number(sequential[0].slice(-10))),
);

await watched(
  (fired) => first.getData("/js", fired),
  () => second.setData("/js", Buffer.from("third"), -1),
);
await watched(
  (fired) => first.getChildren("/js", fired),
  () => second.create("/js/child"),
);
await watched(
  (fired) => first.exists("/js/child", fired),
  () => second.remove("/js/child", -1),
);
await watched(
  (fired) => first.exists("/js/later", fired),
  () => second.create("/js/later"),
);
await watched(
  (fired) => first.exists("/js/alive", fired),
  () => second.create("/js/alive", null, ACL.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL),
);
await watched(
  (fired) => first.exists("/js/alive", fired),
  () => two.close(),
);

const transaction = one
  .transaction()
  .create("/js/t")
  .setData("/js/t", Buffer.from("x"))
  .check("/js/t", 1);
const results = await promisify(transaction.commit.bind(transaction))();
say("transaction", results.length, await first.getData("/js/t"));
const failing = one.transaction().create("/js/u").check("/js", 99);
await refused(promisify(failing.commit.bind(failing))());
say("rolled back", await first.exists("/js/u"));
one.close();
