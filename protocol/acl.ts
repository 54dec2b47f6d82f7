/** Access control lists, which are stored with each znode. The entry `world:anyone` with all permissions is called open. */
export type Acl = {
  /** The sum of READ 1, WRITE 2, CREATE 4, DELETE 8 and ADMIN 16; all of them are 31. */
  readonly permissions: number;
  readonly scheme: string;
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
