/**
 * A server that does nothing: it answers every request of ZooKeeper's protocol at once, with the same body, and stores nothing. What a
 * load generator reaches against it is the limit of the generator itself. `ceiling.ts` starts it and receives its port.
 */
import { Buffer } from "node:buffer";
import { type AddressInfo, createServer, type Socket } from "node:net";

const SESSION_TIMEOUT_MS = 30_000;
const STAT_BYTES = 68;
const PASSWORD_BYTES = 16;
const REPLIES_PER_WRITE_MAX = 512;

const valueBytes = Number(process.argv[2] ?? 128);
const reply = Buffer.alloc(4 + 16 + 4 + valueBytes + STAT_BYTES);
reply.writeInt32BE(reply.length - 4, 0);
reply.writeInt32BE(valueBytes, 20);

function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0);
  let connected = false;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let offset = 0;
    let replies = Buffer.allocUnsafe(REPLIES_PER_WRITE_MAX * reply.length);
    let length = 0;
    while (bytes.length - offset >= 4) {
      const end = offset + 4 + bytes.readInt32BE(offset);
      if (end > bytes.length) break;
      if (connected) {
        reply.copy(replies, length);
        bytes.copy(replies, length + 4, offset + 4, offset + 8); // The reply has the xid of its request.
        length += reply.length;
      } else {
        connected = true;
        socket.write(connectReply());
      }
      if (length === replies.length) {
        socket.write(replies);
        replies = Buffer.allocUnsafe(REPLIES_PER_WRITE_MAX * reply.length);
        length = 0;
      }
      offset = end;
    }
    if (length > 0) socket.write(replies.subarray(0, length));
    rest = bytes.subarray(offset);
  });
}

function connectReply(): Buffer {
  const frame = Buffer.alloc(4 + 37);
  frame.writeInt32BE(37, 0);
  frame.writeInt32BE(SESSION_TIMEOUT_MS, 8);
  frame.writeBigInt64BE(1n, 12);
  frame.writeInt32BE(PASSWORD_BYTES, 20);
  return frame;
}

const server = createServer(serve).listen(0, "127.0.0.1", () => {
  process.send?.((server.address() as AddressInfo).port);
});

process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit(0));
