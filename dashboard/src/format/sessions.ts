/** What is told of sessions, in words. */
import type { Answered } from "../api.ts";
import { counted } from "./numbers.ts";

const WATCHED: Readonly<Record<string, string>> = {
  data: "the znode, once",
  children: "its children, once",
  persistent: "the znode and its children",
  recursive: "all from it on",
  stream: "a stream of the znode",
  subtreeStream: "a stream of what is below, too",
};

export function watchedInWords(watches: string): string {
  return WATCHED[watches] ?? watches;
}

/** Which nodes have not answered, and what had no place in an answer. None: all is shown. */
export function gapsOf(nodes: Answered, noun: string, plural?: string): readonly string[] {
  const away = nodes.filter(({ answered }) => !answered).map(({ id }) => id);
  const omitted = nodes.filter((node) => node.omitted > 0);
  return [
    ...(away.length === 0 ? [] : [`No answer of node ${away.join(", ")}.`]),
    ...omitted.map((node) => {
      return `Node ${node.id} has ${counted(node.omitted, noun, plural)} more, which had no place in its answer.`;
    }),
  ];
}
