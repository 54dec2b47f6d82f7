/** Where the command line of zooid is, and what is said to all nodes of tests. */
import { fileURLToPath } from "node:url";

/** The folder of the sources, with a slash at its end. */
export const CHECKOUT: string = fileURLToPath(new URL("../../", import.meta.url));
/** What Node runs as `zooid`. */
export const COMMAND_LINE: string = fileURLToPath(new URL("../../cli/zooid.ts", import.meta.url));
/** `ZOOID_TEST_LANES=2 npm test`: the lanes of all nodes whose tests say nothing of them. Undefined: as for users, `auto`. */
export const LANES: string | undefined = process.env["ZOOID_TEST_LANES"];
