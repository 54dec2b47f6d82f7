/** How clients log in by SASL: the settings, and the users in the file that they name. */
import { createHash } from "node:crypto";
import type { SaslLogin } from "../../actors/gateway/messages.ts";
import { CONFIG_FILE_BYTES_MAX, IDENTITY_LENGTH_MAX } from "../../protocol/limits.ts";
import { secretOf, ZOOKEEPER_SERVICE } from "../../protocol/zookeeper/digest-md5.ts";
import { type Draft, read, refuse } from "./draft.ts";
import { readBounded, textOf } from "./file-text.ts";
import { type JaasModule, type JaasProblem, type JaasSection, readJaas } from "./jaas.ts";
import type { NodeConfig } from "./node-config.ts";
import { anyText, file, flag, type Reading } from "./values.ts";

export type SaslConfig = Pick<
  NodeConfig,
  | "saslLoginFile"
  | "saslLoginSection"
  | "saslScheme"
  | "saslRequired"
  | "saslFailedAllowed"
  | "saslSuperUser"
  | "saslSuperPassword"
>;

const SECTION_DEFAULT = "Server";
const FILE_KEY = "java.security.auth.login.config";
export const SASL_PROVIDER = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider";

export function readSasl(draft: Draft): SaslConfig {
  const config: SaslConfig = {
    saslLoginFile: read<string | undefined>(draft, "saslLoginFile", file, undefined),
    saslLoginSection: read(draft, "saslLoginSection", anyText, SECTION_DEFAULT),
    saslScheme: read(draft, "saslScheme", flag, false),
    saslRequired: read(draft, "saslRequired", flag, false),
    saslFailedAllowed: read(draft, "saslFailedAllowed", flag, false),
    saslSuperUser: read<string | undefined>(draft, "saslSuperUser", someName, undefined),
    saslSuperPassword: read<string | undefined>(draft, "saslSuperPassword", anyText, undefined),
  };
  checkUsers(draft, config);
  checkUse(draft, config);
  return config;
}

function checkUsers({ settings, problems }: Draft, config: SaslConfig): void {
  const { saslLoginFile } = config;
  if (saslLoginFile !== undefined) {
    const source = settings.get("saslLoginFile")?.source ?? saslLoginFile;
    for (const { line, rule } of readUsers(config).problems) {
      const where = line === undefined ? source : `${saslLoginFile}:${line}`;
      const hint = "see docs/operations/security.md, SASL";
      const field = "saslLoginFile";
      problems.push({ field, value: saslLoginFile, source: where, rule, hint });
    }
  }
}

/** The settings have to make sense together. */
function checkUse(draft: Draft, config: SaslConfig): void {
  const { settings, warnings } = draft;
  const { saslLoginFile, saslScheme, saslRequired } = config;
  if (saslRequired && !saslScheme) {
    const rule = "asks for clients to log in by SASL, whose scheme is not there";
    refuse(draft, "saslRequired", rule, `give authProvider.sasl=${SASL_PROVIDER}`);
  }
  if (settings.has("saslLoginFile")) {
    // It may be wrong, which has been said.
  } else if (saslRequired) {
    const rule = "asks for clients to log in by SASL, and nobody can";
    refuse(draft, "saslRequired", rule, `give ${FILE_KEY}=FILE, the users`);
  } else {
    for (const field of NEED_USERS) {
      const idle = settings.get(field);
      if (idle === undefined) continue;
      warnings.push(
        `${idle.source}: ${field} has no effect: without ${FILE_KEY} nobody logs in by SASL`,
      );
    }
  }
  if (saslLoginFile !== undefined && !saslScheme) {
    warnings.push(
      `clients can log in by SASL, and no list can name them: give authProvider.sasl=${SASL_PROVIDER}`,
    );
  }
}

const NEED_USERS = [
  "saslLoginSection",
  "saslScheme",
  "saslFailedAllowed",
  "saslSuperUser",
  "saslSuperPassword",
] as const satisfies readonly (keyof SaslConfig)[];

function someName(text: string): Reading<string> {
  if (text !== "") return { kind: "read", value: text };
  return { kind: "refused", rule: "must be the name of a user", hint: "leave the line out" };
}

