/** `zooid migrate`: brings what one ensemble holds, and its clients, to another. */
import type { Context } from "../context.ts";
import type { Given } from "../given.ts";
import { Migration } from "../../migrate/migration.ts";
import { settingsOf } from "../../migrate/settings.ts";

export async function run(given: Given, context: Context): Promise<number> {
  return new Migration(settingsOf(given, context.io.env), context).run();
}
