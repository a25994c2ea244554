import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { GetObjectCommand, PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { SnapshotStore } from '../services/index-snapshot.ts';
import type { OwnerId } from '../domain/values.ts';
import { answerWithin } from './answer-within.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Measured in docs/design/performance.md: a higher level takes longer and saves little. */
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** Whoever asks waits for an index: it is made anew where this one does not come. */
const LOAD_MS = 2_000;
/** 80 MB for 50,000 notes, and nobody waits. */
const SAVE_MS = 60_000;

/** Of memory of its own, which is handed on whole. Damaged bytes are handed on as they are: whoever reads them says so. */
async function unpacked(bytes: Uint8Array): Promise<Uint8Array> {
  return decompress(bytes).then(
    (index) => new Uint8Array(index),
    () => bytes,
  );
}

/** The indexes of owners as objects of a bucket, compressed. Each is replaced as a whole. */
export function snapshotBucket(
  Bucket: string,
  options: { readonly endpoint?: string } = {},
): Pick<SnapshotStore, 'load' | 'save'> {
  // A stand-in has no name of its own for each bucket.
  const common = { maxAttempts: 2, ...(options.endpoint && { ...options, forcePathStyle: true }) };
  const loads = new S3Client({
    ...common,
    requestHandler: { ...answerWithin(LOAD_MS), socketTimeout: LOAD_MS }, // nor may it stop in its middle
  });
  const saves = new S3Client({ ...common, requestHandler: answerWithin(SAVE_MS) });
  const keyOf = (owner: OwnerId): string => `indexes/${encodeURIComponent(owner)}.idx.zst`;
  return {
    async load(owner) {
      try {
        const { Body } = await loads.send(new GetObjectCommand({ Bucket, Key: keyOf(owner) }));
        if (!Body) return undefined;
        return await unpacked(await Body.transformToByteArray());
      } catch (error) {
        // Who may not list a bucket is told 403 of an object that is not there.
        const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
        if (status === 404 || status === 403) return undefined;
        throw error;
      }
    },
    async save(owner, parts) {
      const Body = await compress(Buffer.concat(parts), LEVEL);
      await saves.send(new PutObjectCommand({ Bucket, Key: keyOf(owner), Body }));
    },
  };
}
