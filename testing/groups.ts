/** Who reaches whom: the groups of a partition, and those who are cut off from everybody. */
export class Groups {
  /** The group of a node or of a client. Who is not here reaches everybody. */
  #groupOf = new Map<string, number>();
  readonly #isolated = new Set<string>();

  /** `nodes`: all of them. Those in no group are one more. */
  divide(groups: readonly (readonly string[])[], nodes: readonly string[]): void {
    this.#groupOf = new Map(nodes.map((node) => [node, groups.length]));
    for (const [number, group] of groups.entries()) {
      for (const name of group) this.#groupOf.set(name, number);
    }
  }

  heal(): void {
    this.#groupOf.clear();
  }

  isolate(name: string): void {
    this.#isolated.add(name);
  }

  rejoin(name: string): void {
    this.#isolated.delete(name);
  }

  reaches(from: string, to: string): boolean {
    if (from === to) return true;
    if (this.#isolated.has(from) || this.#isolated.has(to)) return false;
    const [one, other] = [this.#groupOf.get(from), this.#groupOf.get(to)];
    return one === undefined || other === undefined || one === other;
  }
}
