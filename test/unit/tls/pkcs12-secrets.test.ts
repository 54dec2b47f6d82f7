/** How PKCS12 stores are encrypted: what no start of a node waits for, and what OpenSSL has no more. */
import test from "ava";
import { readDer } from "../../../runtime/connections/tls/der.ts";
import { CipherError, decrypt, iterationsOf } from "../../../server/tls/pkcs12-secrets.ts";

const der = (hex: string) => readDer(Buffer.from(hex, "hex"));

test("more rounds than anybody waits for are refused before they are begun", (t) => {
  t.is(iterationsOf(der("02020800")), 2048);
  t.is(iterationsOf(der("020400989680")), 10_000_000);
  for (const wrong of ["02047fffffff", "0203989680", "020100"]) {
    t.throws(() => iterationsOf(der(wrong)), { instanceOf: CipherError }, wrong);
  }
});

test("a store that uses RC2 names its cipher in the refusal", (t) => {
  const rc2 = der("301c060a2a864886f70d010c0106300e0408010203040506070802020800");
  t.throws(() => decrypt(rc2, Buffer.alloc(8), "secret"), {
    instanceOf: CipherError,
    message: "1.2.840.113549.1.12.1.6",
  });
});
