/** A value as text, as JSON, as CBOR or as bytes; one that is compressed with gzip is shown as what is in it. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { JSX } from "preact";
import type { Znode } from "../api.ts";
import { cborText } from "../format/cbor.ts";
import { bytes } from "../format/numbers.ts";
import {
  bytesOf,
  HEX_BYTES_MAX,
  hexDump,
  isGzip,
  prettyJson,
  visibleLines,
} from "../format/values.ts";
import { piecesOf } from "../pieces.ts";

type Way = "text" | "json" | "cbor" | "gzip" | "hex";
const NAMES: Readonly<Record<Way, string>> = {
  text: "Text",
  json: "JSON",
  cbor: "CBOR",
  gzip: "Gzip",
  hex: "Hex",
};
const TEXT_MAX = 256 * 1024;
/** A small value may hold a large one. */
const UNPACKED_BYTES_MAX = 1024 * 1024;

export function ValueView({ znode }: { readonly znode: Znode }): JSX.Element {
  const { base64, text } = znode;
  const all = useMemo(() => bytesOf(base64), [base64]);
  const json = useMemo(() => (text === null ? undefined : prettyJson(text)), [text]);
  const cbor = useMemo(() => (text === null ? cborText(all) : undefined), [all, text]);
  const isPacked = isGzip(all);
  const ways: readonly Way[] = [
    ...(json === undefined ? [] : ["json" as const]),
    ...(text === null ? [] : ["text" as const]),
    ...(cbor === undefined ? [] : ["cbor" as const]),
    ...(isPacked ? ["gzip" as const] : []),
    "hex",
  ];
  const [chosen, setChosen] = useState<Way>();
  const way = chosen !== undefined && ways.includes(chosen) ? chosen : (ways[0] ?? "hex");
  if (base64 === null) return <p class="quiet">It has no value: null.</p>;
  if (all.length === 0) return <p class="quiet">Its value is empty.</p>;
  return (
    <>
      <div class="ways" role="group" aria-label="Show the value as">
        {ways.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === way}
            onClick={() => setChosen(each)}
          >
            {NAMES[each]}
          </button>
        ))}
      </div>
      {way === "gzip" && <Unpacked packed={all} />}
      {way === "hex" && <Shown text={hexDump(all)} left={all.length - HEX_BYTES_MAX} />}
      {way === "json" && <Shown text={visibleLines(json ?? "")} left={0} />}
      {way === "cbor" && <Shown text={visibleLines(cbor ?? "")} left={0} />}
      {way === "text" && <Shown text={visibleLines(text ?? "")} left={0} />}
    </>
  );
}

function Shown({ text, left }: { readonly text: string; readonly left: number }): JSX.Element {
  const cut = text.slice(0, TEXT_MAX);
  return (
    <>
      <pre class="value" tabIndex={0} role="group" aria-label="Value">
        {cut}
      </pre>
      {cut.length < text.length && <p class="quiet">This is the beginning of it.</p>}
      {left > 0 && <p class="quiet">{bytes(left)} more are not shown.</p>}
    </>
  );
}

function Unpacked({ packed }: { readonly packed: Uint8Array<ArrayBuffer> }): JSX.Element {
  const [text, setText] = useState("Unpacking …");
  useEffect(() => {
    let isOver = false;
    void unpacked(packed).then(
      (found) => !isOver && setText(found),
      () => !isOver && setText("It begins as gzip does, and is not."),
    );
    return () => {
      isOver = true;
    };
  }, [packed]);
  return <Shown text={text} left={0} />;
}

async function unpacked(packed: Uint8Array<ArrayBuffer>): Promise<string> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of piecesOf(stream)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > UNPACKED_BYTES_MAX) break;
  }
  const text = await new Blob(chunks).text();
  return visibleLines(prettyJson(text) ?? text);
}
