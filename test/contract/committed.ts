import { readFileSync } from 'node:fs';
import type { OpenApi } from '../../src/http/openapi/open-api.ts';

export const pathOf = (version: number): URL =>
  new URL(`../../docs/openapi-v${version}.json`, import.meta.url);

/** The document that clients were told to rely on, kept as it was: `npm run docs:openapi -- --release` replaces it. */
export const releasedPathOf = (version: number): URL =>
  new URL(`released/openapi-v${version}.json`, import.meta.url);

/** The document of a version, as it is committed. */
export const documentOf = (version: number): OpenApi =>
  JSON.parse(readFileSync(pathOf(version), 'utf8')) as OpenApi;
