/** Makes frames between nodes with any body, as a stranger can who has received one frame. */
import { PEER_FRAME_HEAD_BYTES } from "../../protocol/peer-frame.ts";

/** The frame with another body. */
export function withBody(frame: Uint8Array, body: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([frame.subarray(0, PEER_FRAME_HEAD_BYTES), body]));
}
