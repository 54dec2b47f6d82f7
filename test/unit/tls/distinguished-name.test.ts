/** The name in a certificate, as Java prints it. What Java prints was taken from `X500Principal.getName()` of OpenJDK 17. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import test from "ava";
import { subjectName } from "../../../runtime/connections/tls/distinguished-name.ts";
import { CertificateFolder } from "../../support/certificates.ts";

const folder = new CertificateFolder();
const authority = folder.authority("names");
test.after.always(() => folder.remove());

let count = 0;
function nameOf(subject: string, ...request: string[]): string {
  count += 1;
  const { certificate } = authority.issue(`name-${count}`, subject, { request });
  return subjectName(new X509Certificate(readFileSync(certificate)).raw);
}

test("the last part comes first, with the short names of RFC 2253", (t) => {
  t.is(
    nameOf("/C=DE/ST=Berlin/L=Mitte/O=Example/OU=Apps/CN=app-1"),
    "CN=app-1,OU=Apps,O=Example,L=Mitte,ST=Berlin,C=DE",
  );
  t.is(nameOf("/DC=org/DC=example/UID=jdoe/CN=x"), "CN=x,UID=jdoe,DC=example,DC=org");
});

test("parts without a short name are written by their number and their bytes", (t) => {
  t.is(nameOf("/emailAddress=a@b.c/CN=x"), "CN=x,1.2.840.113549.1.9.1=#1605614062" + "2e63");
});

test("characters that mean something in a name are escaped, and spaces at its ends", (t) => {
  t.is(
    nameOf('/O=Example, "Inc" <a\\+b>; c#d/CN=x'),
    'CN=x,O=Example\\, \\"Inc\\" \\<a\\+b\\>\\; c\\#d',
  );
  t.is(nameOf("/CN= a b  "), "CN=\\ a b\\ \\ ");
  t.is(nameOf("/CN=a\\\\b"), "CN=a\\\\b");
});

test("a part of several pairs keeps their order, and letters beyond ASCII are as they are", (t) => {
  t.is(nameOf("/OU=eins/CN=zwei+UID=3", "-multivalue-rdn"), "CN=zwei+UID=3,OU=eins");
  t.is(nameOf("/CN=Zoë Ñandú", "-utf8"), "CN=Zoë Ñandú");
});
