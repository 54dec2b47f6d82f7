/** What can be wrong between zooid and a NATS server. It is known without the library of NATS, which only those load who connect. */
export type NatsErrorCode =
  | "ZOOID_NATS_OPTIONS"
  | "ZOOID_NATS_UNREACHABLE"
  | "ZOOID_NATS_CREDENTIALS"
  | "ZOOID_NATS_TLS"
  | "ZOOID_NATS_PERMISSION"
  | "ZOOID_NATS_FAILED";

export class NatsError extends Error {
  override readonly name = "NatsError";
  readonly code: NatsErrorCode;

  constructor(code: NatsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
