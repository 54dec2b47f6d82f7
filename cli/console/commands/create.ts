/** `zooid create`: creates a znode, and keeps an ephemeral one until the user ends the command. */
import { type Client, type CreateOptions, SessionExpiredError } from "../../../client/connect.ts";
import { EXIT_OK } from "../../command.ts";
import { aclOf } from "../acl-text.ts";
import type { Context } from "../context.ts";
import { MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { statJson } from "../stat-text.ts";
import { valueOf } from "../value.ts";

export async function run(given: Given, context: Context): Promise<number> {
  const { output, signal, inShell } = context;
  const options = optionsOf(given);
  const data = (await valueOf(given, context)) ?? null;
  const client = await context.client();
  const { path, stat } = await client.create(given.operand("path"), data, { ...options, signal });
  if (output.isJson) await output.json({ path, stat: statJson(stat) });
  else await output.line(output.shown(path));
  if (!given.has("ephemeral") || inShell) return EXIT_OK;
  output.note(`${path} is there until this session ends: Ctrl-C ends it`);
  return whileSession(client, signal);
}

function optionsOf(given: Given): CreateOptions {
  const acl = aclTextOf(given);
  const ttlMs = given.number("ttl");
  return {
    ephemeral: given.has("ephemeral"),
    sequential: given.has("sequential"),
    parents: given.has("parents"),
    ...(given.has("container") ? { container: true } : {}),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(acl === undefined ? {} : { acl: aclOf([acl]) }),
  };
}

function aclTextOf(given: Given): string | undefined {
  const operand = given.optional("acl");
  const flag = given.value("acl");
  if (operand !== undefined && flag !== undefined) {
    throw new MisusedError("the access control list is given twice: as an operand and as --acl");
  }
  return operand ?? flag;
}

/** Does not resolve: the user ends it, or the session does. */
function whileSession({ signal: session }: Client, signal: AbortSignal): Promise<never> {
  const over = AbortSignal.any([session, signal]);
  return new Promise((_, reject) => {
    const end = (): void => reject(signal.aborted ? signal.reason : new SessionExpiredError());
    if (over.aborted) end();
    else over.addEventListener("abort", end, { once: true });
  });
}
