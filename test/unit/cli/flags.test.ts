/** How flags are read, and what is said about those that are none. */
import test from "ava";
import { type Flag, flagsText, readFlags } from "../../../cli/flags.ts";

const FLAGS: readonly Flag[] = [
  { name: "lanes", placeholder: "N", summary: "how many" },
  { name: "data-dir", placeholder: "FOLDER", summary: "where" },
  { name: "verbose", placeholder: undefined, summary: "say more" },
];

function problems(...args: readonly string[]): readonly string[] {
  return readFlags(args, FLAGS).problems;
}

function values(...args: readonly string[]): Record<string, string> {
  return Object.fromEntries(readFlags(args, FLAGS).values);
}

test("values come after a space or an equals sign, and a switch needs none", (t) => {
  t.deepEqual(values("--lanes", "2", "--data-dir=a=b", "--verbose"), {
    lanes: "2",
    "data-dir": "a=b",
    verbose: "true",
  });
});

test("of a flag given twice the last counts", (t) => {
  t.deepEqual(values("--lanes", "1", "--lanes=2"), { lanes: "2" });
});

test("an empty value is a value", (t) => {
  t.deepEqual(values("--data-dir="), { "data-dir": "" });
});

test("a negative number is a value, not a flag", (t) => {
  t.deepEqual(values("--lanes", "-1"), { lanes: "-1" });
});

test("words without dashes are taken for what a command needs, in order, and what is missing is reported", (t) => {
  const needed = [
    { name: "from", summary: "where from" },
    { name: "to", summary: "where to" },
  ];
  const both = readFlags(["a", "--verbose", "b"], FLAGS, needed);
  t.deepEqual(
    [...both.operands],
    [
      ["from", "a"],
      ["to", "b"],
    ],
  );
  t.deepEqual(both.problems, []);
  t.deepEqual(readFlags(["a"], FLAGS, needed).problems, ["<to> is missing: where to"]);
  t.deepEqual(readFlags(["a", "b", "c"], FLAGS, needed).problems, ["unexpected argument c"]);
});

test("help is asked for in two ways", (t) => {
  t.deepEqual(values("--help"), { help: "true" });
  t.deepEqual(values("-h"), { help: "true" });
});

test("an unknown flag is reported with the nearest known one, and its value is not", (t) => {
  t.deepEqual(problems("--lane", "3"), ["unknown flag --lane; did you mean --lanes?"]);
  t.deepEqual(problems("--colour=red"), ["unknown flag --colour"]);
});

test("a missing value, a value too many and a stray word are reported together", (t) => {
  t.deepEqual(problems("--data-dir", "--verbose=yes", "stray", "--lanes"), [
    "--data-dir needs a value: --data-dir FOLDER",
    "--verbose takes no value",
    "unexpected argument stray",
    "--lanes needs a value: --lanes N",
  ]);
});

test("the help text lists every flag with its summaries in one column", (t) => {
  t.is(
    flagsText(FLAGS),
    [
      "  --lanes N          how many",
      "  --data-dir FOLDER  where",
      "  --verbose          say more",
      "  --help             this text",
    ].join("\n"),
  );
});
