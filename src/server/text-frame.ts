const TEXT_WHOLE = 0x81;

/** A text frame as a server sends it (RFC 6455, 5.2): whole, neither masked nor compressed. */
export function textFrame(payload: Uint8Array): Buffer {
  const { length } = payload;
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(size + length);
  frame[0] = TEXT_WHOLE;
  frame[1] = size === 2 ? length : size === 4 ? 126 : 127;
  if (size === 4) frame.writeUInt16BE(length, 2);
  if (size === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(payload, size);
  return frame;
}
