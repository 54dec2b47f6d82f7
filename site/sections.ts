/** How the site is read: its sections, each for one kind of reader, and the order of the pages in them. */

type Part = {
  /** Undefined: the part that the section begins with. */
  readonly title?: string;
  /** Files from the project's root, or patterns: a pattern takes what no part names, by name. */
  readonly pages: readonly string[];
};

export type Section = {
  readonly title: string;
  /** Whom the section is for, and what they find, in one sentence. */
  readonly summary: string;
  readonly parts: readonly Part[];
  /** Many readers skip its pages. */
  readonly isOptional?: true;
};

export const SECTIONS: readonly Section[] = [
  {
    title: "Begin",
    summary: "What zooid is, a first ensemble, a first program, and how fast it is.",
    parts: [
      {
        pages: [
          "README.md",
          "docs/client/tutorial.md",
          "docs/operations/several-hosts.md",
          "bench/README.md",
          "CHANGELOG.md",
        ],
      },
    ],
  },
  {
    title: "Write programs",
    summary: "The client and its recipes, change streams, a node in your process, tests.",
    parts: [
      {
        pages: [
          "docs/client/README.md",
          "docs/client/streams.md",
          "docs/client/zookeeper.md",
          "docs/client/testing.md",
          "docs/operations/embedding.md",
          "docs/feed.md",
          "docs/client/*.md",
        ],
      },
      { title: "Recipes", pages: ["docs/client/recipes/lock.md", "docs/client/recipes/*.md"] },
      { title: "Adapters", pages: ["docs/client/adapters/README.md", "docs/client/adapters/*.md"] },
      { title: "Whole programs", pages: ["examples/*.ts", "examples/**/*.ts"] },
    ],
  },
  {
    title: "Operate",
    summary: "Install, watch, back up, upgrade and repair an ensemble.",
    parts: [
      {
        title: "Install",
        pages: [
          "docs/operations/doctor.md",
          "docs/operations/systemd.md",
          "docs/operations/container.md",
          "docs/operations/kubernetes.md",
          "docs/operations/security.md",
          "SECURITY.md",
          "docs/operations/quotas.md",
        ],
      },
      {
        title: "Watch",
        pages: [
          "docs/operations/dashboard.md",
          "docs/operations/history.md",
          "docs/operations/inspect.md",
        ],
      },
      {
        title: "Run",
        pages: [
          "docs/operations/a-day.md",
          "docs/operations/failures.md",
          "docs/operations/backup.md",
          "docs/operations/rolling-restart.md",
          "docs/operations/upgrade.md",
          "docs/operations/*.md",
        ],
      },
    ],
  },
  {
    title: "Come from another system",
    summary: "ZooKeeper, etcd, NATS KV, Redlock: what is the same, what differs, what to change.",
    parts: [
      {
        title: "ZooKeeper",
        pages: [
          "docs/compatibility.md",
          "docs/compatibility-differences.md",
          "docs/operations/migrate.md",
          "docs/operations/migrate/*.md",
          "docs/operations/coming-from-zkcli.md",
          "docs/operations/clickhouse.md",
          "docs/client/coming-from/curator.md",
          "docs/client/coming-from/kazoo.md",
        ],
      },
      { title: "Others", pages: ["docs/client/coming-from/*.md"] },
    ],
  },
  {
    title: "Look up",
    summary: "Every flag, key, command, metric, event and exported name, made from the code.",
    parts: [
      {
        pages: [
          "docs/operations/configuration.md",
          "docs/operations/zookeeper-keys.md",
          "docs/operations/console.md",
          "docs/operations/four-letter-words.md",
          "docs/operations/admin-server.md",
          "docs/operations/metrics.md",
          "docs/operations/events.md",
        ],
      },
      { title: "What the package exports", pages: ["docs/client/api/*/zooid.md"] },
    ],
  },
  {
    title: "Understand",
    summary: "How it works inside: architecture, protocols, formats, and how it is tested.",
    parts: [
      {
        pages: [
          "docs/internals/README.md",
          "docs/internals/architecture.md",
          "docs/internals/walks.md",
          "docs/internals/replication.md",
          "docs/internals/glossary.md",
          "docs/internals/testing.md",
          "docs/internals/simulator.md",
          "docs/simulator.md",
          "docs/internals/*.md",
          "docs/*.md",
        ],
      },
    ],
  },
  {
    title: "Decisions",
    summary: "Why it is as it is, and what each choice costs.",
    parts: [{ pages: ["docs/decisions/README.md", "docs/decisions/*.md"] }],
  },
  {
    title: "Files",
    summary: "Files of the repository that pages speak of.",
    isOptional: true,
    parts: [
      {
        pages: [
          "*",
          "{actors,adapters,bench,cli,client,dashboard,ops,packaging}/**",
          "{protocol,runtime,server,site,test,testing}/**",
        ],
      },
    ],
  },
  {
    title: "Exported names",
    summary: "A page for each member of what the package exports.",
    isOptional: true,
    parts: [{ pages: ["docs/client/api/**"] }],
  },
];
