import type { LambdaRecord, MappingRecord } from './lambda-record.ts';

export interface FunctionMapping {
  readonly function: string;
  readonly mapping: MappingRecord;
}

/** What Lambda's API says of functions. It is part of a Store and keeps its promises; a record goes with its function. */
export interface LambdaStore {
  find(tenant: string, name: string): Promise<LambdaRecord | undefined>;
  /** The event source mappings of a tenant's functions, by their ids. */
  mappings(tenant: string): Promise<readonly FunctionMapping[]>;
  /**
   * Changes it. What its policy comes to is published, with the function.
   * @param decide makes of what there is what there is to be, and may be called more than once; what it throws is what this rejects with
   * @returns the revision at which it holds; undefined when there is no such function
   */
  change(tenant: string, name: string, decide: (record: LambdaRecord) => LambdaRecord): Promise<number | undefined>;
}
