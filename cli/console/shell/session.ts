/** The session of a shell: opened when it is needed, again when it has expired, and with more identities when they are added. */
import type { Subscription } from "rxjs";
import type { Client, Identity } from "../../../client/connect.ts";
import { open, shownUrl, type Target } from "../connection.ts";

export class ShellSession {
  #target: Target;
  readonly #note: (text: string) => void;
  readonly #signal: AbortSignal;
  #client: Client | undefined;
  #following: Subscription | undefined;

  constructor(target: Target, note: (text: string) => void, signal: AbortSignal) {
    this.#target = target;
    this.#note = note;
    this.#signal = signal;
  }

  get target(): Target {
    return this.#target;
  }

  /** Rejects as `connect` does; the next call tries again. */
  async client(): Promise<Client> {
    if (this.#client?.signal.aborted === true) {
      await this.close();
      this.#note("the session before has expired: its ephemeral znodes are gone");
    }
    return (this.#client ??= await this.#opened());
  }

  /** Begins another session that has this identity, too. The one before ends, and its ephemeral znodes with it. */
  async addIdentity(identity: Identity): Promise<void> {
    const { identities = [] } = this.#target.options;
    const options = { ...this.#target.options, identities: [...identities, identity] };
    await this.moveTo({ ...this.#target, options });
  }

  async moveTo(target: Target): Promise<void> {
    await this.close();
    this.#target = target;
    await this.client();
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#following?.unsubscribe();
    await client?.close();
  }

  async #opened(): Promise<Client> {
    const client = await open(this.#target, this.#signal);
    let isLost = false;
    this.#following = client.state$.subscribe((state) => {
      if (state.kind === "reconnecting" && !isLost) this.#note(`connection lost: ${state.reason}`);
      if (state.kind === "connected" && isLost)
        this.#note("connected again, with the same session");
      isLost = state.kind === "reconnecting";
    });
    const { state } = client;
    const id = state.kind === "connected" ? `, session 0x${state.session.toString(16)}` : "";
    this.#note(`connected to ${shownUrl(this.#target.url)}${id}`);
    return client;
  }
}
