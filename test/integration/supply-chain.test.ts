/** What comes with zooid is known: its licences are those that were read, and the bill of materials is complete. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { BUNDLED, components, LICENCES, readLock } from "../package/components.ts";
import { LICENCES_FILE, licencesText } from "../package/licences.ts";
import { makeSbom } from "../package/sbom.ts";
import { manifestOf, run } from "../package/install.ts";
import { buildDashboard } from "../../dashboard/build.ts";
import { CHECKOUT } from "../support/zooid-command.ts";

type Sbom = {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly licenses?: readonly { readonly license: { readonly id?: string } }[];
  }[];
};

test.serial("every package that comes with zooid is under a licence that was read", (t) => {
  const all = components();
  t.true(all.length > 10);
  const others = all.filter(({ licence }) => licence === undefined || !LICENCES.has(licence));
  t.deepEqual(
    others.map(({ name, licence }) => `${name}: ${licence}`),
    [],
  );
});

test.serial("a package without a licence, and one under another, would be found", (t) => {
  const packages = {
    "": {},
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b": { version: "1.0.0", license: "GPL-3.0" },
  };
  const licences = components({ packages }).map(({ licence }) => licence);
  t.deepEqual(
    licences.map((licence) => licence !== undefined && LICENCES.has(licence)),
    [false, false],
  );
});

test.serial("the file of licences is that of the packages (npm run licences writes it)", (t) => {
  t.is(readFileSync(join(CHECKOUT, LICENCES_FILE), "utf8"), licencesText());
  const always = components().filter(({ isOptional }) => !isOptional);
  t.deepEqual(
    always.filter(({ licenceText }) => licenceText === undefined).map(({ name }) => name),
    [],
  );
});

test.serial("what the bundle of the dashboard holds is known", async (t) => {
  t.deepEqual(await buildDashboard(), [...BUNDLED].sort());
});

test.serial("the bill of materials has all that is shipped, and nothing else", async (t) => {
  const sbom = JSON.parse(await makeSbom()) as Sbom;
  t.is(sbom.bomFormat, "CycloneDX");
  const { name, version } = sbom.metadata.component;
  t.is(
    `${name} ${version}`,
    `zooid ${(JSON.parse(readFileSync(join(CHECKOUT, "package.json"), "utf8")) as { version: string }).version}`,
  );
  const billed = sbom.components.map((each) => `${each.name}@${each.version}`).toSorted();
  const shipped = components()
    .map((each) => `${each.name}@${each.version}`)
    .toSorted();
  t.deepEqual(billed, [...new Set(shipped)]);
  for (const { licenses, purl } of sbom.components)
    t.true(LICENCES.has(licenses?.[0]?.license.id ?? ""), purl);
});

test.serial(
  "what npm would install without the tools of development is in the lock file's list",
  async (t) => {
    const { dependencies } = await manifestOf(CHECKOUT);
    const names = new Set(components().map(({ name }) => name));
    t.deepEqual(
      Object.keys(dependencies).filter((name) => !names.has(name)),
      [],
    );
    const tree = await run(
      ["ls", "--omit", "dev", "--omit", "peer", "--all", "--parseable"],
      CHECKOUT,
      "npm",
    );
    const installed = tree
      .split("\n")
      .flatMap((line) => line.split("/node_modules/").slice(1).slice(-1));
    t.true(installed.length > 10);
    const { packages } = readLock();
    // A tool that replaces itself as it is installed leaves what npm takes for a package that nobody asked for.
    const isTool = (name: string): boolean => packages[`node_modules/${name}`]?.dev === true;
    t.deepEqual(
      installed.filter((name) => !names.has(name) && !isTool(name)),
      [],
    );
  },
);
