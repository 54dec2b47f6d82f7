/** Makes what a TLS port shows and asks of the settings and the files that they name, or says everything that is wrong. */
import type { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { subjectName } from "../../runtime/connections/tls/distinguished-name.ts";
import { contextOptions } from "../../runtime/connections/tls/entrance.ts";
import { TLS_VERSIONS, type TlsTerms } from "../../runtime/connections/tls/terms.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { readStore } from "./key-store.ts";
import type { StoreContent } from "./pkcs12.ts";
import type { Loading, LoadingProblem } from "./reload.ts";

export type TlsConfig = Pick<
  NodeConfig,
  | "tlsKeyStoreFile"
  | "tlsKeyStorePassword"
  | "tlsKeyStorePasswordFile"
  | "tlsKeyStoreType"
  | "tlsTrustStoreFile"
  | "tlsTrustStorePassword"
  | "tlsTrustStorePasswordFile"
  | "tlsTrustStoreType"
  | "tlsClientAuth"
  | "tlsCrlFile"
  | "tlsProtocols"
  | "tlsCiphers"
>;

type TermsProblem = LoadingProblem<keyof TlsConfig>;

const LIST = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g;

/** The files by whose change the terms change. */
export function tlsFiles(config: TlsConfig): readonly string[] {
  return [
    config.tlsKeyStoreFile,
    config.tlsKeyStorePasswordFile,
    config.tlsTrustStoreFile,
    config.tlsTrustStorePasswordFile,
    config.tlsCrlFile,
  ].filter((file) => file !== undefined);
}

/** The settings of a store have the same names behind this. */
type Which = "tlsKeyStore" | "tlsTrustStore";

export function loadTerms(config: TlsConfig, wallMs: number): Loading<TlsTerms, keyof TlsConfig> {
  const problems: TermsProblem[] = [];
  const own = ownStore(config, problems);
  const trusted = trustedStore(config, problems);
  const withdrawn = withdrawnOf(config, problems);
  const [first] = own?.certificates ?? [];
  if (own?.key === undefined || first === undefined || problems.length > 0) {
    return { kind: "failed", problems };
  }
  const { tlsProtocols, tlsCiphers, tlsClientAuth } = config;
  const inOrder = TLS_VERSIONS.filter((version) => tlsProtocols.includes(version));
  const terms: TlsTerms = {
    certificates: own.certificates.map(String).join(""),
    key: String(own.key.export({ type: "pkcs8", format: "pem" })),
    authorities: trusted?.certificates.map(String).join(""),
    withdrawn,
    clientCertificates: tlsClientAuth,
    versionMin: inOrder[0] ?? "TLSv1.2",
    versionMax: inOrder.at(-1) ?? "TLSv1.3",
    ciphers: tlsCiphers,
  };
  const unusable = contextProblem(terms);
  if (unusable !== undefined) return { kind: "failed", problems: [unusable] };
  const all = [...own.certificates, ...(trusted?.certificates ?? [])];
  return { kind: "loaded", terms, warnings: all.flatMap((each) => outOfDate(each, wallMs)) };
}

function ownStore(config: TlsConfig, problems: TermsProblem[]): StoreContent | undefined {
  const field = "tlsKeyStoreFile";
  const hint = "a PEM file holds the key and then its certificate and those of its issuers";
  if (config.tlsKeyStoreFile === undefined) {
    problems.push({ field, rule: "must be given for TLS", hint });
    return undefined;
  }
  const store = storeOf(config, "tlsKeyStore", problems);
  if (store === undefined) return undefined;
  const { key, certificates } = store;
  if (key === undefined) problems.push({ field, rule: "must hold a private key", hint });
  if (certificates.length === 0) problems.push({ field, rule: "must hold a certificate", hint });
  if (key === undefined || certificates.length === 0) return undefined;
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (own === undefined) {
    const rule = "must hold a key and its certificate, and the key fits none of the certificates";
    problems.push({ field, rule, hint: "put the certificate that was made for this key into it" });
    return undefined;
  }
  const others = certificates.filter((certificate) => certificate !== own);
  return { key, certificates: [own, ...others] };
}

function trustedStore(config: TlsConfig, problems: TermsProblem[]): StoreContent | undefined {
  const field = "tlsTrustStoreFile";
  if (config.tlsTrustStoreFile === undefined) {
    if (config.tlsClientAuth === "none") return undefined;
    const rule = `must be given where clients are asked for certificates (${config.tlsClientAuth})`;
    problems.push({ field, rule, hint: "or let ssl.clientAuth be none" });
    return undefined;
  }
  const store = storeOf(config, "tlsTrustStore", problems);
  if (store === undefined || store.certificates.length > 0) return store;
  problems.push({ field, rule: "must hold a certificate", hint: "put the authorities into it" });
  return undefined;
}

/** OpenSSL asks for a list of every authority between a client and the one that is trusted. */
function withdrawnOf(
  { tlsCrlFile, tlsClientAuth }: TlsConfig,
  problems: TermsProblem[],
): readonly string[] | undefined {
  if (tlsCrlFile === undefined) return undefined;
  const field = "tlsCrlFile";
  const refuse = (rule: string, hint: string): undefined => {
    problems.push({ field, rule, hint });
    return undefined;
  };
  if (tlsClientAuth === "none") {
    const rule = "has no effect where clients are asked for no certificate";
    return refuse(rule, "leave it out, or let ssl.clientAuth be need or want");
  }
  const hint = "put the lists of all authorities of clients into one file, in PEM form";
  try {
    const text = readFileSync(tlsCrlFile, "utf8");
    const lists = text.match(LIST) ?? [];
    if (lists.length === 0) return refuse("must hold a list of withdrawn certificates", hint);
    // One by one: of a text with several lists only the first would be read.
    createSecureContext({ crl: [...lists] });
    return lists;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return refuse(`must be a file with lists of withdrawn certificates (${why})`, hint);
  }
}

function storeOf(
  config: TlsConfig,
  which: Which,
  problems: TermsProblem[],
): StoreContent | undefined {
  const passwordFile = config[`${which}PasswordFile`];
  let password = config[`${which}Password`] ?? "";
  if (passwordFile !== undefined) {
    try {
      password = readFileSync(passwordFile, "utf8").replace(/\r?\n$/, "");
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const rule = `must be a file that can be read (${why})`;
      problems.push({ field: `${which}PasswordFile`, rule, hint: "check the path" });
      return undefined;
    }
  }
  const file = config[`${which}File`] ?? "";
  const reading = readStore({ file, password, type: config[`${which}Type`] });
  if (reading.kind === "read") return reading.value;
  const { about, rule, hint } = reading;
  const passwordField = passwordFile === undefined ? `${which}Password` : `${which}PasswordFile`;
  const fields = { file: `${which}File`, type: `${which}Type`, password: passwordField } as const;
  problems.push({ field: fields[about] as keyof TlsConfig, rule, hint });
  return undefined;
}

/** OpenSSL has rules of its own, as for the length of a key. */
function contextProblem(terms: TlsTerms): TermsProblem | undefined {
  try {
    createSecureContext(contextOptions(terms));
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = "OpenSSL refuses what is too weak: make another key, or name other cipher suites";
    return { field: "tlsKeyStoreFile", rule: `cannot be used for TLS (${why})`, hint };
  }
}

/** A warning for one that has expired, or is not valid yet. */
export function outOfDate(certificate: X509Certificate, wallMs: number): readonly string[] {
  const { validFromDate, validToDate, raw } = certificate;
  const name = subjectName(raw);
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  if (validToDate.getTime() < wallMs) {
    return [`the certificate of ${name} has expired on ${day(validToDate)}: make another one`];
  }
  if (validFromDate.getTime() > wallMs) {
    return [`the certificate of ${name} is valid from ${day(validFromDate)} on only`];
  }
  return [];
}
