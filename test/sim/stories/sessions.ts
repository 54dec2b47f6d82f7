/** Clients: their sessions, watches and ephemeral znodes, wherever their nodes and leaders go. */
import { SESSION_TIMEOUT_MS } from "./plan.ts";
import type { StoryCase } from "./story.ts";
import {
  check,
  children,
  CLOSE,
  create,
  exists,
  get,
  multi,
  remove,
  set,
  sync,
  watching,
} from "./story-client.ts";

export const SESSIONS: readonly StoryCase[] = [
  {
    name: "session-expires",
    title:
      "a session that is not heard of for its timeout ends, and its ephemeral znodes go on all nodes at once",
    nodes: 3,
    tell: (story) => {
      const [one, two] = story.others(story.leader);
      const ann = story.client("ann", { at: one });
      const ben = story.client("ben", { at: two });
      ann.does(create("/lock", "ann's", "ephemeral"));
      ben.does(watching(exists("/lock")));
      story.cutClient(ann, one);
      story.until("ben hears that it is gone", () => ben.events.length > 0);
      story.expect("ben's event", ben.events.join() === "nodeDeleted /lock");
      story.untilWell();
      story.expectEverywhere("/lock", undefined);
      story.heal();
      story.until("ann has a new session", () => ann.session !== undefined && ann.sim.connected);
    },
  },
  {
    name: "session-closed",
    title: "when a client closes its session its ephemeral znodes go with it",
    nodes: 3,
    tell: (story) => {
      const [one] = story.others(story.leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/lock", "", "ephemeral"));
      ann.does(create("/kept", ""));
      ann.does(CLOSE);
      story.untilWell();
      story.expectEverywhere("/lock", undefined);
      story.expectEverywhere("/kept", "");
    },
  },
  {
    name: "session-survives-failover",
    title: "a session and its ephemeral znode live on when the leader is killed",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/lock", "ann's", "ephemeral"));
      const { session } = ann;
      story.kill(leader);
      story.untilReplaced(leader);
      story.wait(2 * SESSION_TIMEOUT_MS);
      story.expect("ann has the same session", ann.session === session && ann.sim.connected);
      story.expectData(two, "/lock", "ann's");
    },
  },
  {
    name: "session-after-paused-leader",
    title:
      "a leader that stood still for longer than a session's timeout ends no session when it goes on",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/lock", "ann's", "ephemeral"));
      const { session } = ann;
      story.pause(leader);
      story.wait(2 * SESSION_TIMEOUT_MS);
      story.resume(leader);
      story.untilWell();
      story.wait(SESSION_TIMEOUT_MS / 2);
      story.expect("ann has the same session", ann.session === session && ann.sim.connected);
      story.expectEverywhere("/lock", "ann's");
    },
  },
  {
    name: "all-stood-still",
    title:
      "a leader alone that stood still gives every session its full timeout from when it goes on",
    nodes: 1,
    tell: (story) => {
      const { leader } = story;
      const ann = story.client("ann", { at: leader });
      ann.does(create("/lock", "ann's", "ephemeral"));
      const { session } = ann;
      story.pause(leader);
      story.wait(3 * SESSION_TIMEOUT_MS);
      story.resume(leader);
      story.until("ann is back", () => ann.sim.connected);
      story.expect("ann has the same session", ann.session === session);
      story.expectData(leader, "/lock", "ann's");
    },
  },
  {
    name: "other-server",
    title:
      "a client that goes over to another node keeps its session there, and its ephemeral znode",
    nodes: 3,
    tell: (story) => {
      const [one, two] = story.others(story.leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/lock", "ann's", "ephemeral"));
      const { session } = ann;
      ann.moves(two);
      story.expect("it is the same session", ann.session === session);
      ann.does(set("/lock", "still ann's"));
      story.untilWell();
      story.expectEverywhere("/lock", "still ann's");
    },
  },
  {
    name: "watch-over-failover",
    title: "a watch that was set before the leader was killed tells of a change after it, once",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one, two] = story.others(leader);
      const ann = story.client("ann", { at: one });
      const ben = story.client("ben", { at: two });
      ben.does(create("/x", "1"));
      ann.does(watching(get("/x")));
      story.kill(leader);
      story.untilReplaced(leader);
      ben.does(set("/x", "2"));
      ben.does(set("/x", "3"));
      story.untilWell();
      story.expect("ann had one event", ann.events.join() === "nodeDataChanged /x");
    },
  },
  {
    name: "watch-missed-while-away",
    title:
      "a client that was away while a watched znode changed gets the event when it sets its watches again",
    nodes: 3,
    tell: (story) => {
      const [one, two] = story.others(story.leader);
      const ann = story.client("ann", { at: one });
      const ben = story.client("ben", { at: two });
      ben.does(create("/x", "1"));
      ann.does(sync("/x"));
      ann.does(watching(get("/x")));
      story.kill(one);
      ben.does(remove("/x"));
      ann.moves(two);
      story.until("ann has an event", () => ann.events.length > 0);
      story.expect("of its deletion", ann.events.join() === "nodeDeleted /x");
    },
  },
  {
    name: "sequential-names",
    title: "names of sequential znodes only grow, also over a change of leaders",
    nodes: 3,
    tell: (story) => {
      const { leader } = story;
      const [one] = story.others(leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/queue", ""));
      const first = ann.does(create("/queue/n-", "", "sequential"));
      ann.does(remove("/queue/n-0000000000"));
      story.kill(leader);
      story.untilReplaced(leader);
      const second = ann.does(create("/queue/n-", "", "sequential"));
      story.expect("the first is 0", first.text === "/queue/n-0000000000");
      story.expect("the second is after it", second.text === "/queue/n-0000000001");
      const { children: names } = ann.does(children("/queue"));
      story.expect("it alone is there", names?.join() === "n-0000000001");
    },
  },
  {
    name: "multi-atomic",
    title: "of a multi all parts are done or none, on every node",
    nodes: 3,
    tell: (story) => {
      const [one] = story.others(story.leader);
      const ann = story.client("ann", { at: one });
      ann.does(create("/from", "10"));
      ann.does(create("/to", "0"));
      const refused = ann.does(multi(set("/from", "5"), set("/to", "5"), check("/from", 7)));
      story.expect("its last part fails", refused.text?.endsWith("badVersion") === true);
      story.untilWell();
      story.expectEverywhere("/from", "10");
      ann.does(multi(check("/from", 0), set("/from", "5"), set("/to", "5")));
      story.untilWell();
      story.expectEverywhere("/from", "5");
      story.expectEverywhere("/to", "5");
    },
  },
  {
    name: "two-set-by-version",
    title: "of two clients that set the same version of a znode, one wins",
    nodes: 3,
    tell: (story) => {
      const [one, two] = story.others(story.leader);
      const ann = story.client("ann", { at: one });
      const ben = story.client("ben", { at: two });
      ann.does(create("/x", ""));
      const anns = ann.sends(set("/x", "ann's", 0));
      const bens = ben.sends(set("/x", "ben's", 0));
      story.until("both are answered", () => anns.code !== undefined && bens.code !== undefined);
      story.expect("one is done", [anns, bens].filter(({ isOk }) => isOk).length === 1);
      const other = anns.isOk ? bens : anns;
      story.expect("the other is not", other.code === "badVersion");
      story.untilWell();
      story.expectEverywhere("/x", anns.isOk ? "ann's" : "ben's");
    },
  },
  {
    name: "reads-behind-a-partition",
    title:
      "a follower that is cut off answers reads only as long as no session can have ended without its knowing",
    nodes: 3,
    tell: (story) => {
      const [one, two] = story.others(story.leader);
      const ann = story.client("ann", { at: one });
      const ben = story.client("ben", { at: two });
      ann.does(create("/lock", "ann's", "ephemeral"));
      story.isolate(one);
      story.expect("at first it answers", ann.does(get("/lock")).isOk);
      story.wait(SESSION_TIMEOUT_MS * 0.375);
      const late = ann.sends(get("/lock"));
      story.until("ann hears something", () => late.code !== undefined);
      story.expect("ann's connection was closed instead", late.code === "connectionLoss");
      ben.does(watching(exists("/lock")));
      story.until("ann's session has ended", () => ben.events.length > 0);
    },
  },
];
