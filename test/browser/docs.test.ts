import chromium from '@sparticuz/chromium';
import { chromium as driver, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { serveBrain } from '../http/server.ts';

let browser: Browser | undefined;
beforeAll(async () => {
  if (process.platform !== 'linux') return;
  const executablePath = await chromium.executablePath();
  browser = await driver.launch({ executablePath, args: ['--no-sandbox'] });
});
afterAll(() => browser?.close());

/** A page of a new browser, and what it said or asked for that it should not have. */
async function open(url: string, options: BrowserContextOptions = {}) {
  if (!browser) throw new Error('no browser was started');
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin)) faults.push(`asked for ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()} for ${response.url()}`);
  });
  await page.goto(url);
  return { page, faults };
}

/** The color of the text of a place, and that of the page behind it. In words, for the types of a browser are not here. */
const colorsOf = (page: Page, selector: string) =>
  page.evaluate<readonly [string, string]>(
    `[getComputedStyle(document.querySelector('${selector}')).color, getComputedStyle(document.body).backgroundColor]`,
  );

const TEXTS = [
  'main p',
  '.lead',
  'main a',
  '.contents a',
  '.type',
  '.required',
  'h4',
  '.method.get',
  '.method.delete',
];
/** For text, by WCAG 2 at level AA. */
const ENOUGH = 4.5;

/** The contrast of two colors, by WCAG 2. */
function contrastOf([one, other]: readonly [string, string]): number {
  const luminance = (color: string): number => {
    const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).slice(0, 3).map((text) => {
      const part = Number(text) / 255;
      return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

// The browser that comes by npm runs on Linux alone.
describe.skipIf(process.platform !== 'linux')('the pages of docs, in a browser', () => {
  it('are whole without a script, and ask nothing of the network', async () => {
    const { url } = await serveBrain();
    const { page, faults } = await open(`${url}/docs`, { javaScriptEnabled: false });
    await page.getByRole('navigation', { name: 'Versions of the API' }).waitFor();
    await page.getByRole('link', { name: 'Create a note', exact: false }).first().click();
    await page.getByRole('heading', { name: 'Create a note' }).waitFor();
    expect(await page.locator('#createNode pre.call').textContent()).toContain(`${url}/api/v2/nodes`);
    await page.getByRole('link', { name: 'Errors' }).first().click();
    await page.waitForURL('**/docs/errors');
    expect(faults).toEqual([]);
  });

  it('show the place that a problem points at', async () => {
    const { url } = await serveBrain();
    const problem = (await (await fetch(`${url}/api/v2/nothing`)).json()) as { type: string };
    const { page } = await open(new URL(problem.type, url).href);
    const top = await page.locator('#not_found').evaluate((heading) => heading.getBoundingClientRect().top);
    expect(top).toBeGreaterThan(0);
    expect(top).toBeLessThan(900);
  });

  it.each(['light', 'dark'] as const)('are readable in %s, wide and narrow', async (colorScheme) => {
    const { url } = await serveBrain();
    const seen: (readonly [string, number])[] = [];
    for (const width of [1280, 360]) {
      const { page, faults } = await open(`${url}/docs`, { colorScheme, viewport: { width, height: 800 } });
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      for (const place of TEXTS) seen.push([place, contrastOf(await colorsOf(page, place))]);
      expect(faults).toEqual([]);
    }
    expect(seen.filter(([, contrast]) => contrast < ENOUGH)).toEqual([]);
  });
});
