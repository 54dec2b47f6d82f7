/** The admin server of a node, asked over HTTP. */

export type Told = {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
};

export async function askAdmin(url: string, path: string, token?: string): Promise<Told> {
  const headers: Record<string, string> = { connection: "close" };
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  const response = await fetch(`${url}${path}`, { headers });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

export type Fields = Readonly<Record<string, unknown>>;

export async function askCommand(url: string, name: string): Promise<Fields> {
  const { text } = await askAdmin(url, `/commands/${name}`);
  return JSON.parse(text) as Fields;
}

/** The samples of a scrape, by name and labels as they are written. */
export function samplesOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const [, name = line, value] = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      return [name, value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value)] as const;
    }),
  );
}
