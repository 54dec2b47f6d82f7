/** `npm run docs`: writes the tables of the documentation that are made from the code. */
import { writeTables } from "./generated.ts";

const written = writeTables();
process.stdout.write(
  `${written.length === 0 ? "every table is up to date" : written.join("\n")}\n`,
);
