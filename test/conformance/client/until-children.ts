import type { Client } from "../../../client/connect.ts";
import { until } from "../../support/until.ts";

/** Waits until the znode has so many children. One that is not there has none: it may have been a container. */
export function untilChildren(client: Client, path: string, count: number): Promise<void> {
  const hasThem = async (): Promise<boolean> => {
    const { stat } = await client.exists(path, { consistency: "linearizable" });
    return (stat?.numChildren ?? 0) === count;
  };
  return until(hasThem, `${path} has ${count} children`);
}
