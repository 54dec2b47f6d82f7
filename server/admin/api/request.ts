/** What a request to the API asks for, if it asks for something that there is. */
import type { HttpReply, HttpRequest } from "../http-server.ts";
import { API_PATH, type Endpoint } from "./endpoints.ts";
import { errorReply } from "./json.ts";

/** The endpoint, or the answer that says what is wrong. */
export function endpointIn(
  request: HttpRequest,
  offered: readonly Endpoint[],
): Endpoint | HttpReply {
  const name = request.path.slice(API_PATH.length + 1);
  const method = request.isPost ? "POST" : "GET";
  const endpoint = offered.find((each) => each.name === name && each.method === method);
  if (endpoint === undefined) {
    const names = offered.map((each) => each.name).join(", ");
    return errorReply(404, "ZOOID_NO_ENDPOINT", `there are ${names}`);
  }
  const stranger = [...request.query.keys()].find((key) => !endpoint.query.includes(key));
  if (stranger === undefined) return endpoint;
  return errorReply(400, "ZOOID_BAD_ARGUMENTS", `${name} has no parameter ${stranger}`);
}
