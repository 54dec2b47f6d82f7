/** Server-sent events, of text that comes in pieces. An EventSource cannot show a token, so the page reads them itself. */

export type ServerEvent = {
  readonly name: string;
  readonly id: string | undefined;
  readonly data: string;
};

/** What is left of the text stands for an event that has not come to its end. */
export type Parsed = { readonly events: readonly ServerEvent[]; readonly rest: string };

/** The API ends each event by an empty line, and lines by `\n`. */
export function parseEvents(text: string): Parsed {
  const blocks = text.split("\n\n");
  const rest = blocks.pop() ?? "";
  return { events: blocks.flatMap(eventIn), rest };
}

/** None: it is a comment. */
function eventIn(block: string): readonly ServerEvent[] {
  let name = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at <= 0) continue;
    const value = line.slice(at + 1).replace(/^ /, "");
    const field = line.slice(0, at);
    if (field === "event") name = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? [] : [{ name, id, data: data.join("\n") }];
}
