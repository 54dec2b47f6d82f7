/** Programs that run on the hosts with nothing but the installed package: written as users would write them. */

/**
 * Clients of both protocols that count up in a znode each, one write and one read at a time, until standard input ends. A write is made only if
 * the znode is as this client left it, so one that was lost or done twice is an error. The last line is what each has counted.
 */
export const LOAD_PROGRAM = `
import { connect } from "zooid/client";
const [natsUrl, zkUrl] = process.argv.slice(2);
const options = { sessionTimeoutMs: 10_000 };
const clients = {
  native1: await connect(natsUrl, options), native2: await connect(natsUrl, options),
  zk1: await connect(zkUrl, options), zk2: await connect(zkUrl, options),
};
let isOver = false;
process.stdin.on("end", () => { isOver = true; }).resume();
const text = (data) => Buffer.from(data ?? []).toString();
async function load(name, client) {
  const path = "/orders/" + name;
  let { stat: { version } } = await client.create(path, "0", { parents: true });
  const errors = [], inDoubt = [];
  let longestMs = 0, count = 0;
  while (!isOver) {
    const startedMs = performance.now();
    try {
      ({ version } = await client.set(path, String(version + 1), { version }));
      const { data } = await client.get(path);
      if (text(data) !== String(version)) errors.push(path + " is " + text(data));
      count += 1;
    } catch (error) {
      // Over ZooKeeper's protocol a write may be in doubt when its connection is lost. Its client looks what became of it.
      if (error.maybeApplied === "unknown" && name.startsWith("zk")) inDoubt.push(error.code);
      else errors.push(error.code + " " + error.message);
      ({ stat: { version } } = await client.get(path));
    }
    longestMs = Math.max(longestMs, performance.now() - startedMs);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { name, version, count, errors, inDoubt, longestMs: Math.round(longestMs) };
}
const all = Object.entries(clients).map(([name, client]) => load(name, client));
console.log("loading");
console.log(JSON.stringify(await Promise.all(all)));
await Promise.all(Object.values(clients).map((client) => client.close()));
`;

/** Prints what there is below /orders. */
export const COUNTS_PROGRAM = `
import { connect } from "zooid/client";
await using client = await connect(process.argv[2]);
const { children } = await client.children("/orders");
const counts = {};
for (const name of children) {
  const { data, stat } = await client.get("/orders/" + name);
  counts[name] = [Buffer.from(data ?? []).toString(), stat.version];
}
console.log(JSON.stringify(counts));
`;

/** GETs a URL and prints the body. It fails if the answer is an error. */
export const GET_PROGRAM = `
const response = await fetch(process.argv[2]);
console.log(await response.text());
if (!response.ok) process.exitCode = 1;
`;
