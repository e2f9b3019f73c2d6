import { BadInput, quoted } from '../fault.js';

/** The opaque, stable id of a node: its type and its row's number. */
export function nodeId(type: string, row: number | bigint): string {
  return Buffer.from(`${type}:${row}`).toString('base64url');
}

/** @throws BadInput when the text can't be an id of that type; a row of that number need not exist */
export function rowOfNodeId(type: string, id: string, field: string): bigint {
  return readNodeId([type], id, field).row;
}

/** @throws BadInput when the text can't be an id of one of these types */
export function readNodeId(
  types: readonly string[],
  id: string,
  field: string,
): { type: string; row: bigint } {
  const [, type = '', digits = ''] =
    /^(\w+):([1-9]\d{0,17})$/.exec(Buffer.from(id, 'base64url').toString()) ?? [];
  // At most 18 digits: more than any row has, and no more than a bigint of PostgreSQL's.
  if (!types.includes(type) || nodeId(type, BigInt(digits)) !== id) {
    throw new BadInput(field, quoted(id), `the id of a ${types.join(' or a ')}, as it was answered`);
  }
  return { type, row: BigInt(digits) };
}
