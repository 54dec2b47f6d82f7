/** Access control entries. Stored with each znode; `world:anyone` with all permissions is open. */
export type Acl = {
  /** READ 1, WRITE 2, CREATE 4, DELETE 8, ADMIN 16, ALL 31. */
  readonly permissions: number;
  readonly scheme: string;
  readonly id: string;
};

export const PERMISSIONS_ALL = 31;

/** Whether it grants everything to everyone. */
export function isOpenEntry({ permissions, scheme, id }: Acl): boolean {
  return permissions === PERMISSIONS_ALL && scheme === "world" && id === "anyone";
}

export const OPEN_ACL: readonly Acl[] = [
  { permissions: PERMISSIONS_ALL, scheme: "world", id: "anyone" },
];
