/** How many there are, in words. */

/** A number with its thousands apart. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

export function counted(count: number, what: string, plural: string = `${what}s`): string {
  return `${grouped(count)} ${count === 1 ? what : plural}`;
}
