import { readdir, readFile } from 'node:fs/promises';
import { html, trusted, type Html } from './html.ts';
import type { PageLink } from './layout.ts';

const DOCS = new URL('../../../docs/', import.meta.url);
/** Folders of docs/ that are for those who use Brain2; the others are for those who change it. */
const FOLDERS = ['', 'guides/', 'spec/'];

export interface Guide extends PageLink {
  readonly file: URL;
}

/** Every page of docs/ that is served, by its address; its title is its first heading. */
export async function findGuides(): Promise<readonly Guide[]> {
  const found = await Promise.all(
    FOLDERS.map(async (folder) => {
      const names = await namesIn(new URL(folder, DOCS));
      return Promise.all(
        names.map(async (name) => {
          const file = new URL(`${folder}${name}`, DOCS);
          const heading = /^# (.+)$/m.exec(await readFile(file, 'utf8'))?.[1] ?? name;
          const title = heading.replaceAll('`', '');
          return { path: `/docs/${folder}${name.slice(0, -'.md'.length)}`, title, file };
        }),
      );
    }),
  );
  return found.flat();
}

async function namesIn(folder: URL): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.md')).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The Markdown of a guide as HTML; it is our own, so it is trusted. Headings are reached by their words. */
export async function renderGuide(guide: Guide): Promise<{ readonly body: Html; readonly contents: Html }> {
  const { Marked } = await import('marked'); // its 20 ms are for those who read
  const headings: { id: string; text: string }[] = [];
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }) {
        const id = slugOf(text);
        if (depth === 2) headings.push({ id, text: text.replaceAll('`', '') });
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        return `<a href="${addressOf(href)}">${this.parser.parseInline(tokens)}</a>`;
      },
      code({ text }) {
        return html`<pre tabindex="0"><code>${text}</code></pre>`.html;
      },
    },
  });
  const body = trusted(tablesScroll(await marked.parse(await readFile(guide.file, 'utf8'))));
  const entries = headings.map(({ id, text }) => html`<li><a href="#${id}">${text}</a></li>`);
  return {
    body,
    contents: html`<ul>
      ${entries}
    </ul>`,
  };
}

/** As GitHub makes them, so that links work in both places. */
const slugOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

/** Files of docs/ link to each other as files. */
const addressOf = (href: string): string =>
  /^[a-z]+:|^[#/]/.test(href) ? href : href.replace(/\.md(#|$)/, '$1');

const tablesScroll = (text: string): string =>
  text.replaceAll('<table>', '<div class="wide"><table>').replaceAll('</table>', '</table></div>');
