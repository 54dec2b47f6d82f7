/** How long requests took by where they went: a row for each beginning of paths, with a strip of colours and the same in numbers. */
import type { JSX } from "preact";
import { grouped, milliseconds } from "../format/numbers.ts";
import { type Prefix, type PrefixRow, prefixRows } from "../format/prefixes.ts";
import { PathLink } from "./path-link.tsx";

const ROWS_MAX = 20;

type Props = { readonly prefixes: readonly Prefix[]; readonly upToMs: readonly number[] };

export function PrefixTable({ prefixes, upToMs }: Props): JSX.Element | null {
  const rows = prefixRows(prefixes, upToMs, ROWS_MAX);
  if (rows.length === 0) return null;
  const buckets = rows.flatMap(({ fields }) => fields.map(({ bucket }) => bucket));
  const top = Math.max(...buckets) + 1;
  return (
    <section aria-labelledby="by-path">
      <h2 id="by-path">By path</h2>
      <p class="quiet">
        By the first two names of paths, while they are asked for often; what is seldom is counted
        with what is above it. Where there are many requests, some are counted for all.
      </p>
      <div class="scroll" tabIndex={0} role="group" aria-label="By path">
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">Path</th>
              <th scope="col">Requests</th>
              <th scope="col">Half of them within</th>
              <th scope="col">99 of 100 within</th>
              <th scope="col">All within</th>
              <td>From quick to slow</td>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.prefix} {...{ row, upToMs, top }} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const FIELD = { width: 10, height: 12 };

type RowProps = {
  readonly row: PrefixRow;
  readonly upToMs: readonly number[];
  /** One more than the last bucket that some row has. */
  readonly top: number;
};

/** The numbers say the same to who does not see the strip. */
function Row({ row, upToMs, top }: RowProps): JSX.Element {
  const { prefix, count, p50Ms, p99Ms, mostMs, fields } = row;
  return (
    <tr>
      <th scope="row">{prefix === "" ? "all others" : <PathLink path={prefix} />}</th>
      <td>{grouped(count)}</td>
      <td>{milliseconds(p50Ms)}</td>
      <td>{milliseconds(p99Ms)}</td>
      <td>{milliseconds(mostMs)}</td>
      <td aria-hidden="true">
        <svg
          class="strip"
          width={top * FIELD.width}
          height={FIELD.height}
          viewBox={`0 0 ${top * FIELD.width} ${FIELD.height}`}
        >
          {fields.map(({ bucket, count: of, level }) => (
            <rect
              key={bucket}
              class={`level-${level}`}
              x={bucket * FIELD.width}
              width={FIELD.width - 1}
              height={FIELD.height}
            >
              <title>
                {grouped(of)} up to {milliseconds(upToMs[bucket])}
              </title>
            </rect>
          ))}
        </svg>
      </td>
    </tr>
  );
}
