/**
 * A container without an engine: a root file system with what `ops/container/Containerfile` puts into the image, and its entry point as
 * process 1 of a namespace of processes and of mounts, as the image's user, with a root that cannot be written to.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from "node:fs";
import { chmod, chown, cp, mkdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { buildPackage, pack, succeed } from "../package/install.ts";
import { Child } from "../support/child.ts";
import { CHECKOUT } from "../support/zooid-command.ts";

const CONTAINER = join(CHECKOUT, "ops/container");
export const CONTAINERFILE: string = readFileSync(join(CONTAINER, "Containerfile"), "utf8");
/** What the entry point and the scripts need of the base image. */
const PROGRAMS = ["sh", "env", "id", "chown", "sed", "setpriv"];
const VOLUMES = ["data", "datalog", "logs"];
const USER = 1000;

/** What the pattern captures in the Containerfile, or all that it matches. */
function inContainerfile(pattern: RegExp): string {
  const [all, captured = all] = pattern.exec(CONTAINERFILE) ?? [];
  if (captured === undefined) throw new Error(`nothing in the Containerfile matches ${pattern}`);
  return captured;
}

/** The image's own variables. */
export function imageEnvironment(): Record<string, string> {
  const block = inContainerfile(/^ENV (?:.*\\\n)*.*$/m);
  return Object.fromEntries(
    [...block.matchAll(/(\w+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

/** What the image runs. */
export function imageCommand(): readonly string[] {
  const instructions = [/^ENTRYPOINT (.+)$/m, /^CMD (.+)$/m];
  return instructions.flatMap((each) => JSON.parse(inContainerfile(each)) as string[]);
}

/** Installs the packed package from the registry, as the Containerfile does, and copies Node.js and a shell beside it. */
export async function buildRootfs(folder: string): Promise<string> {
  const rootfs = join(folder, "rootfs");
  const folders = ["usr/local/bin", "usr/bin", "usr/lib", "usr/lib64", "etc", "proc", "tmp", "dev"];
  for (const each of [...folders, "conf", ...VOLUMES])
    await mkdir(join(rootfs, each), { recursive: true });
  for (const each of ["bin", "lib", "lib64"]) await symlink(`usr/${each}`, join(rootfs, each));
  copyProgram(rootfs, realpathSync(process.execPath), "usr/local/bin/node");
  for (const name of PROGRAMS) copyProgram(rootfs, pathOf(name), join("usr/bin", name));
  const built = join(folder, "package");
  await buildPackage(built);
  const tarball = await pack(built, folder);
  const flags = inContainerfile(/^RUN npm install --global --prefix \/opt\/zooid (.*) \S+$/m);
  const prefix = ["--prefix", join(rootfs, "opt/zooid")];
  await succeed(["install", "--global", ...prefix, ...flags.split(" "), tarball], folder, "npm");
  const files = join(built, "ops/container");
  await cp(join(files, "bin"), join(rootfs, "opt/zooid/bin"), { recursive: true });
  await cp(join(files, "docker-entrypoint.sh"), join(rootfs, "docker-entrypoint.sh"));
  const scripts = readdirSync(join(files, "bin")).map((name) => join("opt/zooid/bin", name));
  for (const each of ["docker-entrypoint.sh", ...scripts]) await chmod(join(rootfs, each), 0o755);
  return rootfs;
}

function pathOf(name: string): string {
  const found = (process.env["PATH"] ?? "")
    .split(":")
    .map((folder) => join(folder, name))
    .find(existsSync);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return realpathSync(found);
}

/** With the libraries that it is linked to, at the paths where its loader looks for them. */
function copyProgram(rootfs: string, program: string, to: string): void {
  const said = execFileSync("ldd", [program], { encoding: "utf8" });
  for (const [, library = ""] of said.matchAll(/(\/\S+) \(0x/g)) {
    const target = join(rootfs, library);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(library, target);
  }
  copyFileSync(program, join(rootfs, to));
}

export type ContainerOptions = {
  readonly rootfs: string;
  /** Its volumes are made in there, or are there from an earlier container. */
  readonly volumes: string;
  readonly env: Readonly<Record<string, string>>;
  /** Who starts the entry point. Default: the image's user. */
  readonly user?: number;
};

export class Container {
  readonly #child: Child;

  static async start({ rootfs, volumes, env, user = USER }: ContainerOptions): Promise<Container> {
    for (const name of VOLUMES) {
      await mkdir(join(volumes, name), { recursive: true });
      // A container that is started as root is one whose volumes have another owner.
      await chown(join(volumes, name), user, user);
    }
    const mounts = VOLUMES.map(
      (name) => `mount --bind ${join(volumes, name)} ${join(rootfs, name)}`,
    );
    const script = [
      `mount --bind ${rootfs} ${rootfs}`,
      ...mounts,
      `mount -t tmpfs -o mode=1777 tmpfs ${join(rootfs, "tmp")}`,
      `mount -t proc proc ${join(rootfs, "proc")}`,
      `mount -o remount,bind,ro ${rootfs}`,
      `exec /usr/sbin/chroot --userspec=${user}:${user} --groups= ${rootfs} ${imageCommand().join(" ")}`,
    ].join(" && ");
    // The kernel ends a process with its parent only until the process becomes another user, as process 1 of a container does. So it is in a
    // namespace of a namespace, whose process 1 stays root, and takes all in it along.
    const outer = ["--pid", "--fork", "--kill-child", "unshare"];
    const inner = ["--mount", "--pid", "--fork", "--propagation", "private"];
    return new Container(
      new Child({
        command: "unshare",
        args: [
          ...outer,
          ...inner,
          "env",
          "--ignore-environment",
          ...assignments(env),
          "/bin/sh",
          "-c",
          script,
        ],
      }),
    );
  }

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Outside of the namespaces; inside it is 1. Throws when there is none yet, or no more. */
  get pid(): number {
    return onlyChildOf(onlyChildOf(this.#child.pid));
  }

  /** A line of `/proc/…/status`, without its name. */
  status(name: string): string {
    const text = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return new RegExp(`^${name}:\\s+(.*)$`, "m").exec(text)?.[1] ?? "";
  }

  get program(): string {
    return basename(readFileSync(`/proc/${this.pid}/cmdline`, "utf8").split("\0")[0] ?? "");
  }

  get ended(): boolean {
    return this.#child.ended;
  }

  output(): string {
    return this.#child.output();
  }

  /** Runs a program beside it, as `docker exec` does. Returns what it printed. */
  exec(args: readonly string[], input = ""): string {
    const inside = ["--target", String(this.pid), "--mount", "--pid", "--root"];
    const identity = ["--setuid", String(USER), "--setgid", String(USER)];
    const env = ["env", "--ignore-environment", ...assignments({})];
    const command = ["sh", "-c", 'cd /data && exec "$@"', "sh", ...args];
    const options = { encoding: "utf8", input, stdio: "pipe" } as const;
    return execFileSync("nsenter", [...inside, ...identity, ...env, ...command], options);
  }

  /** As an engine stops it. Returns the exit code. */
  async stop(): Promise<number | null> {
    process.kill(this.pid, "SIGTERM");
    await this.#child.exited;
    return this.#child.process.exitCode;
  }

  /** With all of its processes. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

function onlyChildOf(pid: number): number {
  const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"));
  if (!(child > 0)) throw new Error(`process ${pid} has not one child`);
  return child;
}

function assignments(env: Readonly<Record<string, string>>): readonly string[] {
  const all = { ...imageEnvironment(), HOME: "/tmp", ...env };
  return Object.entries(all).map(([name, value]) => `${name}=${value}`);
}
