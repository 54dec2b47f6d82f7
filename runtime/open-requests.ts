/** Requests of peers that no actor has answered yet, by number. */

/** Beyond this number of requests the oldest is forgotten: its sender hears nothing, as if the answer had been lost. */
const REQUESTS_OPEN_MAX = 1024;

type Answer = (bytes: Uint8Array) => void;

export class OpenRequests {
  readonly #answers = new Map<number, Answer>();
  #next = 1;

  add(answer: Answer): number {
    const request = this.#next;
    this.#next += 1;
    this.#answers.set(request, answer);
    if (this.#answers.size > REQUESTS_OPEN_MAX) {
      for (const oldest of this.#answers.keys()) {
        this.#answers.delete(oldest);
        break;
      }
    }
    return request;
  }

  /** The way to answer it; undefined when it is answered already, or forgotten. */
  take(request: number): Answer | undefined {
    const answer = this.#answers.get(request);
    this.#answers.delete(request);
    return answer;
  }
}
