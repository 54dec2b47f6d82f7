/** A nats-server of our own: found, fetched, started, stopped. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { NatsServerFailedError, startNatsServer } from "../../cli/ensemble/nats-server.ts";
import {
  NatsServerMissingError,
  natsServerProgram,
} from "../../cli/ensemble/nats-server-binary.ts";

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), "zooid-test-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function greeting(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("error", reject);
    socket.once("data", (bytes) => {
      socket.destroy();
      resolve(bytes.toString("latin1").slice(0, 4));
    });
  });
}

test.serial("a started server answers on the port of its URL", async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  t.is(server.url, `nats://127.0.0.1:${server.port}`);
  t.is(await greeting(server.port), "INFO");
});

test.serial("a stopped server has exited and its port is free again", async (t) => {
  const server = await startNatsServer();
  await server.stop();
  t.regex(await server.exited, /^(code|signal) /);
  const again = await startNatsServer({ port: server.port });
  t.teardown(() => again.stop());
  t.is(again.port, server.port);
});

test.serial("a port that is taken is an error with the server's own words", async (t) => {
  const server = await startNatsServer();
  t.teardown(() => server.stop());
  const error = await t.throwsAsync(startNatsServer({ port: server.port }), {
    instanceOf: NatsServerFailedError,
  });
  t.regex(error.message, /address already in use/);
});

test.serial("a server killed from outside says so", async (t) => {
  const server = await startNatsServer();
  process.kill(server.pid, "SIGKILL");
  t.is(await server.exited, "signal SIGKILL");
});

test.serial("a missing program that was named is refused without a download", async (t) => {
  const error = await t.throwsAsync(natsServerProgram({ program: "/nowhere/nats-server" }), {
    instanceOf: NatsServerMissingError,
  });
  t.is(error.code, "ZOOID_NATS_SERVER_MISSING");
});

test.serial("the first folder that holds the program wins", async (t) => {
  const [first, second] = [temporaryFolder(t), temporaryFolder(t)];
  for (const folder of [first, second]) {
    writeFileSync(join(folder, "nats-server"), "#!/bin/sh\n", { mode: 0o755 });
  }
  const empty = temporaryFolder(t);
  t.is(await natsServerProgram({ folders: [empty, second, first] }), join(second, "nats-server"));
});

test.serial("a file that may not be executed is no program", async (t) => {
  const [plain, program] = [temporaryFolder(t), temporaryFolder(t)];
  writeFileSync(join(plain, "nats-server"), "", { mode: 0o644 });
  writeFileSync(join(program, "nats-server"), "#!/bin/sh\n", { mode: 0o755 });
  t.is(await natsServerProgram({ folders: [plain, program] }), join(program, "nats-server"));
});

test.serial(
  "Debian's package is fetched into the cache folder, runs, and is fetched once only",
  async (t) => {
    const cacheFolder = join(temporaryFolder(t), "cache");
    const fetches: string[] = [];
    const places = { folders: [], cacheFolder, onFetch: (into: string) => fetches.push(into) };
    const server = await startNatsServer(places);
    t.teardown(() => server.stop());
    t.is(await greeting(server.port), "INFO");
    t.is(await natsServerProgram(places), join(cacheFolder, "nats-server"));
    t.deepEqual(fetches, [cacheFolder]);
    t.true(existsSync(join(cacheFolder, "nats-server")));
  },
);

test.serial("where nothing can be fetched the error says what to do", async (t) => {
  const file = join(temporaryFolder(t), "file");
  writeFileSync(file, "");
  const error = await t.throwsAsync(
    natsServerProgram({ folders: [], cacheFolder: join(file, "cache") }),
    { instanceOf: NatsServerMissingError },
  );
  t.regex(error.message, /apt-get install nats-server/);
});
