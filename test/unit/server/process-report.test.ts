/** What a node tells of its own process. */
import test from "ava";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerReport } from "../../../actors/admin/messages.ts";
import { processReport, reportProcess, reportServer } from "../../../server/process-report.ts";
import { zooidVersion } from "../../../server/version.ts";

test("the report has this process's open files and its limit of them", (t) => {
  const report = processReport();
  // Standard input, output and error at least.
  t.true((report?.openFiles ?? 0) >= 3);
  t.true((report?.openFilesMax ?? 0) >= (report?.openFiles ?? 0));
});

test("the first report comes at once", (t) => {
  let reports = 0;
  reportProcess(() => {
    reports += 1;
  })();
  t.is(reports, 1);
});

test("the size of the data folder is that of its files", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "zooid-report-"));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, "a"), new Uint8Array(700));
  await writeFile(join(folder, "b"), new Uint8Array(30));
  await mkdir(join(folder, "c"));
  const reported = (dataDir: string, dataLogDir?: string): Promise<ServerReport> =>
    new Promise((resolve) => {
      const stop = reportServer(
        { dataDir, dataLogDir },
        { clientPort: 4711, secureClientPort: undefined },
        (report) => {
          stop();
          resolve(report);
        },
      );
    });
  const expected = { kind: "serverReport", clientPort: 4711 };
  t.like(await reported(folder), { ...expected, folderBytes: 730 });
  t.like(await reported(join(folder, "none")), { ...expected, folderBytes: 0 });
  await writeFile(join(folder, "c", "log.1"), new Uint8Array(40));
  const both = { folderBytes: 730, logFolderBytes: 40 };
  t.like(await reported(folder, join(folder, "c")), { ...expected, ...both });
});

test("the version is that of package.json", (t) => {
  t.regex(zooidVersion(), /^\d+\.\d+\.\d+/);
});
