/** A ClickHouse server of Debian's, a replica of a table that it shares with others through ZooKeeper. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLICKHOUSE_SERVER } from "../../setup/debian.ts";
import { Child } from "../../support/child.ts";
import { reservePorts } from "../../support/ports.ts";

/** An answer may wait for a session. */
const ANSWER_MS_MAX = 60_000;
/** How often a table looks whether its session has expired. By default once a minute, which would be what is measured. */
const LOOK_AGAIN_SECONDS = 1;

export type ClickHouse = {
  readonly replica: string;
  /** The text of the answer. Rejects with what the server says. */
  readonly query: (text: string) => Promise<string>;
  readonly stop: () => Promise<void>;
};

/** `zookeeper` is the host and port of what it keeps its replicas' agreements in. */
export async function startClickHouse(replica: string, zookeeper: string): Promise<ClickHouse> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-clickhouse-"));
  const block = await reservePorts();
  const port = block.first;
  const config = join(folder, "config.xml");
  await writeFile(config, configOf(folder, port, zookeeper));
  await writeFile(join(folder, "users.xml"), USERS);
  const child = new Child({
    command: CLICKHOUSE_SERVER,
    args: [`--config-file=${config}`],
    cwd: folder,
  });
  const stop = async (): Promise<void> => {
    // It waits for its tables' threads, which may wait for ZooKeeper: nothing is asked of it any more.
    child.kill("SIGKILL");
    await child.exited;
    block.release();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await child.line(/Ready for connections/);
  } catch (error) {
    await stop();
    throw error;
  }
  const query = async (text: string): Promise<string> => {
    const reply = await fetch(`http://127.0.0.1:${port}/`, {
      ...{ method: "POST", body: text, signal: AbortSignal.timeout(ANSWER_MS_MAX) },
    });
    const answer = await reply.text();
    if (!reply.ok) throw new Error(`replica ${replica}: ${answer.trim()}`);
    return answer;
  };
  return { replica, query, stop };
}

function configOf(folder: string, port: number, zookeeper: string): string {
  const [host, zookeeperPort] = zookeeper.split(":");
  return `<?xml version="1.0"?>
<yandex>
  <logger><level>information</level><console>1</console></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>${port}</http_port>
  <tcp_port>${port + 1}</tcp_port>
  <interserver_http_port>${port + 2}</interserver_http_port>
  <interserver_http_host>127.0.0.1</interserver_http_host>
  <path>${folder}/data/</path>
  <tmp_path>${folder}/tmp/</tmp_path>
  <user_files_path>${folder}/user_files/</user_files_path>
  <format_schema_path>${folder}/format_schemas/</format_schema_path>
  <users_config>${folder}/users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size>
  <merge_tree>
    <zookeeper_session_expiration_check_period>${LOOK_AGAIN_SECONDS}</zookeeper_session_expiration_check_period>
  </merge_tree>
  <zookeeper>
    <node><host>${host}</host><port>${zookeeperPort}</port></node>
    <session_timeout_ms>10000</session_timeout_ms>
  </zookeeper>
</yandex>
`;
}

const USERS = `<?xml version="1.0"?>
<yandex>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
    </default>
  </users>
</yandex>
`;
