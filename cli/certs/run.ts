/** What `zooid certs` does: an authority and certificates in a new folder, or new certificates of the authority in a folder. */
import { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { EXIT_FAILED, EXIT_MISUSED, EXIT_OK, messageOf } from "../command.ts";
import { adviceLines, settingsOf } from "./advice.ts";
import {
  issueCertificate,
  type KeyAndCertificate,
  makeAuthority,
  type Purpose,
  purposeOf,
} from "./certificate.ts";
import { DAYS_MAX, FOLDER } from "./command.ts";
import {
  type Made,
  namesIn,
  readAuthority,
  readCertificate,
  replace,
  takenOf,
  writeNew,
} from "./folder.ts";
import { AUTHORITY, DEFAULT_NAMES, NATS, type Plan, planOf } from "./plan.ts";

const AUTHORITY_NAME = "zooid development authority";
const DAY_MS = 86_400_000;
/** Certificates are valid a little before they are made, since clocks differ. */
const SKEW_MS = 300_000;

/** Who is to have a certificate. */
type Subject = {
  readonly name: string;
  readonly names: readonly string[];
  readonly purpose: Purpose;
};

/** Nothing was done, and the message says why. */
class Refused extends Error {}

/** Where lines go: what was made, and what is wrong. */
export type Output = {
  readonly print: (line: string) => void;
  readonly complain: (problem: string) => void;
};

const CONSOLE: Output = {
  print: (line) => console.log(line),
  complain: (problem) => console.error(`zooid certs: ${problem}`),
};

export async function run(
  flags: ReadonlyMap<string, string>,
  operands: ReadonlyMap<string, string>,
  { print, complain }: Output = CONSOLE,
): Promise<number> {
  const folder = resolve(operands.get(FOLDER) ?? "");
  const plan = planOf(flags);
  if ("length" in plan) {
    for (const problem of plan) complain(problem);
    return EXIT_MISUSED;
  }
  try {
    const certificates = plan.renews ? await renew(folder, plan) : await make(folder, plan);
    const files = certificates.map(({ name, certificate }) => factsOf(folder, name, certificate));
    if (flags.has("json")) {
      const settings = plan.renews ? {} : { settings: settingsOf(folder, plan) };
      print(JSON.stringify({ folder, renewed: plan.renews, certificates: files, ...settings }));
      return EXIT_OK;
    }
    for (const { file, subject, until } of files) print(`${file}  ${subject}  until ${until}`);
    const lines = plan.renews ? RENEWED : adviceLines(folder, plan);
    for (const line of lines) print(line);
    return EXIT_OK;
  } catch (error) {
    complain(messageOf(error));
    return error instanceof Refused ? EXIT_MISUSED : EXIT_FAILED;
  }
}

const RENEWED = [
  "",
  "Nodes look at their files every 5 s, and show these to whoever connects from then on; to NATS they are shown at the next connection.",
  "A nats-server takes its own at nats-server --signal reload.",
];

async function make(folder: string, plan: Plan): Promise<readonly Made[]> {
  const subjects = subjectsOf(plan);
  const taken = takenOf(folder, [AUTHORITY, ...subjects.map(({ name }) => name)]);
  if (taken.length > 0) {
    throw new Refused(
      `${folder} has ${taken.join(", ")} already: --renew makes new certificates of the same authority, another folder has another authority`,
    );
  }
  const now = Date.now();
  const from = new Date(now - SKEW_MS);
  const authority = await makeAuthority({
    commonName: AUTHORITY_NAME,
    from,
    until: new Date(now + DAYS_MAX * DAY_MS),
  });
  const issued: Made[] = [];
  for (const subject of subjects) issued.push(await issue(authority, subject, plan.days));
  writeNew(folder, [{ name: AUTHORITY, ...authority }, ...issued]);
  return [{ name: AUTHORITY, ...authority }, ...issued];
}

async function renew(folder: string, plan: Plan): Promise<readonly Made[]> {
  const authority = authorityOf(folder);
  const there = namesIn(folder);
  const known = subjectsOf(plan).filter(({ name }) => name !== NATS || there.includes(NATS));
  const added = known.filter(({ name }) => !there.includes(name));
  const kept = there.map((name) => {
    const before = subjectIn(folder, name, authority);
    const isServer = before.purpose !== "client";
    return isServer && plan.names !== undefined ? { ...before, names: plan.names } : before;
  });
  const subjects = [...kept, ...added];
  if (subjects.length === 0) throw new Refused(`${folder} has no certificates to renew`);
  const issued: Made[] = [];
  for (const subject of subjects) issued.push(await issue(authority, subject, plan.days));
  for (const made of issued) replace(folder, made);
  return issued;
}

function subjectsOf({ names = DEFAULT_NAMES, nodes, clients }: Plan): readonly Subject[] {
  return [
    // A node is connected to by clients, and connects to NATS. NATS servers connect to each other.
    ...nodes.map((name): Subject => ({ name, names, purpose: "both" })),
    { name: NATS, names, purpose: "both" },
    ...clients.map((name): Subject => ({ name, names: [], purpose: "client" })),
  ];
}

function authorityOf(folder: string): KeyAndCertificate {
  let authority: KeyAndCertificate;
  try {
    authority = readAuthority(folder);
  } catch (error) {
    throw new Refused(`${folder} has no authority that can be read (${messageOf(error)})`);
  }
  const { validToDate } = new X509Certificate(authority.certificate);
  if (validToDate.getTime() > Date.now()) return authority;
  const day = validToDate.toISOString().slice(0, 10);
  throw new Refused(
    `the authority in ${folder} has expired on ${day}: make another in another folder`,
  );
}

/** Whom a certificate in the folder names. Throws if it is of another authority: it would be lost. */
function subjectIn(folder: string, name: string, { certificate }: KeyAndCertificate): Subject {
  const own = new X509Certificate(readCertificate(folder, name));
  const issuer = new X509Certificate(certificate);
  if (!own.checkIssued(issuer) || !own.verify(issuer.publicKey)) {
    throw new Refused(`${name}.crt is of another authority than ca.crt: move it elsewhere`);
  }
  const names = (own.subjectAltName ?? "")
    .split(", ")
    .flatMap((each) => /^(?:DNS|IP Address):(.+)$/.exec(each)?.[1] ?? []);
  return { name, names, purpose: purposeOf(own.keyUsage) };
}

async function issue(
  authority: KeyAndCertificate,
  { name, names, purpose }: Subject,
  days: number,
): Promise<Made> {
  const now = Date.now();
  // Nothing is valid longer than its authority.
  const endMs = new X509Certificate(authority.certificate).validToDate.getTime();
  const until = new Date(Math.min(now + days * DAY_MS, endMs));
  const from = new Date(now - SKEW_MS);
  const issued = await issueCertificate(authority, {
    commonName: name,
    names,
    purpose,
    from,
    until,
  });
  return { name, ...issued };
}

type Facts = {
  readonly file: string;
  readonly subject: string;
  readonly names: string;
  readonly until: string;
};

function factsOf(folder: string, name: string, pem: string): Facts {
  const { subject, subjectAltName, validToDate } = new X509Certificate(pem);
  return {
    file: `${folder}/${name}.crt`,
    subject: subject.replaceAll("\n", ","),
    names: subjectAltName ?? "",
    until: validToDate.toISOString().slice(0, 10),
  };
}
