/**
 * How large a native client's request is: in a frame, and in the memory of its gateway. The client counts as the gateway does, so that it
 * stays within the limits.
 */
import { type Acl, OPEN_ACL } from "./acl.ts";
import { ACL_ENTRY_BYTES, REQUEST_OVERHEAD_BYTES } from "./limits.ts";
import type { NativeMember, NativeRead, NativeRequest, NativeWrite } from "./native-packing.ts";

/** What a request, or an operation of a multi, takes in a frame beside its texts and data; and what each entry of a list does. */
const FRAME_OVERHEAD_BYTES = 40;
const FRAME_ENTRY_BYTES = 20;
const FRAME_STAT_BYTES = 100;
/** A UTF-16 unit takes at most as many bytes of UTF-8. */
const UNIT_BYTES = 3;

type Single = NativeMember | Exclude<NativeWrite, { readonly kind: "multi" }>;

/** Returns about how many bytes the request takes in a frame, and hardly ever less than it does. */
export function frameBytes(request: NativeRequest): number {
  if (request.kind === "whoAmI") return FRAME_OVERHEAD_BYTES;
  if (request.kind === "read") {
    return FRAME_OVERHEAD_BYTES + UNIT_BYTES * readUnits(request.read);
  }
  const { operation } = request;
  if (operation.kind !== "multi") return writeFrameBytes(operation);
  let bytes = FRAME_OVERHEAD_BYTES;
  for (const each of operation.operations) bytes += writeFrameBytes(each);
  return bytes;
}

/** Returns about how many bytes a waiting request takes in memory. */
export function requestBytes(request: NativeRequest): number {
  if (request.kind === "whoAmI") return REQUEST_OVERHEAD_BYTES;
  if (request.kind === "read") return REQUEST_OVERHEAD_BYTES + readUnits(request.read);
  const { operation } = request;
  if (operation.kind !== "multi") return writeBytes(operation);
  let bytes = REQUEST_OVERHEAD_BYTES;
  for (const each of operation.operations) bytes += writeBytes(each);
  return bytes;
}

function readUnits(read: NativeRead): number {
  let units = read.path.length;
  for (const { length } of namesOf(read)) units += length + 1;
  return units;
}

function namesOf(read: NativeRead): readonly string[] {
  if (read.kind === "childStats") return read.names;
  return read.kind === "childrenPage" ? (read.after?.names ?? []) : [];
}

function writeFrameBytes(operation: Single): number {
  const stat = operation.kind === "checkStat" ? FRAME_STAT_BYTES : 0;
  const units = UNIT_BYTES * pathUnits(operation);
  const { entries, units: listed } = listOf(operation);
  const list = entries * FRAME_ENTRY_BYTES + UNIT_BYTES * listed;
  return FRAME_OVERHEAD_BYTES + stat + units + dataBytes(operation) + list;
}

function writeBytes(operation: Single): number {
  const { entries, units } = listOf(operation);
  const bytes = pathUnits(operation) + dataBytes(operation);
  return REQUEST_OVERHEAD_BYTES + bytes + entries * ACL_ENTRY_BYTES + units;
}

function pathUnits(operation: Single): number {
  return "path" in operation ? operation.path.length : 0;
}

function dataBytes(operation: Single): number {
  return "data" in operation ? (operation.data?.length ?? 0) : 0;
}

const NO_LIST = { entries: 0, units: 0 };

/** The entries of the access control list, and how long their texts are. */
function listOf(operation: Single): { readonly entries: number; readonly units: number } {
  const acl: readonly Acl[] = "acl" in operation ? operation.acl : OPEN_ACL;
  if (acl === OPEN_ACL) return NO_LIST;
  let units = 0;
  for (const { scheme, id } of acl) units += scheme.length + id.length;
  return { entries: acl.length, units };
}
