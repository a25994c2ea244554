import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { addStages } from '../lib/brain2-app.ts';
import { readStages } from '../lib/stage.ts';

const BUILT = join(import.meta.dirname, '../../dist/lambda');
const PLACEHOLDER = join(import.meta.dirname, '../placeholder');

const app = new App();
// To look at templates, what the functions run need not be there; to deploy them it must.
const needsNone = app.node.tryGetContext('bundles') === 'none';
addStages(app, {
  stages: readStages(app.node.tryGetContext('stages')),
  bundles(name) {
    if (needsNone) return PLACEHOLDER;
    const folder = join(BUILT, name);
    if (existsSync(folder)) return folder;
    throw new Error(
      `${folder} is not there: \`npm run build:lambda\` makes it; -c bundles=none does without`,
    );
  },
});
app.synth();
