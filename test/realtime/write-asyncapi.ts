// Writes docs/asyncapi.json from the schemas: npm run docs:asyncapi
import { writeFileSync } from 'node:fs';
import { asyncApiDocument } from '../../src/api/asyncapi.ts';
import { VERSION } from '../../src/server/version.ts';

const path = new URL('../../docs/asyncapi.json', import.meta.url);
writeFileSync(path, `${JSON.stringify(asyncApiDocument(VERSION), undefined, 2)}\n`);
