/** What a node tells of its own process. */
import test from "ava";
import { processReport, reportProcess } from "../../../server/process-report.ts";
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

test("the version is that of package.json", (t) => {
  t.regex(zooidVersion(), /^\d+\.\d+\.\d+/);
});
