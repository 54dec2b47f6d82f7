/** The kinds of odd input on which servers have differed, by name. Programs have to hold each. */
import { kindOf } from "./operations.ts";
import type { Handshake, Program, Request, Step } from "./program.ts";

const DEFINED_FLAGS: readonly number[] = [0, 1, 2, 3, 4, 5, 6];
const WRITES_OF_MULTI: ReadonlySet<string> = new Set([
  ...["create", "create2", "createContainer", "createTtl", "delete", "setData", "check"],
]);
const UTF8 = new TextDecoder("utf-8", { fatal: true });

function requestsOf({ steps }: Program): readonly Request[] {
  return steps.flatMap((step) => (step.kind === "send" ? step.requests : []));
}

function isUtf8(text: string): boolean {
  try {
    UTF8.decode(Buffer.from(text, "latin1"));
    return true;
  } catch {
    return false;
  }
}

function some(holds: (request: Request) => boolean): (program: Program) => boolean {
  return (program) => requestsOf(program).some(holds);
}

function someMember(holds: (member: Request) => boolean): (program: Program) => boolean {
  return some(({ op, members }) => op === "multi" && members?.some(holds) === true);
}

function someStep(holds: (step: Step) => boolean): (program: Program) => boolean {
  return ({ steps }) => steps.some(holds);
}

function opens(holds: (handshake: Handshake) => boolean): (program: Program) => boolean {
  return someStep((step) => step.kind === "open" && holds(step.handshake));
}

export const ODD_INPUT: Readonly<Record<string, (program: Program) => boolean>> = {
  "a path that is not UTF-8": some(({ path }) => path !== null && !isUtf8(path)),
  "a member of a multi with flags that there are not": someMember(
    ({ flags }) => flags !== undefined && !DEFINED_FLAGS.includes(flags),
  ),
  "an operation in a multi that belongs in none": someMember(({ op }) => !WRITES_OF_MULTI.has(op)),
  "a null path": some(
    (request) => kindOf(request).fields.includes("path") && request.path === null,
  ),
  "NUL in the path of exists": some(
    ({ op, path }) => op === "exists" && path?.includes("\u0000") === true,
  ),
  "null in a list of access": some(
    ({ acl }) => acl?.some(({ scheme, id }) => scheme === null || id === null) === true,
  ),
  "a session that ends with its znodes": (program) =>
    some(({ flags }) => flags === 1)(program) && some(({ op }) => op === "closeSession")(program),
  "writes in one packet with a watch": someStep(
    (step) =>
      step.kind === "send" &&
      step.requests.length > 1 &&
      step.requests.some(({ watch }) => watch === 1),
  ),
  "a handshake above 1,024 bytes": opens(({ password }) => password === "huge"),
  "a session that is asked for from the future": opens(
    ({ of, seen }) => of !== undefined && seen === "future",
  ),
  "a ping between other requests": someStep(
    (step) =>
      step.kind === "send" &&
      step.requests.length > 1 &&
      step.requests.some(({ op }) => op === "ping"),
  ),
};
