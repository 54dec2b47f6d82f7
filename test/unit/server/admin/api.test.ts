/** What the API counts of the answers that it gives. */
import test from "ava";
import { API_STREAMS_MAX } from "../../../../protocol/limits.ts";
import { Api, type ApiOptions } from "../../../../server/admin/api/api.ts";
import type { HttpReply, HttpRequest } from "../../../../server/admin/http-server.ts";

test("a stream counts from when it is promised until its answer is over, begun or not", async (t) => {
  const api = new Api({ changes: () => ({}) } as unknown as ApiOptions);
  const query = new URLSearchParams();
  const ask = (): Promise<HttpReply> =>
    api.answer({ path: "/api/v1/changes", query, isPost: false } as HttpRequest, "operator");
  const replies = await Promise.all(Array.from({ length: API_STREAMS_MAX }, ask));
  t.true(replies.every(({ status }) => status === 200));
  t.is((await ask()).status, 503);
  for (const { over } of replies) over?.();
  const again = await Promise.all(replies.map(ask));
  t.true(again.every(({ status }) => status === 200));
  t.is((await ask()).status, 503);
});
