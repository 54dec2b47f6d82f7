/** The manifests for Kubernetes name what there is: ports, paths, variables, flags, keys, secrets, and each other. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { parse, parseAllDocuments } from "yaml";
import { serve } from "../../cli/serve.ts";
import { CONTAINER_VARIABLES, containerConfig } from "../../server/config/container-variables.ts";
import { loadConfig } from "../../server/config/load.ts";
import { natsServerBinary } from "../support/nats-server.ts";
import { CONTAINERFILE, imageCommand, imageEnvironment } from "../operations/rootfs.ts";

const FOLDER = new URL("../../ops/kubernetes/", import.meta.url);
const KUSTOMIZATION = "kustomization.yaml";

type Port = { readonly name: string; readonly port?: number; readonly containerPort?: number };
type Probe = { readonly httpGet: { readonly path: string; readonly port: string } };
type Variable = {
  readonly name: string;
  readonly valueFrom: {
    readonly fieldRef?: { readonly fieldPath: string };
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
  };
};
type Container = Readonly<Record<"startupProbe" | "livenessProbe" | "readinessProbe", Probe>> & {
  readonly args: readonly string[];
  readonly ports: readonly Port[];
  readonly env: readonly Variable[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
};
type Labels = Readonly<Record<string, string>>;
type Selector = { readonly matchLabels: Labels };
type Thing = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Labels };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas: number;
    readonly serviceName: string;
    readonly maxUnavailable: number;
    readonly clusterIP?: string;
    readonly publishNotReadyAddresses?: boolean;
    readonly selector: Labels & Selector;
    readonly ports: readonly (Port & { readonly targetPort: string })[];
    readonly podSelector: Selector;
    readonly ingress: readonly { readonly ports: readonly { readonly port: string }[] }[];
    readonly volumeClaimTemplates?: readonly Thing[];
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly containers: readonly Container[];
        readonly securityContext: Readonly<Record<string, unknown>>;
        readonly volumes: readonly { readonly name: string }[];
        readonly affinity: { readonly podAntiAffinity: object };
      };
    };
  };
};

const { resources } = parse(readFileSync(new URL(KUSTOMIZATION, FOLDER), "utf8")) as {
  readonly resources: readonly string[];
};
const THINGS: readonly Thing[] = resources.flatMap((file) =>
  parseAllDocuments(readFileSync(new URL(file, FOLDER), "utf8"), { strict: true }).map((each) => {
    if (each.errors.length > 0) throw new Error(`${file}: ${String(each.errors[0])}`);
    return each.toJS() as Thing;
  }),
);

function thing(kind: string, name: string): Thing {
  const found = THINGS.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

function containerOf(name: string): Container {
  const [container] = thing("StatefulSet", name).spec.template.spec.containers;
  if (container === undefined) throw new Error(`${name} has no container`);
  return container;
}

/** What the container of a pod is given, with Secrets and the pod's own fields filled in. */
function environmentOf(index: number): Record<string, string> {
  const { env, envFrom = [] } = containerOf("zooid");
  const own = env.map(({ name, valueFrom: { fieldRef, secretKeyRef } }) => {
    if (fieldRef?.fieldPath === "metadata.labels['apps.kubernetes.io/pod-index']") {
      return [name, String(index)] as const;
    }
    if (secretKeyRef?.name === "zooid-nats") return [name, `the ${secretKeyRef.key}`] as const;
    throw new Error(`${name} comes from nowhere`);
  });
  const maps = envFrom.map(({ configMapRef }) => thing("ConfigMap", configMapRef.name).data ?? {});
  return { ...imageEnvironment(), ...Object.assign({}, ...maps), ...Object.fromEntries(own) };
}

test.serial("all files are in the kustomization, which names no other", (t) => {
  const files = readdirSync(FOLDER).filter((name) => name !== KUSTOMIZATION);
  t.deepEqual(resources.toSorted(), files.toSorted());
});

test.serial("the variables make a right configuration of each member, without a warning", (t) => {
  const known = new Set([
    ...CONTAINER_VARIABLES.map(({ name }) => name),
    ...["ZOOID_NATS_USER", "ZOOID_NATS_PASSWORD", "XDG_CACHE_HOME", "PATH"],
  ]);
  const { replicas, serviceName } = thing("StatefulSet", "zooid").spec;
  const hosts = [...Array(replicas).keys()].map((index) => `zooid-${index}.${serviceName}`);
  for (const index of hosts.keys()) {
    const env = environmentOf(index);
    t.deepEqual(
      Object.keys(env).filter((name) => !known.has(name)),
      [],
    );
    const container = containerConfig(env);
    const loaded = loadConfig({ transport: "nats", flags: new Map(), container });
    t.deepEqual(loaded.warnings, []);
    if (loaded.kind === "invalid") {
      t.deepEqual(loaded.problems, []);
      continue;
    }
    const { id, members, servers, clientPort, adminServer, adminPort, natsUrls } = loaded.config;
    t.deepEqual([Number(id), members.length], [index, replicas]);
    t.deepEqual(
      hosts.filter((host) => !String(servers).includes(`=${host}:`)),
      [],
    );
    const ports = containerOf("zooid").ports.map((each) => [each.name, each.containerPort]);
    t.true(adminServer);
    t.deepEqual(ports, [
      ["client", clientPort],
      ["admin", adminPort],
    ]);
    const nats = thing("StatefulSet", "nats").spec;
    const natsServers = [...Array(nats.replicas).keys()].map(
      (at) => `nats://nats-${at}.${nats.serviceName}:4222`,
    );
    t.deepEqual(natsUrls, natsServers);
  }
});

