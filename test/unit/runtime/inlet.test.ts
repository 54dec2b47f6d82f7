/** What clients send to a lane waits for the letters that were announced before it came. */
import test from "ava";
import { announcePost, Inlet, newAnnouncedPosts } from "../../../runtime/lanes/inlet.ts";
import type { Letter } from "../../../runtime/system.ts";

type Name = { readonly name: string };

function letters(name: string): readonly Letter[] {
  return [{ to: "tree/1", message: { name } }];
}

function lane(): {
  readonly inlet: Inlet;
  readonly announce: () => void;
  readonly open: () => void;
  readonly told: string[];
} {
  const announced = newAnnouncedPosts();
  const inlet = new Inlet(announced);
  const told: string[] = [];
  const tell = (_to: string, message: object): void => void told.push((message as Name).name);
  const open = (): void => inlet.open({ tell });
  return { inlet, announce: () => announcePost(announced), open, told };
}

test("what a client sends is told at once when no letters are on their way", (t) => {
  const { inlet, announce, open, told } = lane();
  open();
  inlet.hear("zookeeper/1", { name: "before" });
  announce();
  inlet.receive(letters("letter"));
  inlet.hear("zookeeper/1", { name: "after" });
  t.deepEqual(told, ["before", "letter", "after"]);
});

test("what a client sends waits for all letters that were announced before, and for no others", (t) => {
  const { inlet, announce, open, told } = lane();
  open();
  announce();
  announce();
  inlet.hear("zookeeper/1", { name: "client 1" });
  announce();
  inlet.hear("nats/1", { name: "client 2" });
  inlet.receive(letters("letter 1"));
  t.deepEqual(told, ["letter 1"]);
  inlet.receive(letters("letter 2"));
  t.deepEqual(told, ["letter 1", "letter 2", "client 1"]);
  inlet.receive(letters("letter 3"));
  t.deepEqual(told, ["letter 1", "letter 2", "client 1", "letter 3", "client 2"]);
});

test("before there are actors all waits, and is told in the same order", (t) => {
  const { inlet, announce, open, told } = lane();
  announce();
  inlet.hear("zookeeper/1", { name: "client 1" });
  inlet.receive(letters("letter 1"));
  announce();
  inlet.hear("zookeeper/1", { name: "client 2" });
  open();
  t.deepEqual(told, ["letter 1", "client 1"]);
  inlet.receive(letters("letter 2"));
  t.deepEqual(told, ["letter 1", "client 1", "letter 2", "client 2"]);
});

test("the numbers of posts go round", (t) => {
  const announced = newAnnouncedPosts();
  announced[0] = 2 ** 31 - 1;
  const inlet = new Inlet(announced, 2 ** 31 - 1);
  const told: string[] = [];
  inlet.open({ tell: (_to, message) => void told.push((message as Name).name) });
  announcePost(announced);
  inlet.hear("zookeeper/1", { name: "client" });
  t.deepEqual(told, []);
  inlet.receive(letters("letter"));
  t.deepEqual(told, ["letter", "client"]);
});
