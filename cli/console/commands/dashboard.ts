/** `zooid dashboard`: serves the dashboard on this machine, for whatever ensemble the client reaches. */
import { auditInto } from "../../../server/admin/api/audit.ts";
import { AdminAccess } from "../../../server/admin/access.ts";
import { API_PATH } from "../../../server/admin/api/endpoints.ts";
import { dashboardReply } from "../../../server/admin/dashboard.ts";
import { type HttpReply, type HttpRequest, HttpServer } from "../../../server/admin/http-server.ts";
import { EXIT_OK } from "../../command.ts";
import { ClientApi } from "../../dashboard/api.ts";
import { abortOf, open, shownUrl } from "../connection.ts";
import type { Context } from "../context.ts";
import { MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { serversOfContext } from "../servers/servers.ts";

/** Others of the network see nothing: the page has what its user may read. */
const HOST = "127.0.0.1";
const PORT_DEFAULT = 8090;

export async function run(given: Given, context: Context): Promise<number> {
  const { target, output, signal } = context;
  if (target === undefined) throw new Error("the command has a target");
  const mayWrite = given.has("writes");
  const access = accessOf(given.value("token-file"));
  if (mayWrite && !access.asksForProof) {
    throw new MisusedError("--writes takes --token-file: openssl rand -hex 32 > token");
  }
  const at = shownUrl(target.url);
  const file = given.value("audit-file");
  const audit = auditInto(
    file,
    (entry) => output.note(`audit ${JSON.stringify(entry)}`),
    () => Date.now(),
  );
  await using servers = await serversOfContext({ target, signal }, "all");
  const connect = (): Promise<Awaited<ReturnType<typeof open>>> => open(target, signal);
  const api = new ClientApi({ at, connect, servers, mayWrite, audit });
  try {
    await api.open();
    const http = await listen(given.number("port") ?? PORT_DEFAULT, { api, access });
    try {
      await output.line(`the dashboard of ${at} is at ${http.url}/; Ctrl-C ends it`);
      await abortOf(signal);
    } finally {
      await http.close();
    }
  } finally {
    await api.close();
  }
  return EXIT_OK;
}

/** Throws a MisusedError. */
function accessOf(adminTokenFile: string | undefined): AdminAccess {
  const others = { adminTrustStoreFile: undefined, adminCertificateNames: undefined };
  try {
    return new AdminAccess({ adminTokenFile, adminClientAuth: "none", ...others });
  } catch (error) {
    throw new MisusedError(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

type Served = { readonly api: ClientApi; readonly access: AdminAccess };

/** Throws a MisusedError when the port is not free. */
async function listen(port: number, served: Served): Promise<HttpServer> {
  try {
    return await HttpServer.listen({
      ...{ host: HOST, port },
      answer: (request) => answer(request, served),
      takesPost: (path) => path.startsWith(`${API_PATH}/`),
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === "EADDRINUSE" ? "it is in use; choose another, or 0 for a free one" : message;
    throw new MisusedError(`--port ${port}: ${why}`, { cause: error });
  }
}

/** It never rejects. */
async function answer(request: HttpRequest, { api, access }: Served): Promise<HttpReply> {
  try {
    if (!request.path.startsWith(`${API_PATH}/`)) {
      return (
        (await dashboardReply(request.path)) ?? { status: 404, body: "there is no such page\n" }
      );
    }
    const who = access.proven(request);
    if (access.asksForProof && who === undefined) {
      return {
        ...{ status: 401, body: "show the token: Authorization: Bearer TOKEN\n" },
        headers: { "WWW-Authenticate": "Bearer" },
      };
    }
    return await api.answer(request, who);
  } catch (error) {
    return { status: 500, body: `a bug of zooid: ${String(error)}\n` };
  }
}
