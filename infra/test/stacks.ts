import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { addStages } from '../lib/brain2-app.ts';
import type { Bundles } from '../lib/brain-function.ts';
import type { Brain2Stack } from '../lib/brain2-stack.ts';
import type { Stage } from '../lib/stage.ts';

/** A resource of a template, as far as tests look at it. */
export interface Resource {
  readonly Type: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- a template has no types
  readonly Properties: any;
  readonly DeletionPolicy?: string;
}

export const DEV: Stage = {
  name: 'dev',
  auth: { kind: 'token' },
  isProtected: false,
  logDays: RetentionDays.TWO_WEEKS,
};
export const PROD: Stage = {
  name: 'prod',
  auth: {
    kind: 'jwt',
    issuer: 'https://issuer.example/',
    audience: 'brain2',
    jwksUrl: 'https://issuer.example/jwks.json',
  },
  isProtected: true,
  logDays: RetentionDays.THREE_MONTHS,
  alarmEmail: 'somebody@example.org',
  reservesConcurrency: true,
  socketsPerOwner: 25,
  domain: {
    name: 'brain.example.org',
    certificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000',
  },
};

let apps = 0;
/** The names of the bundles that the stacks of a test took. */
export const bundlesAsked = new Set<string>();

export function newApp(...stages: readonly Stage[]): {
  readonly app: App;
  readonly stacks: readonly Brain2Stack[];
} {
  const outdir = join(import.meta.dirname, '../cdk.out', `test-${process.env['VITEST_POOL_ID']}-${++apps}`);
  const app = new App({ analyticsReporting: false, outdir });
  const bundles: Bundles = (name) => {
    bundlesAsked.add(name);
    return join(import.meta.dirname, '../placeholder');
  };
  const stacks = addStages(app, { stages, bundles });
  return { app, stacks };
}

export class Synthesised {
  readonly #resources: Readonly<Record<string, Resource>>;

  constructor(stack: Brain2Stack) {
    this.#resources = Template.fromStack(stack).toJSON().Resources as Record<string, Resource>;
  }

  get all(): readonly (readonly [id: string, resource: Resource])[] {
    return Object.entries(this.#resources);
  }

  of(type: string): readonly (readonly [id: string, resource: Resource])[] {
    return this.all.filter(([, { Type }]) => Type === type);
  }

  /** The only one of its type. */
  one(type: string): Resource {
    const [first, ...more] = this.of(type);
    if (!first || more.length > 0) throw new Error(`there are ${this.of(type).length} of ${type}`);
    return first[1];
  }
}
