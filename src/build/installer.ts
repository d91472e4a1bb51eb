/** The contract of a package manager that deploys use. Its implementations are npm-installer.ts and pip-installer.ts. */

export interface Installer {
  /** What it makes, in the bundle: a folder that the runtime looks for. What the source has of that name stays out. */
  readonly folder: string;
  /** More of the source that is there for the installation only. */
  readonly leftOut: readonly string[];
  /**
   * What decides what is installed, to be told apart from other projects' by its bytes.
   * @returns undefined when the folder asks for no packages
   * @throws SwiftletError ManifestInvalid when what asks for them cannot be read
   */
  inputs(source: string, signal: AbortSignal): Promise<readonly (string | Buffer)[] | undefined>;
  /**
   * Installs the packages that the source asks for as `staging/<folder>`. Resolves, or rejects, only when its programs have ended.
   * @param staging an empty folder
   * @throws SwiftletError ManifestInvalid with what the program said; the signal's reason when it ends it
   */
  install(source: string, staging: string, signal: AbortSignal): Promise<void>;
}
