/**
 * Checks promises: a voter promises an epoch to one candidate only, and the promise is durable before that candidate receives it.
 */
import type { Identity } from "../../../protocol/identity.ts";
import type { LogSyncState, Membership } from "../../../actors/log-sync/state.ts";
import type { LogSyncMessage } from "../../../actors/log-sync/messages.ts";
import { must } from "./violation.ts";

/** A voter is its folder: another one may have its number after it. */
export class Promises {
  /** The highest epoch that each voter ever had on its disk. */
  readonly #durable = new Map<Identity, number>();
  /** Candidate by voter and epoch. A voter whose disk was damaged must not promise an epoch again either. */
  readonly #given = new Map<string, Identity>();

  /** After every step of log-sync. */
  saw({ membership, promises: { durable: promise } }: LogSyncState, message: LogSyncMessage): void {
    const { identity } = membership;
    if (promise.epoch > (this.#durable.get(identity) ?? 0)) {
      this.#durable.set(identity, promise.epoch);
    }
    if (message.kind !== "received") return;
    const { sender, message: heard } = message;
    if (heard.kind === "promiseReply" && heard.granted && heard.folder === identity) {
      this.#heard(membership, sender.identity, heard.epoch);
    }
  }

  #heard({ identity: by, settled }: Membership, from: Identity, epoch: number): void {
    const durable = this.#durable.get(from) ?? 0;
    must(durable >= epoch, "I6 memory is the disk", () => {
      return `folder ${from} promised epoch ${epoch} to folder ${by}, and has ${durable} on its disk`;
    });
    const key = `${from} ${epoch}`;
    const other = this.#given.get(key) ?? by;
    // A promise names the candidate by its number. A folder that was replaced may get one too, and can lead nothing with it: for its
    // election it needs a folder that holds the record which replaced it, and so has the longer log.
    const isReplaced = settled?.voters.every(({ identity }) => identity !== other) ?? false;
    must(other === by || isReplaced, "I1 one leader an epoch", () => {
      return `folder ${from} promised epoch ${epoch} to folder ${other} and to folder ${by}`;
    });
    this.#given.set(key, by);
  }
}
