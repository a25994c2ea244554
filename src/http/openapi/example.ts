import type { Json } from './json.ts';

/** One request that was really made, and what it was answered. */
export interface Example {
  readonly operationId: string;
  /** Unique within the operation. */
  readonly name: string;
  readonly summary: string;
  /** Of the path and the query. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly body?: { readonly mediaType: string; readonly value: Json };
  readonly answer: { readonly status: number; readonly mediaType?: string; readonly value?: Json };
}
