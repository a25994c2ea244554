import { html, type Html } from './html.ts';

/** A page that the navigation leads to. */
export interface PageLink {
  readonly path: string;
  readonly title: string;
}

interface Page {
  readonly path: string;
  readonly title: string;
  readonly body: Html;
  /** The contents of the page, beside it. */
  readonly contents: Html;
  readonly versions: readonly PageLink[];
  readonly guides: readonly PageLink[];
}

/** A whole page. Nothing in it comes from elsewhere, and nothing runs. */
export function layout({ path, title, body, contents, versions, guides }: Page): string {
  const link = (to: PageLink): Html =>
    html`<li><a href="${to.path}" ${to.path === path && html`aria-current="page"`}>${to.title}</a></li>`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Brain2</title>
        <link rel="icon" href="/docs/assets/icon.svg" />
        <link rel="stylesheet" href="/docs/assets/docs.css" />
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <a class="brand" href="/docs"
            ><img src="/docs/assets/icon.svg" alt="" width="22" height="22" /> Brain2</a
          >
          <nav class="versions" aria-label="Versions of the API">
            <ul>
              ${versions.map(link)}
            </ul>
          </nav>
          <nav class="guides" aria-label="Guides">
            <details>
              <summary>${guides.some((guide) => guide.path === path) ? title : 'Guides'}</summary>
              <ul>
                ${guides.map(link)}
              </ul>
            </details>
          </nav>
        </header>
        <div class="page">
          <nav class="contents" aria-label="On this page">${contents}</nav>
          <main id="content">${body}</main>
        </div>
      </body>
    </html> `.html;
}
