/** `zooid migrate`: brings what one ensemble holds, and its clients, to another. */
import type { Context } from "../context.ts";
import { MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { Migration } from "../../migrate/migration.ts";
import { settingsOf } from "../../migrate/settings.ts";

export async function run(given: Given, context: Context): Promise<number> {
  // The shell reads the lines that are typed, and has a session with one ensemble only.
  if (context.inShell)
    throw new MisusedError("it has two ensembles: run zooid migrate from your shell");
  return new Migration(settingsOf(given, context.io.env), context).run();
}
