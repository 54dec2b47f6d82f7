/** JSON in the form of ZooKeeper's AdminServer, which scripts read line by line. */
import test from "ava";
import { JavaDouble, javaJson, type Json } from "../../../../server/admin/java-json.ts";

const EXPECTED = `{
  "connections" : [ {
    "address" : "127.0.0.1:1",
    "ops" : 1
  }, {
    "address" : "a\\"b\\n",
    "ops" : 0
  } ],
  "none" : [ ],
  "nothing" : { },
  "deep" : {
    "ids" : [ 1, 2 ],
    "lists" : [ [ ], [ 3 ] ]
  },
  "avg" : 2.0,
  "exact" : 6.4286,
  "is" : false,
  "error" : null
}`;

const VALUE: Json = {
  connections: [
    { address: "127.0.0.1:1", ops: 1 },
    { address: 'a"b\n', ops: 0 },
  ],
  none: [],
  nothing: {},
  deep: { ids: [1, 2], lists: [[], [3]] },
  avg: new JavaDouble(2),
  exact: new JavaDouble(6.4286),
  is: false,
  error: null,
};

test("objects stand below each other, lists in a row, with spaces around the colon", (t) => {
  t.is(javaJson(VALUE), EXPECTED);
});

test("what is printed is read again as the same", (t) => {
  const read = JSON.parse(javaJson(VALUE)) as Record<string, unknown>;
  t.deepEqual(read, { ...(VALUE as object), avg: 2, exact: 6.4286 } as typeof read);
});
