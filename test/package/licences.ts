/**
 * `npm run licences`: writes THIRD-PARTY-LICENCES.md, the packages that come with zooid and their licences. Their texts are those of the packages
 * that are installed on every machine; a package that is built for one kind of machine has the licence of the package it belongs to.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CHECKOUT } from "../support/zooid-command.ts";
import { type Component, components, LICENCES } from "./components.ts";

export const LICENCES_FILE = "THIRD-PARTY-LICENCES.md";

export function licencesText(all: readonly Component[] = components()): string {
  const rows = all.map((component) => {
    const { name, version, licence } = component;
    return `| ${name} | ${version} | ${licence ?? "**none**"} | ${installed(component)} |`;
  });
  const texts = all
    .filter(({ isOptional }) => !isOptional)
    .map(({ name, version, licence, licenceText }) => {
      const text = licenceText ?? `The package has no such text. It names ${licence ?? "none"}.`;
      return `## ${name} ${version}\n\n\`\`\`\n${text.replaceAll("\r\n", "\n").replaceAll("```", "'''")}\n\`\`\``;
    });
  const head = `# Licences of the packages that zooid brings along

zooid itself is under the Apache License 2.0 (LICENSE). \`npm install zooid\` also installs these packages, each with its own licence, or has them in the bundle of the dashboard. This file is made by \`npm run licences\`.

| package | version | licence | installed |
| --- | --- | --- | --- |`;
  return `${[head, ...rows].join("\n")}\n\n${texts.join("\n\n")}\n`;
}

function installed({ isOptional, isBundled }: Component): string {
  if (isBundled) return "in the dashboard";
  return isOptional ? "where it fits" : "always";
}

/** Why the file cannot be made of these; none if it can. */
function problemsOf(all: readonly Component[]): readonly string[] {
  return all.flatMap(({ name, licence, licenceText, isOptional }) => {
    if (licence === undefined || !LICENCES.has(licence)) {
      return [`${name} is under ${licence ?? "no licence"}, which nobody has read (LICENCES)`];
    }
    const isMissing = licenceText === undefined && !isOptional;
    return isMissing ? [`${name} has no text of its licence here: is it installed?`] : [];
  });
}

if (process.argv[1] === import.meta.filename) {
  const all = components();
  const problems = problemsOf(all);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
  else writeFileSync(join(CHECKOUT, LICENCES_FILE), licencesText(all));
}
