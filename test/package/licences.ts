/**
 * `npm run licences`: writes THIRD-PARTY-LICENCES.md, the packages that come with zooid and their licences. Their texts are those of the packages
 * that are installed on every machine; a package that is built for one kind of machine has the licence of the package it belongs to.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../support/zooid.ts";
import { type Component, components } from "./components.ts";

export const LICENCES_FILE = "THIRD-PARTY-LICENCES.md";

export function licencesText(all: readonly Component[] = components()): string {
  const rows = all.map(({ name, version, licence, isOptional }) => {
    return `| ${name} | ${version} | ${licence ?? "**none**"} | ${isOptional ? "where it fits" : "always"} |`;
  });
  const texts = all
    .filter(({ isOptional }) => !isOptional)
    .map(({ name, version, licence, licenceText }) => {
      const text = licenceText ?? `The package has no such text. It names ${licence ?? "none"}.`;
      return `## ${name} ${version}\n\n\`\`\`\n${text.replaceAll("\r\n", "\n").replaceAll("```", "'''")}\n\`\`\``;
    });
  const head = `# Licences of the packages that zooid brings along

zooid itself is under the Apache License 2.0 (LICENSE). \`npm install zooid\` also installs these packages, each with its own licence. This file is made by \`npm run licences\`.

| package | version | licence | installed |
| --- | --- | --- | --- |`;
  return `${[head, ...rows].join("\n")}\n\n${texts.join("\n\n")}\n`;
}

if (process.argv.includes("--write")) writeFileSync(join(CHECKOUT, LICENCES_FILE), licencesText());