export function saslLoginOf(config: SaslConfig): SaslLogin | undefined {
  if (config.saslLoginFile === undefined) return undefined;
  const { users, problems } = readUsers(config);
  // The file has been checked before, and has changed since.
  const [problem] = problems;
  if (problem !== undefined) throw new Error(`${config.saslLoginFile}: ${problem.rule}`);
  const md5 = (bytes: Uint8Array): Uint8Array => createHash("md5").update(bytes).digest();
  const secrets = new Map<string, Uint8Array>();
  for (const [name, password] of users) {
    secrets.set(name, secretOf(md5, ZOOKEEPER_SERVICE, { name, password }));
  }
  return { md5, secrets, superUser: config.saslSuperUser, keepsFailed: config.saslFailedAllowed };
}

/** Without a line, the problem is about the file as a whole. */
type Problem = { readonly line: number | undefined; readonly rule: string };

type Users = {
  /** Passwords by names. */
  readonly users: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
};

function readUsers(config: SaslConfig): Users {
  const { saslLoginFile = "", saslLoginSection, saslSuperPassword } = config;
  const none = (rule: string): Users => ({
    users: new Map(),
    problems: [{ line: undefined, rule }],
  });
  let bytes: Uint8Array;
  try {
    bytes = readBounded(saslLoginFile);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return none(`must be a file that can be read (${why})`);
  }
  if (bytes.length > CONFIG_FILE_BYTES_MAX) {
    return none(`must have at most ${CONFIG_FILE_BYTES_MAX} bytes`);
  }
  const text = textOf(bytes);
  if (text.kind === "refused") return none(text.rule);
  const { sections, problems } = readJaas(text.value);
  const section = sections.find(({ name }) => name === saslLoginSection);
  if (section === undefined) {
    if (problems.length > 0) return { users: new Map(), problems };
    return none(`must have a section ${saslLoginSection} { … };`);
  }
  const found = usersOf(section);
  // As in ZooKeeper, the superuser has to be one of the users, and its password may stand apart.
  if (saslSuperPassword !== undefined && found.users.has(SUPER_NAME)) {
    found.users.set(SUPER_NAME, saslSuperPassword);
  }
  return { users: found.users, problems: [...problems, ...found.problems] };
}

const SUPER_NAME = "super";
const DIGEST_MODULE = "org.apache.zookeeper.server.auth.DigestLoginModule";
const USER_PREFIX = "user_";

function usersOf({ name, line, modules }: JaasSection): {
  readonly users: Map<string, string>;
  readonly problems: readonly JaasProblem[];
} {
  const users = new Map<string, string>();
  const problems: JaasProblem[] = [];
  for (const module of modules) {
    const rule = moduleRule(module);
    if (rule !== undefined) problems.push({ line: module.line, rule });
    for (const option of rule === undefined ? module.options : []) {
      if (!option.key.startsWith(USER_PREFIX)) continue;
      const user = option.key.slice(USER_PREFIX.length);
      const wrong = userRule(user, option.value, users.has(user));
      if (wrong !== undefined) problems.push({ line: option.line, rule: wrong });
      users.set(user, option.value);
    }
  }
  if (users.size === 0 && problems.length === 0) {
    problems.push({ line, rule: `the section ${name} must have users: user_NAME="PASSWORD"` });
  }
  return { users, problems };
}

function moduleRule({ name }: JaasModule): string | undefined {
  if (name === DIGEST_MODULE) return undefined;
  if (/krb5|kerberos|gss/i.test(name)) {
    return `${name} asks for Kerberos (GSSAPI), which is not served: clients log in by DIGEST-MD5, with ${DIGEST_MODULE}`;
  }
  return `${name} is not served: clients log in by DIGEST-MD5, with ${DIGEST_MODULE}`;
}

/** What Java would take for a name of Kerberos is refused, since ZooKeeper lets such a user be whom it says it is. */
function userRule(user: string, password: string, isThere: boolean): string | undefined {
  if (user === "") return "user_ must be followed by a name";
  if (user.length > IDENTITY_LENGTH_MAX)
    return `a name must have at most ${IDENTITY_LENGTH_MAX} letters`;
  if (user.includes("@")) return `${USER_PREFIX}${user} must be a plain name, without @`;
  if (isThere) return `${USER_PREFIX}${user} must come once`;
  return password === "" ? `${USER_PREFIX}${user} must have a password` : undefined;
}
