import { Tags, Validations, type App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Brain2Stack } from './brain2-stack.ts';
import type { Bundles } from './brain-function.ts';
import type { Stage } from './stage.ts';

interface AppOptions {
  readonly stages: readonly Stage[];
  readonly bundles: Bundles;
}

/** Puts a stack for each stage into the application. Synthesis fails for a finding of cdk-nag that nobody answered. */
export function addStages(app: App, { stages, bundles }: AppOptions): readonly Brain2Stack[] {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return stages.map((stage) => {
    const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
    const stack = new Brain2Stack(app, `Brain2-${stage.name}`, {
      stage,
      bundles,
      description: `Brain2, ${stage.name}`,
      ...(account !== undefined && region !== undefined && { env: { account, region } }),
    });
    Tags.of(stack).add('brain2:stage', stage.name);
    return stack;
  });
}
