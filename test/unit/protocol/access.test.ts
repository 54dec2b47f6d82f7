/** Who is granted what, which lists are valid, and in which order identities are listed. */
import test from "ava";
import {
  DEFAULT_SCHEMES,
  givenAcl,
  grants,
  isPublic,
  masked,
  Permission,
} from "../../../protocol/access.ts";
import { type Acl, OPEN_ACL } from "../../../protocol/acl.ts";
import {
  ANYONE,
  type Identity,
  listed,
  SUPER,
  UNCHECKED,
  type Who,
  withIdentity,
} from "../../../protocol/identities.ts";

const ANN: Identity = { scheme: "digest", id: "ann:hash" };
const BOB: Identity = { scheme: "digest", id: "bob:hash" };

function who(...identities: readonly Identity[]): Who {
  return { identities, address: "10.1.2.3" };
}

function entry(permissions: number, { scheme, id }: Identity): Acl {
  return { permissions, scheme, id };
}

test("an entry grants its permissions to its identity and to nobody else", (t) => {
  const list = [entry(Permission.read | Permission.write, ANN), entry(Permission.admin, BOB)];
  t.true(grants(list, Permission.read, who(ANN)));
  t.true(grants(list, Permission.read, who(BOB, ANN)));
  t.false(grants(list, Permission.read, who(BOB)));
  t.false(grants(list, Permission.create, who(ANN)));
  t.true(grants(list, Permission.read | Permission.admin, who(BOB)));
  t.false(grants(list, Permission.read, who()));
  t.false(grants(list, Permission.read, who({ scheme: "x509", id: "ann:hash" })));
  for (const permissions of Object.values(Permission)) {
    t.true(grants(list, permissions, who(SUPER)));
    t.true(grants([], permissions, UNCHECKED));
    t.false(grants([], permissions, who(ANN)));
  }
});

test("an address is granted what its prefix is, and who has none is not", (t) => {
  const may = (id: string, address: string | undefined): boolean =>
    grants([entry(1, { scheme: "ip", id })], 1, { identities: [], address });
  for (const id of ["10.1.2.3", "10.1.2.3/32", "10.1.2.0/24", "10.255.0.0/8", "1.1.1.1/0"]) {
    t.true(may(id, "10.1.2.3"), id);
    t.false(may(id, undefined), id);
  }
  for (const id of ["10.1.2.4", "10.1.2.4/31", "11.0.0.0/8", "128.0.0.0/1"]) {
    t.false(may(id, "10.1.2.3"), id);
  }
  t.true(may("255.255.255.255", "255.255.255.255"));
  t.true(may("255.0.0.0/1", "128.0.0.1"));
  t.false(may("0.0.0.0/0", "0:0:0:0:0:0:0:1"), "an address of IPv6 is in no list");
});

test("a list is public if everybody may read", (t) => {
  t.true(isPublic(OPEN_ACL));
  t.true(isPublic([entry(31, ANN), entry(1, { scheme: "world", id: "anyone" })]));
  t.false(isPublic([entry(30, { scheme: "world", id: "anyone" })]));
  t.false(isPublic([entry(31, { scheme: "ip", id: "0.0.0.0/0" })]));
});

test("hashes are masked, and nothing else", (t) => {
  const ip = entry(1, { scheme: "ip", id: "1.2.3.4" });
  t.deepEqual(masked([entry(31, ANN), ip]), [{ ...entry(31, ANN), id: "ann:x" }, ip]);
  t.is(masked(OPEN_ACL), OPEN_ACL);
});

test("auth stands for what was proved, and for nothing is not valid", (t) => {
  const auth = entry(3, { scheme: "auth", id: "" });
  t.deepEqual(givenAcl([auth], who(SUPER, ANN), DEFAULT_SCHEMES), [entry(3, ANN)]);
  t.is(givenAcl([auth], who(), DEFAULT_SCHEMES), undefined);
  t.is(givenAcl([auth], who(SUPER), DEFAULT_SCHEMES), undefined);
  t.is(givenAcl([auth, ...OPEN_ACL], ANYONE, DEFAULT_SCHEMES), undefined);
  t.is(givenAcl([auth], who(ANN), new Set(["world", "ip"])), undefined, "a scheme that is off");
  t.is(givenAcl([], who(ANN), DEFAULT_SCHEMES), undefined);
});

test("what is in a list twice is in it once, unless auth brings it", (t) => {
  const [open] = OPEN_ACL;
  if (open === undefined) return t.fail();
  const twice = [open, entry(31, ANN), open, entry(31, ANN)];
  t.deepEqual(givenAcl(twice, ANYONE, DEFAULT_SCHEMES), [open, entry(31, ANN)]);
  const both = [entry(31, ANN), entry(31, { scheme: "auth", id: "" })];
  t.deepEqual(givenAcl(both, who(ANN), DEFAULT_SCHEMES), [entry(31, ANN), entry(31, ANN)]);
});

test("an identity is had once, and what nobody proved is not listed", (t) => {
  const one = withIdentity([], ANN);
  t.is(withIdentity(one, { ...ANN }), one);
  t.deepEqual(withIdentity(one, BOB), [ANN, BOB]);
  t.deepEqual(listed(UNCHECKED), []);
  const schemes = listed(who(SUPER, ANN)).map(({ scheme }) => scheme);
  t.deepEqual(schemes.toSorted(), ["digest", "ip", "super"]);
});
