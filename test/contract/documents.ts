import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeApi, type ApiDescription } from '../../src/http/openapi/document.ts';
import type { Example } from '../../src/http/openapi/example.ts';
import type { JsonObject } from '../../src/http/openapi/json.ts';
import type { DescribedRoute } from '../../src/http/openapi/operation.ts';
import { V1 } from '../../src/http/v1/description.ts';
import { V2 } from '../../src/http/v2/description.ts';
import { openBrain } from '../../src/server/brain.ts';
import { DEFAULTS } from '../../src/server/settings.ts';
import { examplesOfV1 } from './examples-v1.ts';
import { examplesOfV2 } from './examples-v2.ts';
import { recorder, type Recording } from './recorder.ts';

interface Contract {
  readonly api: ApiDescription;
  readonly run: (record: Recording) => Promise<void>;
}

export const CONTRACTS: readonly Contract[] = [
  { api: V1, run: examplesOfV1 },
  { api: V2, run: examplesOfV2 },
];

export interface Described {
  readonly document: JsonObject;
  readonly examples: readonly Example[];
  /** Every route of the application that was described. */
  readonly routes: readonly DescribedRoute[];
}

/** The document of a version, with examples that an application on a new folder has just answered. */
export async function describe({ api, run }: Contract): Promise<Described> {
  const dataDir = mkdtempSync(join(tmpdir(), 'brain2-contract-'));
  // No two readings alike: which times are equal is of what happened, and not of how fast it was.
  let lastMs = 0;
  const nowMs = (): number => (lastMs = Math.max(lastMs + 1, Date.now()));
  const brain = await openBrain({ ...DEFAULTS, dataDir, logLevel: 'silent' }, { nowMs });
  try {
    const { record, examples } = recorder(brain, api.version);
    await run(record);
    return {
      document: describeApi(api, brain.app.routeTable, examples()),
      examples: examples(),
      routes: [...brain.app.routeTable],
    };
  } finally {
    await brain.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** A document as it is committed. */
export const textOf = (document: JsonObject): string => `${JSON.stringify(document, null, 2)}\n`;

/** What of it clients rely on. */
export const releasedTextOf = (document: JsonObject): string =>
  `${JSON.stringify(document, (key, value: unknown) => (key === 'examples' ? undefined : value), 2)}\n`;
