/** How the API says what it answers. */
import { formatSession } from "../../../protocol/ids.ts";
import type { Stat } from "../../../protocol/stat.ts";
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import type { HttpReply } from "../http-server.ts";

export function jsonReply(status: number, body: object): HttpReply {
  return { status, contentType: "application/json", body: `${JSON.stringify(body)}\n` };
}

/** `code`: stable, for programs. */
export function errorReply(status: number, code: string, message: string): HttpReply {
  return jsonReply(status, { error: { code, message } });
}

/** Zxids and sessions are hexadecimal texts: numbers of 64 bits are not for every reader of JSON. */
export function statJson(stat: Stat): object {
  const { czxid, mzxid, pzxid, ephemeralOwner, ...others } = stat;
  return {
    ...others,
    czxid: formatZxid(czxid),
    mzxid: formatZxid(mzxid),
    pzxid: formatZxid(pzxid),
    ephemeralOwner: ephemeralOwner === 0 ? null : formatSession(ephemeralOwner),
  };
}

const ZXID = /^(?:0x[0-9a-f]{1,14}|\d{1,16})$/i;

/** Undefined: the text is no zxid. */
export function zxidIn(text: string): Zxid | undefined {
  const zxid = ZXID.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(zxid) ? (zxid as Zxid) : undefined;
}
