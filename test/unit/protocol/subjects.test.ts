/** Subjects, and what nats.conf permits of them. */
import { readFileSync } from "node:fs";
import test from "ava";
import {
  feedPrefix,
  gatewaySubject,
  inboxPrefix,
  inboxSubject,
  isEnsembleName,
  laneSubject,
  operatorAnswerPrefix,
  operatorSubject,
  peerSubjects,
  wordSubject,
} from "../../../protocol/subjects.ts";

const CONFIG = readFileSync(new URL("../../../nats.conf", import.meta.url), "utf8");

/** What one user of nats.conf may do, as NATS' patterns. */
function permitted(user: string, what: "publish" | "subscribe"): readonly string[] {
  const [, block] = CONFIG.split(`user: "${user}"`);
  const list = new RegExp(`${what}: \\[([^\\]]*)\\]`).exec(block ?? "")?.[1] ?? "";
  return [...list.matchAll(/"([^"]+)"/g)].map(([, pattern]) => pattern ?? "");
}

function matches(pattern: string, subject: string): boolean {
  const parts = pattern.split(".").map((token) => (token === "*" ? "[^.]+" : token));
  return new RegExp(`^${parts.join("\\.").replace(/>$/, ".+")}$`).test(subject);
}

function isPermitted(user: string, what: "publish" | "subscribe", subject: string): boolean {
  return permitted(user, what).some((pattern) => matches(pattern, subject));
}

const { toNode, toAll, answers } = peerSubjects("zooid");
const OPERATORS = [
  operatorSubject("zooid", 1),
  operatorSubject("zooid", "all"),
  `${operatorAnswerPrefix("zooid")}operator.question`,
];
const NODES = [`${toNode}1.log-sync`, `${toAll}election`, `${answers}1.nonce.7`, ...OPERATORS];
const ASKED = [
  ...[gatewaySubject("zooid"), laneSubject("zooid", 3, 1)],
  ...[wordSubject("zooid", "all"), wordSubject("zooid", 3)],
];
const CHANGES = `${feedPrefix("zooid")}config.a`;
const INBOX = inboxSubject("zooid", "client", 7);

test("nats.conf lets a client ask gateways and hear its own answers", (t) => {
  for (const subject of ASKED) t.true(isPermitted("client", "publish", subject), subject);
  t.true(isPermitted("client", "subscribe", INBOX));
});

test("nats.conf lets a client neither hear nor say what is between nodes", (t) => {
  for (const subject of NODES) {
    t.false(isPermitted("client", "publish", subject), subject);
    t.false(isPermitted("client", "subscribe", subject), subject);
  }
});

test("nats.conf permits a client nothing that zooid does not use", (t) => {
  const used = { publish: ASKED, subscribe: [INBOX, CHANGES] };
  for (const what of ["publish", "subscribe"] as const) {
    for (const pattern of permitted("client", what)) {
      t.true(
        used[what].some((subject) => matches(pattern, subject)),
        pattern,
      );
    }
  }
});

test("nats.conf lets a node say and hear everything of zooid", (t) => {
  for (const subject of [...NODES, ...ASKED, INBOX]) {
    t.true(isPermitted("node", "publish", subject), subject);
    t.true(isPermitted("node", "subscribe", subject), subject);
  }
});

test("nats.conf lets a client hear the change feed, and only nodes publish there", (t) => {
  t.true(isPermitted("client", "subscribe", CHANGES));
  t.false(isPermitted("client", "publish", CHANGES));
  t.true(isPermitted("node", "publish", CHANGES));
});

test("every inbox begins with the prefix that gateways answer to", (t) => {
  t.true(INBOX.startsWith(inboxPrefix("zooid")));
});

test("an ensemble's name is one token of a subject", (t) => {
  for (const name of ["zooid", "a", "A_b-9", "x".repeat(64)]) t.true(isEnsembleName(name), name);
  for (const name of ["", "a.b", "a b", "*", ">", "x".repeat(65)]) t.false(isEnsembleName(name));
});
