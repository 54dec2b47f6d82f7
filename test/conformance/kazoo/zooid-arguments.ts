/**
 * Kazoo's tests start ZooKeeper by `java OPTIONS… MAIN zoo.cfg`. This takes the same arguments, writes another `zoo.cfg` beside that one, with what
 * the options set, and prints the arguments of `zooid` for the same server.
 */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Membership by commands is not there. */
const LEFT_OUT = /^reconfigEnabled=/;
const SYSTEM_PROPERTY = /^-D(?:zookeeper\.)?([\w.]+)=(.*)$/;
/** The options among them that mean something to a server, and not to Java or its log. */
const MEANT = /^(DigestAuthenticationProvider\.superDigest|readonlymode\.enabled)$/;
const LOGINS = "java.security.auth.login.config";

/** Returns the lines of the file for zooid, in which the lines of SASL stand if there are users. */
function linesFor(text: string, options: readonly string[]): readonly string[] {
  const properties = options.flatMap((option) => {
    const [, key = "", value = ""] = SYSTEM_PROPERTY.exec(option) ?? [];
    return key === "" ? [] : [{ key, value }];
  });
  const logins = properties.find(({ key }) => key === LOGINS)?.value;
  const hasUsers = logins !== undefined && statSync(logins).size > 0;
  const shift = Number(process.env["ZOOID_KAZOO_PORT_SHIFT"] ?? "0");
  const kept = text
    .replace(/^clientPort=(\d+)$/m, (_, port) => `clientPort=${Number(port) + shift}`)
    .split("\n")
    .filter((line) => !LEFT_OUT.test(line) && (hasUsers || !line.startsWith("authProvider.")));
  const meant = properties.filter(({ key }) => MEANT.test(key));
  return [
    ...kept,
    "clientPortAddress=127.0.0.1",
    ...meant.map(({ key, value }) => `${key}=${value}`),
    ...(hasUsers ? [`${LOGINS}=${logins}`] : []),
    "",
  ];
}

const options = process.argv.slice(2);
const file = options.at(-1) ?? "";
const id = readFileSync(join(dirname(file), "data", "myid"), "utf8").trim();
const own = join(dirname(file), "zooid.cfg");
writeFileSync(own, linesFor(readFileSync(file, "utf8"), options.slice(0, -1)).join("\n"));
process.stdout.write(`serve --id ${id} --config ${own}\n`);
