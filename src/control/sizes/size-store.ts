import type { Contents } from '../../model/size.ts';

/** A version's bundle that has a part of this content. */
export interface PartUse {
  readonly content: string;
  readonly function: string;
  /** Of the bundle. */
  readonly digest: string;
}

/** What artifacts' files come to. It is kept with the artifact, and goes with it. */
export interface SizeStore {
  /** @returns undefined: there is no such artifact, or it came before this was kept */
  find(tenant: string, digest: string): Promise<Contents | undefined>;
  /** Which kept versions of the tenant have parts of the same content as this artifact, its own among them. Of very many some are left out. */
  uses(tenant: string, digest: string): Promise<PartUse[]>;
}
