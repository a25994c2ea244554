import { expect, test } from 'vitest';
import { textFrame } from '../../src/server/text-frame.ts';

test.each([
  [0, [0x81, 0]],
  [125, [0x81, 125]],
  [126, [0x81, 126, 0, 126]],
  [65_535, [0x81, 126, 0xff, 0xff]],
  [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
])('a text frame of %i bytes has the header of RFC 6455, and then its payload', (length, header) => {
  const payload = Buffer.alloc(length, 'é');
  expect(textFrame(payload).equals(Buffer.concat([Buffer.from(header), payload]))).toBe(true);
});
