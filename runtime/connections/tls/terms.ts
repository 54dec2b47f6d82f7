/** What a TLS port shows its clients and asks of them: plain data, which can be sent to a thread. */

/** `need`: a client without a certificate is turned away. `want`: it may have none. One that is shown must be trusted. */
export type ClientCertificates = "need" | "want" | "none";

export const TLS_VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

export type TlsTerms = {
  /** The port's own certificate and those that lead to its authority, in PEM form. */
  readonly certificates: string;
  /** The key of the first certificate, in PEM form. */
  readonly key: string;
  /** The authorities by which certificates of clients are trusted, in PEM form. */
  readonly authorities: string | undefined;
  /** Lists of certificates that were withdrawn, in PEM form, one of each authority. Undefined: none is looked at. */
  readonly withdrawn: readonly string[] | undefined;
  readonly clientCertificates: ClientCertificates;
  readonly versionMin: TlsVersion;
  readonly versionMax: TlsVersion;
  /** OpenSSL's names, with colons between. Undefined: those that Node has by default. */
  readonly ciphers: string | undefined;
};

/** What is known of a client by its TLS connection. */
export type SecurePeer = {
  /** The name in its certificate, `CN=app,O=example`, which is its identity of the scheme x509. Undefined: it has shown none. */
  readonly subject: string | undefined;
};
