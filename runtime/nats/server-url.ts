/** Which URLs name a NATS server. Apart from what connects to one, so that a client checks its options without a load of TLS. */

/** User and password are percent-encoded. */
export function isNatsServer({ protocol, hostname, username, password }: URL): boolean {
  if (!["nats:", "tls:"].includes(protocol) || hostname === "") return false;
  try {
    decodeURIComponent(username);
    decodeURIComponent(password);
    return true;
  } catch {
    return false;
  }
}
