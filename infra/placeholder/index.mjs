// Stands for every bundle where templates are made and nothing is deployed.
export const handler = () => {
  throw new Error('Brain2 was deployed without its bundles: npm run build:lambda makes them');
};
