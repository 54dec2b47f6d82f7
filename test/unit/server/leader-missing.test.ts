/** What a node says that knows no leader: who counts, who is missing, and what to do. */
import test from "ava";
import { missingLeader } from "../../../server/leader-missing.ts";
import type { PeerContact } from "../../../server/peer-gate.ts";
import { server } from "../../support/plain-calls.ts";

const OWN = { id: server(1), members: [1, 2, 3].map(server), dataDir: "/data" };
const ENSEMBLE = "0123456789abcdef0123456789abcdef";

function contact(id: number, isVoter: boolean, ensembleId: string | undefined): PeerContact {
  return { id: server(id), isVoter, ensembleId };
}

test("a member alone asks for the others", (t) => {
  const detail = missingLeader({ ...OWN, ensembleId: ENSEMBLE, contacts: [] });
  t.deepEqual(detail, {
    ...{ counting: "1", needed: 2, notHeardOf: "2 3", hint: "start node 2, 3" },
  });
});

test("a member beside empty folders says that they do not count, and how to begin again", (t) => {
  const contacts = [contact(2, false, undefined), contact(3, false, undefined)];
  const detail = missingLeader({ ...OWN, ensembleId: ENSEMBLE, contacts });
  t.like(detail, { counting: "1", needed: 2, otherFolders: "2 3" });
  t.regex(String(detail["hint"]), /zooid backup \/data zooid.backup, then zooid restore/);
});

test("a folder of no ensemble names the node that has one", (t) => {
  const contacts = [contact(2, false, ENSEMBLE)];
  const detail = missingLeader({ ...OWN, ensembleId: undefined, contacts });
  t.like(detail, { notHeardOf: "3", ensembleOf: "2" });
  t.regex(String(detail["hint"]), /node 2 belongs to ensemble 01234567 and this folder does not/);
});

test("a majority that elects nobody is told of votes that are missing", (t) => {
  const contacts = [contact(2, true, ENSEMBLE), contact(3, true, ENSEMBLE)];
  const detail = missingLeader({ ...OWN, ensembleId: ENSEMBLE, contacts });
  t.like(detail, { counting: "1 2 3", needed: 2 });
  t.regex(String(detail["hint"]), /look for withoutVote in the logs of the others/);
});
