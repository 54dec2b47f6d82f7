/** Authorities, keys and certificates for tests, made by the program `openssl` in a folder of the test. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Certificate = {
  readonly name: string;
  /** Paths. */
  readonly key: string;
  readonly certificate: string;
  /** Key and certificate in one file, as a key store of type PEM is. */
  readonly store: string;
};

export type Authority = Certificate & {
  /** `subject` as openssl writes it: `/O=example/CN=app`. */
  readonly issue: (name: string, subject: string, options?: IssueOptions) => Certificate;
};

export type IssueOptions = {
  /** Names and addresses for which a server's certificate is good. Default this machine's. */
  readonly names?: string;
  /** It has expired a day ago. */
  readonly expired?: boolean;
  /** Further options of `openssl req`. */
  readonly request?: readonly string[];
};

const NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1";
const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;

export class CertificateFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), "zooid-certificates-"));

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  file(name: string): string {
    return join(this.path, name);
  }

  openssl(...args: readonly string[]): void {
    execFileSync("openssl", args, { cwd: this.path, stdio: ["ignore", "ignore", "pipe"] });
  }

  write(name: string, text: string): string {
    writeFileSync(this.file(name), text);
    return this.file(name);
  }

  /** At once: whoever looks meanwhile sees the file from before, and never half of one. */
  replace(name: string, content: Uint8Array | string): void {
    const next = this.file(`${name}.new`);
    writeFileSync(next, content);
    renameSync(next, this.file(name));
  }

  authority(name: string): Authority {
    const own = this.#paths(name);
    const extension = ["-addext", "basicConstraints=critical,CA:TRUE"];
    const files = ["-keyout", own.key, "-out", own.certificate];
    this.openssl(
      "req",
      "-x509",
      ...CURVE,
      "-subj",
      `/CN=${name}`,
      "-days",
      "30",
      ...files,
      ...extension,
    );
    return {
      ...this.#stored(own),
      issue: (issued, subject, options) => this.#issue(own, issued, subject, options),
    };
  }

  /** The authority's list of certificates that it has withdrawn, in PEM form. */
  withdrawn(authority: Certificate, certificates: readonly Certificate[], days = 30): string {
    const { name } = authority;
    const database = this.write(`${name}.index`, "");
    const settings = [
      "[ca]",
      "default_ca=own",
      "[own]",
      `database=${database}`,
      "default_md=sha256",
    ];
    const config = this.write(`${name}.ca`, settings.join("\n"));
    const by = ["-cert", authority.certificate, "-keyfile", authority.key];
    const run = (...args: string[]): void => this.openssl("ca", "-config", config, ...by, ...args);
    for (const { certificate } of certificates) run("-revoke", certificate);
    const list = this.file(`${name}.crl`);
    run("-gencrl", "-crldays", `${days}`, "-out", list);
    return list;
  }

  /** The store in the form of PKCS12. */
  pkcs12({ name, key, certificate }: Certificate, password: string, ...more: string[]): string {
    const out = this.file(`${name}.p12`);
    const pass = ["-passout", `pass:${password}`];
    this.openssl(
      "pkcs12",
      "-export",
      "-inkey",
      key,
      "-in",
      certificate,
      "-out",
      out,
      ...pass,
      ...more,
    );
    return out;
  }

  #issue(
    authority: Certificate,
    name: string,
    subject: string,
    { names = NAMES, expired = false, request = [] }: IssueOptions = {},
  ): Certificate {
    const own = this.#paths(name);
    const requested = this.file(`${name}.csr`);
    const ask = ["-subj", subject, "-keyout", own.key, "-out", requested];
    this.openssl("req", ...CURVE, ...ask, ...request);
    const extensions = this.write(`${name}.ext`, `subjectAltName=${names}\n`);
    // openssl takes a negative number of days for a certificate that has expired.
    const days = expired ? "-1" : "30";
    const by = ["-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial"];
    const signed = ["-in", requested, "-out", own.certificate, "-extfile", extensions];
    this.openssl("x509", "-req", ...by, "-days", days, ...signed);
    return this.#stored(own);
  }

  #paths(name: string): Certificate {
    return {
      name,
      key: this.file(`${name}.key`),
      certificate: this.file(`${name}.crt`),
      store: this.file(`${name}.pem`),
    };
  }

  #stored(paths: Certificate): Certificate {
    const { key, certificate, store } = paths;
    writeFileSync(store, readFileSync(key, "utf8") + readFileSync(certificate, "utf8"));
    return paths;
  }
}
