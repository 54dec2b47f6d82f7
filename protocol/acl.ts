/** Access control lists, which are stored with each znode. The entry `world:anyone` with all permissions is called open. */
export type Acl = {
  /** The sum of READ 1, WRITE 2, CREATE 4, DELETE 8 and ADMIN 16; all of them are 31. */
  readonly permissions: number;
  /** How the identity was proved: `world`, `auth`, `digest`, `ip`, `x509`, `sasl` and so on, as in ZooKeeper. */
  readonly scheme: string;
  /** Who, in the scheme's own form: `anyone` for `world`, `user:hash` for `digest`, an address or a range for `ip`. */
  readonly id: string;
};

export const PERMISSIONS_ALL = 31;

/** Whether the entry grants everything to everyone. */
export function isOpenEntry({ permissions, scheme, id }: Acl): boolean {
  return permissions === PERMISSIONS_ALL && scheme === "world" && id === "anyone";
}

export const OPEN_ACL: readonly Acl[] = [
  { permissions: PERMISSIONS_ALL, scheme: "world", id: "anyone" },
];
