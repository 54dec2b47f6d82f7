/** What voters promise: an epoch is promised to one candidate, and durable before that candidate hears of it. */
import type { LogSyncMessage } from "../../../actors/log-sync/messages.ts";
import { must } from "./violation.ts";

export class Promises {
  /** The highest epoch that each voter ever had on its disk. */
  readonly #durable = new Map<number, number>();
  /** Candidate by voter and epoch. A voter whose disk was damaged must not promise an epoch again either. */
  readonly #given = new Map<string, number>();

  /** After every step of log-sync. `epoch`: of its durable promise. */
  saw(node: number, message: LogSyncMessage, epoch: number): void {
    if (epoch > (this.#durable.get(node) ?? 0)) this.#durable.set(node, epoch);
    if (message.kind !== "received") return;
    const { from, message: heard } = message;
    if (heard.kind === "promiseReply" && heard.granted) this.#heard(node, from, heard.epoch);
  }

  #heard(by: number, from: number, epoch: number): void {
    const durable = this.#durable.get(from) ?? 0;
    must(durable >= epoch, "I6 memory is the disk", () => {
      return `node ${from} promised epoch ${epoch} to node ${by}, and has ${durable} on its disk`;
    });
    const key = `${from} ${epoch}`;
    const other = this.#given.get(key) ?? by;
    must(other === by, "I1 one leader an epoch", () => {
      return `node ${from} promised epoch ${epoch} to node ${other} and to node ${by}`;
    });
    this.#given.set(key, by);
  }
}