test.serial("what is started is the image's command, with flags that there are", (t) => {
  const { args } = containerOf("zooid");
  const [, ...command] = imageCommand();
  t.deepEqual(args.slice(0, command.length), command);
  const flags = args.slice(command.length).filter((each) => each.startsWith("--"));
  const known = serve.flags.map(({ name }) => `--${name}`);
  t.true(flags.length > 0);
  t.deepEqual(
    flags.filter((flag) => !known.includes(flag)),
    [],
  );
});

test.serial(
  "probes, services, policies and budgets name ports, paths and labels that there are",
  (t) => {
    const health = readFileSync(
      new URL("../../server/admin/admin-server.ts", import.meta.url),
      "utf8",
    );
    for (const name of ["zooid", "nats"]) {
      const { spec } = thing("StatefulSet", name);
      const { labels } = spec.template.metadata;
      t.deepEqual(spec.selector.matchLabels, labels);
      const container = containerOf(name);
      const ports = new Set(container.ports.map((each) => each.name));
      for (const probe of [
        container.startupProbe,
        container.livenessProbe,
        container.readinessProbe,
      ]) {
        t.true(ports.has(probe.httpGet.port), probe.httpGet.port);
        if (name === "zooid")
          t.true(health.includes(`path === "${probe.httpGet.path}"`), probe.httpGet.path);
      }
      const services = THINGS.filter(
        (each) =>
          each.kind === "Service" && String(each.spec.selector["app.kubernetes.io/name"]) === name,
      );
      t.true(services.length > 0);
      for (const { spec: service } of services) {
        t.true(service.ports.length > 0);
        for (const { targetPort } of service.ports) t.true(ports.has(targetPort), targetPort);
      }
      const headless = thing("Service", spec.serviceName).spec;
      t.is(headless.clusterIP, "None");
      t.true(headless.publishNotReadyAddresses);
      const budget = thing("PodDisruptionBudget", name).spec;
      t.deepEqual([budget.maxUnavailable, budget.selector.matchLabels], [1, labels]);
      const policy = thing("NetworkPolicy", name).spec;
      t.deepEqual(policy.podSelector.matchLabels, labels);
      const allowed = policy.ingress.flatMap((each) => each.ports);
      t.true(allowed.length > 0);
      for (const { port } of allowed) t.true(ports.has(port), port);
      t.true(
        "requiredDuringSchedulingIgnoredDuringExecution" in
          spec.template.spec.affinity.podAntiAffinity,
      );
    }
  },
);

test.serial(
  "the pods are as closed as the image allows, and have the volumes that it needs",
  (t) => {
    for (const name of ["zooid", "nats"]) {
      const { spec } = thing("StatefulSet", name);
      const {
        securityContext,
        resources: { limits },
        volumeMounts,
      } = containerOf(name);
      t.deepEqual(securityContext, {
        ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
        capabilities: { drop: ["ALL"] },
      });
      t.true(spec.template.spec.securityContext["runAsNonRoot"]);
      t.truthy(limits["memory"]);
      const claims = spec.volumeClaimTemplates?.map(({ metadata }) => metadata.name) ?? [];
      const volumes = [...claims, ...spec.template.spec.volumes.map((each) => each.name)];
      t.deepEqual(volumeMounts.map((each) => each.name).toSorted(), volumes.toSorted());
    }
    const { securityContext } = thing("StatefulSet", "zooid").spec.template.spec;
    const user = `${String(securityContext["runAsUser"])}:${String(securityContext["runAsGroup"])}`;
    t.regex(CONTAINERFILE, new RegExp(`^USER ${user}$`, "m"));
    const paths = containerOf("zooid").volumeMounts.map(({ mountPath }) => mountPath);
    const image = imageEnvironment();
    t.deepEqual(paths, [image["ZOO_DATA_DIR"], image["ZOO_DATA_LOG_DIR"], image["XDG_CACHE_HOME"]]);
  },
);

test.serial("nats-server takes its configuration, with the permissions of nats.conf", (t) => {
  const config = thing("ConfigMap", "nats").data?.["nats.conf"] ?? "";
  const ours = readFileSync(new URL("../../nats.conf", import.meta.url), "utf8");
  const permissions = (text: string): readonly string[] =>
    [...text.matchAll(/^ *(?:publish|subscribe): \[.*\]$/gm)].map(([line]) => line.trim());
  // What nodes and clients each may publish, and what they may subscribe to.
  t.is(permissions(ours).length, 4);
  t.deepEqual(permissions(config), permissions(ours));
  const folder = mkdtempSync(join(tmpdir(), "zooid-kubernetes-"));
  try {
    writeFileSync(join(folder, "nats.conf"), config);
    const passwords = ["NODE", "CLIENT", "ROUTE"].map((user) => `${user}_PASSWORD: "p0"`);
    const routes = 'ROUTES: ["nats-route://route:p0@nats-0.nats:6222"]';
    writeFileSync(join(folder, "nats-passwords.conf"), [...passwords, routes].join("\n"));
    const env = { ...process.env, POD_NAME: "nats-0" };
    const checked = spawnSync(natsServerBinary(), ["-t", "-c", join(folder, "nats.conf")], {
      env,
      encoding: "utf8",
    });
    t.is(checked.status, 0, checked.stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
